"""No space, no right to write: a clear error that names the file, and nothing lost."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from litebundle.build.builder import build
from litebundle.cli import execute as run
from tests.litebundle.build.conftest import RecordedProgress
from tests.litebundle.build.scanner import change_setting

NAME = "scanner-1.0.0"
Mount = Callable[[Path, str], None]


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Puts a file system with the given options (`size=300k`) on a folder; again, with `remount` among them."""
    mounted: list[Path] = []

    def on(folder: Path, options: str) -> None:
        folder.mkdir(exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")
        mounted.append(folder)

    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small file system takes root")
    yield on
    for folder in dict.fromkeys(mounted):
        subprocess.run(["umount", folder], check=True)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_full_output_folder_keeps_the_earlier_result(
    scanner: Path, mount: Mount, capsys: pytest.CaptureFixture[str]
) -> None:
    out = scanner / "out"
    mount(out, "size=300k")
    build(scanner, out, RecordedProgress())
    before = contents(out)
    assert len(before) == 3
    change_setting(scanner, "cards on a page", "cards on the page")
    assert run(["build", str(scanner), "-o", str(out)]) == 2
    assert f"error: {out / NAME}.litebundle: No space left on device" in capsys.readouterr().err
    assert contents(out) == before
    mount(out, "remount,size=2m")
    build(scanner, out, RecordedProgress())
    assert contents(out)[f"{NAME}.litebundle"] != before[f"{NAME}.litebundle"]


def test_no_space_for_the_report_leaves_a_whole_bundle(scanner: Path, mount: Mount) -> None:
    out = scanner / "out"
    mount(out, "size=160k")
    with pytest.raises(OSError) as caught:
        build(scanner, out, RecordedProgress())
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(out / f"{NAME}.html"))
    assert contents(out)[f"{NAME}.litebundle"] == (scanner / f"dist/{NAME}.litebundle").read_bytes()
    assert set(contents(out)) == {f"{NAME}.litebundle", f"{NAME}.measurements.json"}


def test_full_cache_is_named(scanner: Path, mount: Mount, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(scanner / "dist")
    shutil.rmtree(scanner / ".litebundle")
    mount(scanner / ".litebundle", "size=24k")
    assert run(["build", str(scanner), "-o", str(scanner / "dist")]) == 2
    message = capsys.readouterr().err
    assert f"error: {scanner / '.litebundle/cache'}/" in message
    assert "No space left on device" in message
    assert contents(scanner / "dist") == before
    assert not list(scanner.rglob("*.part"))


def test_read_only_output_folder_is_refused_before_any_work(scanner: Path, mount: Mount) -> None:
    out = scanner / "out"
    mount(out, "size=2m")
    build(scanner, out, RecordedProgress())
    before = contents(out)
    mount(out, "remount,ro")
    change_setting(scanner, 'scheme = "fp16"', 'scheme = "none"')
    progress = RecordedProgress()
    with pytest.raises(PermissionError) as caught:
        build(scanner, out, progress)
    assert caught.value.filename == str(out)
    assert progress.steps == []
    assert contents(out) == before
