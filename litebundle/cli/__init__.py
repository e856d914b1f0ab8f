"""The command line: a table of verbs, each a module that is imported only when it is called."""

from __future__ import annotations

import errno
import importlib
import sys
import traceback
from contextlib import suppress

import click

from litebundle import __version__
from litebundle.cli.output import ErrorDocument, Fault, FaultKind, finish_output, to_json, tolerate_any_terminal

VERBS = {
    "init": "Start a project: pipeline.toml, a stub stage, an empty calibration set.",
    "build": "Build a pipeline: convert, quantize, validate, pack.",
    "inspect": "Show what a bundle holds and whether its requirements held.",
    "run": "Run a bundle on a photo.",
    "verify": "Check a bundle's integrity and its golden vectors on this machine.",
    "report": "Write a bundle's report as one HTML file.",
    "data": "Compare a data set with its wish list of kinds.",
    "device": "Measure a bundle on a phone: install the app, push, run, report.",
    "convert": "Convert one ONNX model to TFLite.",
    "quantize": "Quantize one TFLite model.",
    "validate": "Measure the drift between two TFLite models.",
}
HELD, FELL_SHORT, BAD_INPUT, INTERNAL_FAULT, INTERRUPTED, CLOSED_PIPE = 0, 1, 2, 3, 130, 141
WAYS_OUT = {
    errno.ENOENT: "check the path",
    errno.EEXIST: "give another place",
    errno.ENOTDIR: "a part of the path is a file; give another place",
    errno.EISDIR: "give a file, not a folder",
    errno.EACCES: "change its permissions or give another place",
    errno.EPERM: "change its permissions or give another place",
    errno.EROFS: "give a place that can be written",
    errno.ENOSPC: "make room, then start again: what was finished is kept",
    errno.EDQUOT: "make room, then start again: what was finished is kept",
    errno.EFBIG: "the file would be larger than is allowed here; raise the limit (ulimit -f) or give another place",
}


class LazyVerbs(click.Group):
    """Loads `litebundle.cli.<verb>` on first use, so that `--help` imports nothing else."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(f"litebundle.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], VERBS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; the verbs are {', '.join(VERBS)}"
            raise click.UsageError(f"no verb {args[0]!r}{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.command(
    cls=LazyVerbs,
    subcommand_metavar="VERB [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="litebundle")
def cli() -> None:
    """A pipeline of PyTorch/ONNX stages as one verified bundle of quantized LiteRT models.

    Exit codes: 0 all held, 1 a requirement or budget fell short (everything is still written),
    2 bad input or usage, 3 an internal fault.
    """


def main() -> None:
    """Entry point: every outcome becomes one of the documented exit codes."""
    tolerate_any_terminal()
    code = execute(sys.argv[1:])
    finish_output()
    sys.exit(code)


def execute(arguments: list[str]) -> int:
    """Run the command line and return its exit code; errors go to stderr, with `--json` also to stdout."""
    try:
        code = cli.main(arguments, prog_name="litebundle", standalone_mode=False)
        return code if isinstance(code, int) else HELD
    except (click.Abort, KeyboardInterrupt):
        return _interrupted(arguments)
    except SystemExit:
        # How click and rich answer a pipe that nobody reads any more.
        return CLOSED_PIPE
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return BAD_INPUT
    except click.ClickException as error:
        return _failed(arguments, BAD_INPUT, "usage", _usage_message(error))
    except Exception as error:
        if _began_with_interrupt(error):
            return _interrupted(arguments)
        message = _user_message(error)
        if message is None:
            traceback.print_exc()
            return _failed(arguments, INTERNAL_FAULT, "internal", f"{type(error).__name__}: {error}")
        return _failed(arguments, BAD_INPUT, "input", message)


def _interrupted(arguments: list[str]) -> int:
    return _failed(arguments, INTERRUPTED, "interrupted", "interrupted; what was finished is kept")


def _began_with_interrupt(error: BaseException | None) -> bool:
    """Libraries wrap a Ctrl-C that meets them while they are imported."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _usage_message(error: click.ClickException) -> str:
    """With the way to the verb's own help."""
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    return f"{message}; see '{context.command_path} --help'" if context else message


def _user_message(error: Exception) -> str | None:
    """The text for a fault of the user's making; None for one of ours."""
    from converter import ConversionError
    from litebundle.errors import LitebundleError
    from quantize import QuantizationError

    if isinstance(error, (LitebundleError, ConversionError, QuantizationError)):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        way_out = WAYS_OUT.get(error.errno or 0)
        return f"{where}{error.strerror}" + (f"; {way_out}" if way_out else "")
    return None


def _failed(arguments: list[str], code: int, kind: FaultKind, message: str) -> int:
    """Say what went wrong; with `--json` also as the document that every verb prints when it has no result."""
    # Where nobody listens, the exit code alone must do.
    with suppress(OSError):
        print(f"error: {message}", file=sys.stderr, flush=True)
    if "--json" in arguments:
        with suppress(OSError):
            print(to_json(ErrorDocument(Fault(kind, message))), flush=True)
    return code
