"""The APK that `mvn verify` packed; `make harness` runs this after it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TARGET = ROOT / "android_harness" / "pack" / "target"


def test_the_same_inputs_give_the_same_bytes(built: Callable[[Path], Path], tmp_path: Path) -> None:
    arguments = built(TARGET / "arguments.txt")
    again = [sys.executable, "-m", "android_harness.pack", f"@{arguments}", "--output", str(tmp_path)]
    subprocess.run(again, cwd=ROOT, check=True)
    unsigned = "litebundle-sample-unsigned.apk"
    assert (tmp_path / unsigned).read_bytes() == (TARGET / unsigned).read_bytes()
