"""The APK that `mvn verify` packed. Without one there is nothing to test; `make harness` makes it first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TARGET = ROOT / "android_harness" / "pack" / "target"

pytestmark = pytest.mark.skipif(not (TARGET / "arguments.txt").exists(), reason="make harness packs it")


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    again = [sys.executable, "-m", "android_harness.pack", f"@{TARGET / 'arguments.txt'}", "--output", str(tmp_path)]
    subprocess.run(again, cwd=ROOT, check=True)
    unsigned = "litebundle-sample-unsigned.apk"
    assert (tmp_path / unsigned).read_bytes() == (TARGET / unsigned).read_bytes()
