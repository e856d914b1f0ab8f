"""How every verb answers: one JSON document on stdout, or text and tables for a person."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from litebundle.documents import plain
from litebundle.errors import LitebundleError

FaultKind = Literal["input", "usage", "interrupted", "internal"]


@dataclass(frozen=True)
class Fault:
    """Why there is no result; exit codes 2 (input, usage), 130 (interrupted) and 3 (internal)."""

    kind: FaultKind
    message: str


@dataclass(frozen=True)
class ErrorDocument:
    """What every verb prints with `--json` when it has no result."""

    error: Fault


F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """The `--json` that every verb takes."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, all else on stderr.")(
        command
    )


def emit(document: Any, as_json: bool, show: Callable[[], None]) -> None:
    """Print the document as JSON, or let `show` print it for a person.

    Raises:
        LitebundleError: Standard output leads to a device that is full.
        BrokenPipeError: Nobody reads on.
    """
    try:
        if as_json:
            click.echo(to_json(document))
        else:
            show()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise LitebundleError(
            f"standard output: {error.strerror}; the result was not shown, send it elsewhere and start again"
        ) from error


def refuse_to_replace(source: Path, target: Path) -> None:
    """Raise `LitebundleError` where writing `target` would replace what it is made from."""
    if target.exists() and source.exists() and target.samefile(source):
        raise LitebundleError(f"{target}: the result would replace what it is made from; give -o another name")


def to_json(document: Any) -> str:
    """Infinity (an SQNR of identical tensors) has no JSON form and becomes the string "inf" or "-inf"."""
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
    ascii_only = not encoding.startswith("utf")
    return json.dumps(plain(document), ensure_ascii=ascii_only, indent=2, allow_nan=False)


def tolerate_any_terminal() -> None:
    """What the terminal's encoding lacks is written as an escape instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def finish_output() -> None:
    """Drop what a full or closed stdout did not take, so that the interpreter does not stumble over it at its end."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on stdout, with an empty line behind it; columns of numbers stand right-aligned.

    On a terminal long cells are folded to its width, in a file or a pipe every row is one line.
    """
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for index, name in enumerate(columns):
        justify: Literal["left", "right"] = "right" if _numeric(rows, index) else "left"
        table.add_column(name, justify=justify, overflow="fold", no_wrap=index == 0)
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = 10_000
    with console.capture() as capture:
        console.print(table)
    click.secho(title, bold=True)
    click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n")


def _numeric(rows: Sequence[Sequence[object]], index: int) -> bool:
    return bool(rows) and all(isinstance(row[index], (int, float)) for row in rows)


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
