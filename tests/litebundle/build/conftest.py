"""A built project to copy from, so that each test pays only for what it changes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from litebundle.build.builder import build
from tests.litebundle.build.scanner import create_scanner


@dataclass
class RecordedProgress:
    """The titles of the steps that ran, in order."""

    steps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, title: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        self.steps.append(title)
        yield lambda count: None

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scanner, built into its `dist`. Not to be changed: `scanner` is a copy."""
    root = create_scanner(tmp_path_factory.mktemp("built") / "scanner")
    build(root, root / "dist", RecordedProgress())
    return root


@pytest.fixture
def scanner(built: Path, tmp_path: Path) -> Path:
    """A copy of the built scanner, with its cache, for one test to change."""
    return shutil.copytree(built, tmp_path / "scanner")
