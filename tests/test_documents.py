"""What every published page must keep: no placeholder, no link into nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("examples/*/*.md"),
        *ROOT.glob("bench/*.md"),
        *ROOT.glob("android_harness/*.md"),
    ]
)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_pages_are_finished_and_their_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "@@" not in text
    for target in LINK.findall(text):
        assert (page.parent / target).exists(), f"{page}: no {target}"


def test_the_committed_model_tells_no_path_of_the_machine_it_was_exported_on() -> None:
    model = (ROOT / "examples/formula_scan/models/orient.onnx").read_bytes()
    assert b"site-packages" not in model and b"models.py" not in model
