"""Same inputs, same bytes: whatever the folder, the time, the hash seed and the time zone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from litebundle import Bundle
from tests.litebundle.build.scanner import create_scanner

ROOT = Path(__file__).parents[3]
BUNDLE = "dist/scanner-1.0.0.litebundle"


@pytest.mark.parametrize(("seed", "folder"), [("1", "a"), ("4711", "다른 폴더/b")])
def test_another_process_elsewhere_makes_the_same_bundle(built: Path, tmp_path: Path, seed: str, folder: str) -> None:
    root = tmp_path / folder / "scanner"
    root.parent.mkdir(parents=True)
    create_scanner(root)
    for path in root.rglob("*"):
        os.utime(path, (10**9, 10**9))
    environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": "Asia/Seoul", "PYTHONPATH": str(ROOT), "LC_ALL": "C"}
    command = [sys.executable, "-m", "litebundle", "build", "scanner", "-o", "scanner/dist"]
    done = subprocess.run(command, cwd=root.parent, env=environment, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr  # six samples judge no budget
    assert (root / BUNDLE).read_bytes() == (built / BUNDLE).read_bytes()


def test_nothing_of_the_machine_and_its_clock_is_inside(built: Path) -> None:
    with Bundle.open(built / BUNDLE) as bundle:
        texts = [bytes(bundle.read(name)).decode() for name in bundle.manifest.files if name.endswith(".json")]
        texts.append(bundle.manifest.model_dump_json(exclude={"requirements"}))
    for text in texts:
        for told in ("_ms", "qps", str(built.parent), os.uname().nodename, sys.prefix):
            assert told not in text


def test_a_copy_elsewhere_finds_its_cache(built: Path, tmp_path: Path) -> None:
    """What the cache holds does not know where it lies."""
    from litebundle.build.builder import build
    from tests.litebundle.build.conftest import RecordedProgress

    copy = shutil.copytree(built, tmp_path / "copy", ignore=shutil.ignore_patterns("dist"))
    progress = RecordedProgress()
    build(copy, copy / "dist", progress)
    assert progress.steps == ["pack and prove the bundle", "measure this host", "write the report"]
    assert (copy / BUNDLE).read_bytes() == (built / BUNDLE).read_bytes()
