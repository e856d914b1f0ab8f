"""The table of operators in the documentation is the table of rules."""

from __future__ import annotations

import re
from pathlib import Path

from converter.lowering import RULES

PAGE = Path(__file__).parents[2] / "docs" / "converter.md"


def test_the_documented_operators_are_those_with_a_rule():
    section = PAGE.read_text(encoding="utf-8").split("## Operators")[1].split("## ")[0]
    rows = re.findall(r"^\| \w+ \| (.*) \|$", section, re.MULTILINE)[1:]
    documented = [re.sub(r" \(.*\)", "", name) for row in rows for name in row.split(", ")]
    assert sorted(documented) == sorted(RULES)
