"""Ctrl-C: exit code 130, no process of the build left, nothing lost."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.litebundle.build.scanner import change_setting

ROOT = Path(__file__).parents[3]
MARK = "LITEBUNDLE_TEST_MARK"
LONG_S = 120
GONE_S = 5

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found through /proc")


class Build:
    """`litebundle build` in a process of its own, marked so that all its processes can be found."""

    def __init__(self, project: Path) -> None:
        self.mark = f"{MARK}={uuid.uuid4().hex}"
        self.log = project.parent / "log"
        environment = os.environ | {"PYTHONPATH": str(ROOT), MARK: self.mark.partition("=")[2]}
        command = [sys.executable, "-m", "litebundle", "build", str(project), "-o", str(project / "dist")]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, cwd=project.parent, start_new_session=True
            )

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def commands(self) -> Iterator[str]:
        """Command lines of its processes that still run."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (folder / "environ").read_bytes():
                    yield (folder / "cmdline").read_text().replace("\0", " ")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue

    def wait_until(self, reached: Callable[[], bool]) -> None:
        limit = time.monotonic() + LONG_S
        while not reached():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < limit, self.said()
            time.sleep(0.02)

    def interrupt(self) -> int:
        """As Ctrl-C in a terminal: to every process of its group."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(LONG_S)


def results(project: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (project / "dist").iterdir()}


def assert_left_in_peace(build: Build, project: Path, before: dict[str, bytes]) -> None:
    assert build.said().rstrip().endswith("interrupted; what was finished is kept")
    assert "Traceback" not in build.said()
    assert results(project) == before
    assert not list(project.rglob("*.part"))
    limit = time.monotonic() + GONE_S
    while left := list(build.commands()):
        assert time.monotonic() < limit, left
        time.sleep(0.02)


def test_in_the_midst_of_the_steps(scanner: Path) -> None:
    shutil.rmtree(scanner / ".litebundle")
    before = results(scanner)
    build = Build(scanner)
    build.wait_until(lambda: "decode: convert" in build.said())
    assert build.interrupt() == 130
    assert_left_in_peace(build, scanner, before)


def test_while_the_memory_of_a_run_is_measured(scanner: Path) -> None:
    for path in (scanner / "dist").glob("*.json"):
        path.unlink()
    before = results(scanner)
    build = Build(scanner)
    build.wait_until(lambda: any(" run " in command for command in build.commands()))
    assert build.interrupt() == 130
    assert_left_in_peace(build, scanner, before)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
def test_while_torch_exports(scanner: Path) -> None:
    (scanner / "nets.py").write_text("import time\n\n\ndef slow():\n    time.sleep(600)\n", encoding="utf-8")
    change_setting(
        scanner,
        'source = "onnx:models/encode.onnx"',
        'source = "torch:nets:slow"\ninput = { name = "image", shape = [1, 1, 16, 16] }\noutputs = ["memory"]',
    )
    before = results(scanner)
    build = Build(scanner)
    build.wait_until(lambda: any("torch_worker" in command for command in build.commands()))
    assert build.interrupt() == 130
    assert_left_in_peace(build, scanner, before)
