"""Tests of what Maven left. `make harness` runs them after it with HARNESS_BUILT set: then nothing may be missing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def built() -> Callable[[Path], Path]:
    """A file or folder that `make harness` makes. Where it is missing, the test is skipped, or fails under it."""

    def need(path: Path) -> Path:
        if not path.exists():
            outcome = pytest.fail if os.environ.get("HARNESS_BUILT") else pytest.skip
            outcome(f"{path} is not there: make harness builds it")
        return path

    return need
