"""Line numbers against what tomllib reads: each key or text must stand in the line that is told for it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litebundle.toml import Loc
from litebundle.toml.positions import line_numbers

HARD = '''\
# [not.a.table]
title = "a # b [c] = \\"d\\""   # comment
"quoted key" = 'literal \\ # ['
a.b . "c.d" = 1
multi = """
[x]
y = 1 "" \\
"""
lit = \'\'\'
key = [1, 2
\'\'\'
when = 1979-05-27 07:32:00
list = [ # first
  1, [2, 3],
  { x = [4], y = { z = "]}" } },  # {
]

[table."sub.table"]
n = -1_000.5e3
t = true
[[things]]
name = "one"
[things.inner]
k = 1
[[things.parts]]
p = 1
[[things.parts]]
p = 2
[[things]]
name = "two"
'''


def paths(value: Any, loc: Loc = ()) -> Iterator[Loc]:
    if loc:
        yield loc
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*loc, key))


def test_every_key_and_item_of_hard_toml_has_its_line() -> None:
    lines = line_numbers(HARD)
    assert set(lines) == set(paths(tomllib.loads(HARD)))


@pytest.mark.parametrize(
    ("loc", "text"),
    [
        (("title",), "title ="),
        (("quoted key",), '"quoted key"'),
        (("a", "b", "c.d"), "a.b"),
        (("multi",), 'multi = """'),
        (("lit",), "lit ="),
        (("when",), "when"),
        (("list", 0), "1, [2, 3]"),
        (("list", 1, 1), "1, [2, 3]"),
        (("list", 2, "y", "z"), '"]}"'),
        (("table", "sub.table"), '[table."sub.table"]'),
        (("table", "sub.table", "t"), "t = true"),
        (("things", 0, "name"), '"one"'),
        (("things", 0, "inner", "k"), "k = 1"),
        (("things", 0, "parts", 1, "p"), "p = 2"),
        (("things", 1, "name"), '"two"'),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_line_holds_the_key(loc: Loc, text: str, newline: str) -> None:
    source = HARD.replace("\n", newline)
    assert text in source.splitlines()[line_numbers(source)[loc] - 1]


KEYS = st.from_regex(r"[a-z]{1,4}", fullmatch=True)
SCALARS = st.integers() | st.booleans() | st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=8)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)


def write(value: Any, newline: str) -> str:
    """A value as TOML, list items on lines of their own where `newline` is one."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {write(item, '')}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + newline + ",".join(write(item, newline) + newline for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


@given(
    st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=3), max_size=4), st.sampled_from(["", "\n", " # [\n"])
)
def test_no_key_is_lost_or_invented(document: dict[str, dict[str, Any]], newline: str) -> None:
    text = "".join(
        f"[{table}]\n" + "".join(f"{key} = {write(item, newline)}\n" for key, item in keys.items())
        for table, keys in document.items()
    )
    assert tomllib.loads(text) == document
    assert set(line_numbers(text)) == set(paths(document))


def test_the_example_of_init(tmp_path: Path) -> None:
    from litebundle.init import TEMPLATE

    for file in TEMPLATE.rglob("*.toml"):
        text = file.read_text(encoding="utf-8")
        lines = text.splitlines()
        for loc, line in line_numbers(text).items():
            if isinstance(loc[-1], str):
                assert loc[-1] in lines[line - 1]
