"""The command line: a table of verbs, each a module that is imported only when it is called."""

from __future__ import annotations

import importlib
import json
import sys
import traceback

import click

from litebundle import __version__

VERBS = {
    "init": "Start a project: pipeline.toml, a stub stage, an empty calibration set.",
    "build": "Build a pipeline: convert, quantize, validate, pack.",
    "inspect": "Show what a bundle holds and whether its requirements held.",
    "run": "Run a bundle on a photo.",
    "verify": "Check a bundle's integrity and its golden vectors on this machine.",
    "report": "Write a bundle's report as one HTML file.",
    "data": "Compare a data set with its wish list of kinds.",
    "convert": "Convert one ONNX model to TFLite.",
    "quantize": "Quantize one TFLite model.",
    "validate": "Measure the drift between two TFLite models.",
}
HELD, FELL_SHORT, BAD_INPUT, INTERNAL_FAULT, INTERRUPTED = 0, 1, 2, 3, 130


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
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code; errors go to stderr, with `--json` also to stdout."""
    try:
        code = cli.main(arguments, prog_name="litebundle", standalone_mode=False)
        return code if isinstance(code, int) else HELD
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        print("interrupted; what was finished is kept", file=sys.stderr)
        return INTERRUPTED
    except click.ClickException as error:
        error.show(sys.stderr)
        return _failed(arguments, BAD_INPUT, "usage", error.format_message())
    except Exception as error:
        message = _user_message(error)
        if message is None:
            traceback.print_exc()
            return _failed(arguments, INTERNAL_FAULT, "internal", f"{type(error).__name__}: {error}")
        print(f"error: {message}", file=sys.stderr)
        return _failed(arguments, BAD_INPUT, "input", message)


def _user_message(error: Exception) -> str | None:
    """The text for a fault of the user's making; None for one of ours."""
    from converter import ConversionError
    from litebundle.errors import LitebundleError
    from quantize import QuantizationError

    if isinstance(error, (LitebundleError, ConversionError, QuantizationError)):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    return None


def _failed(arguments: list[str], code: int, kind: str, message: str) -> int:
    if "--json" in arguments:
        print(json.dumps({"error": {"kind": kind, "message": message}}, ensure_ascii=False))
    return code
