"""A TOML file as tables with line numbers."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from litebundle.errors import LitebundleError
from litebundle.toml.positions import Loc, line_numbers
from litebundle.toml.problems import Problem, raise_all


@dataclass(frozen=True)
class TomlFile:
    """The tables of a file; arrays are tuples, which strict validation of frozen models wants."""

    path: Path
    text: str
    tables: Mapping[str, Any]

    @cached_property
    def lines(self) -> Mapping[Loc, int]:
        return line_numbers(self.text)

    def refuse(self, problems: Iterable[Problem]) -> None:
        """Raise one `LitebundleError` with every problem in the order of the file; return if there is none."""
        problems = list(problems)
        if problems:
            raise_all(self.path, self.tables, self.lines, problems)


def read_toml(path: Path) -> TomlFile:
    """Read a file that is there.

    Raises:
        LitebundleError: It is not TOML in UTF-8; the message has the line.
    """
    text = _read(path)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason, _, place = str(error).partition(" (at ")
        line = place.split("line ")[1].split(",")[0] if "line " in place else str(text.rstrip().count("\n") + 1)
        raise LitebundleError(
            f"{path}:{line}: not valid TOML: {reason[0].lower()}{reason[1:]}; texts stand in quotes, tables "
            "like [data] and [[stage]] on lines of their own"
        ) from error
    return TomlFile(path, text, _freeze(tables))


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise LitebundleError(f"{path}:{line}: not UTF-8 text; save the file as UTF-8") from error


def _freeze(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _freeze(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_freeze(item) for item in value)
    return value
