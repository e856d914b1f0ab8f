"""How every verb answers: one JSON document on stdout, or text and tables for a person."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from litebundle.documents import plain

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """The `--json` that every verb takes."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, all else on stderr.")(
        command
    )


def emit(document: Any, as_json: bool, show: Callable[[], None]) -> None:
    """Print the document as JSON, or let `show` print it for a person.

    Infinity (an SQNR of identical tensors) has no JSON form and is written as the string "inf" or "-inf".
    """
    if as_json:
        click.echo(json.dumps(plain(document), ensure_ascii=False, indent=2, allow_nan=False))
    else:
        show()


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on stdout; columns of numbers stand right-aligned."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for index, name in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], (int, float)) for row in rows)
        table.add_column(name, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    Console(highlight=False, soft_wrap=not Console().is_terminal).print(table, markup=False)


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
