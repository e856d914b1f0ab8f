"""Fetching what a run left on the phone."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from posixpath import basename

from litebundle.device.adb import Adb, DeviceError, Disconnected
from litebundle.device.install import PACKAGE
from litebundle.device.result import RunResult, read_run
from litebundle.files import digest_file

RUNS = f"/sdcard/Android/data/{PACKAGE}/files/runs"
_TIMEOUT_S = 300.0


def check_name(run: str) -> None:
    """Raises:
    DeviceError: It is no name that a run can have.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", run):
        raise DeviceError(f"run {run!r}: a run's name has 1 to 64 letters, digits, '_' and '-'; correct it")


def pull_run(adb: Adb, remote: str, target: Path) -> RunResult:
    """Fetch the folder of a run, compare it with the phone's by digest, check it, and only then give it its name.

    Args:
        adb: The phone.
        remote: The folder on the phone.
        target: The folder to make; one that is there is replaced.

    Raises:
        DeviceError: There is no such run, or it is incomplete, or the phone went away.
    """
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        _pull(adb, remote, part)
        _compare(adb, remote, part)
        read_run(part)
        shutil.rmtree(target, ignore_errors=True)
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return read_run(target)


def _pull(adb: Adb, remote: str, part: Path) -> None:
    """Once more after a broken connection: reading changes nothing."""
    try:
        answer = adb.run("pull", remote, str(part), timeout_s=_TIMEOUT_S)
    except Disconnected:
        adb.wait_for_return()
        shutil.rmtree(part, ignore_errors=True)
        answer = adb.run("pull", remote, str(part), timeout_s=_TIMEOUT_S)
    if answer.code:
        if "does not exist" in answer.words or "No such file" in answer.words:
            raise DeviceError(
                f"device {adb.serial!r}: it has no run {basename(remote)!r} (looked in {remote}); correct the name"
            )
        raise DeviceError(f"{remote}: cannot be fetched: {answer.words}; start again")


def _compare(adb: Adb, remote: str, part: Path) -> None:
    files = {f"{remote}/{path.name}": path for path in sorted(part.iterdir()) if path.is_file()}
    answer = adb.ask("sha256sum", *files, timeout_s=_TIMEOUT_S) if files else None
    lines = [line.split("  ", 1) for line in answer.out.splitlines()] if answer else []
    digests = {name: digest for digest, name in lines}
    for name, path in files.items():
        if digests.get(name) != digest_file(path):
            raise DeviceError(f"{name}: other bytes arrived than device {adb.serial!r} has; start again")
