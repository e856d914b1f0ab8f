"""Line numbers of every key and array item of a TOML text, which `tomllib` does not tell."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

Loc = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*'""")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    re.DOTALL,
)
_ATOM = re.compile(r"[^\s,\]}#]+(?: \d[^\s,\]}#]*)?")


def line_numbers(text: str) -> Mapping[Loc, int]:
    """Location (keys and list indices from the top) -> line, counted from 1.

    Args:
        text: TOML that `tomllib` accepts. A table's own location is the line of its header.
    """
    return _Scanner(text.replace("\r\n", "\n")).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Loc, int] = {}
        self.lengths: dict[Loc, int] = {}  # arrays of tables, how many so far

    def scan(self) -> Mapping[Loc, int]:
        table: Loc = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._assignment(table)
            self._skip(_BLANK)
        return self.lines

    def _header(self) -> Loc:
        is_array = self.text.startswith("[[", self.at)
        start = self.at
        self.at += 2 if is_array else 1
        loc: Loc = ()
        keys = self._keys()
        self.at += 2 if is_array else 1
        for i, key in enumerate(keys):
            loc = (*loc, key)
            self._mark(loc, start)
            if is_array and i == len(keys) - 1:
                self.lengths[loc] = self.lengths.get(loc, 0) + 1
            if loc in self.lengths:
                loc = (*loc, self.lengths[loc] - 1)
                self._mark(loc, start)
        return loc

    def _assignment(self, table: Loc) -> None:
        start = self.at
        loc = table
        for key in self._keys():
            loc = (*loc, key)
            self._mark(loc, start)
        self.at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(loc)

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip(_SPACE)
            raw = self._skip(_KEY)
            keys.append(next(iter(tomllib.loads(f"{raw} = 0"))))
            self._skip(_SPACE)
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def _value(self, loc: Loc) -> None:
        if self.text[self.at] == "[":
            self._items(loc, "]")
        elif self.text[self.at] == "{":
            self._items(loc, "}")
        elif self.text[self.at] in "\"'":
            self._skip(_STRING)
        else:
            self._skip(_ATOM)

    def _items(self, loc: Loc, closing: str) -> None:
        self.at += 1
        index = 0
        while True:
            self._skip(_BLANK)
            if self.text[self.at] == closing:
                self.at += 1
                return
            if self.text[self.at] == ",":
                self.at += 1
                continue
            if closing == "}":
                self._assignment(loc)
            else:
                self._mark((*loc, index), self.at)
                self._value((*loc, index))
                index += 1

    def _mark(self, loc: Loc, offset: int) -> None:
        self.lines.setdefault(loc, self.text.count("\n", 0, offset) + 1)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        assert match is not None, f"not TOML at offset {self.at}"
        self.at = match.end()
        return match.group()
