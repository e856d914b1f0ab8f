"""Fetching what a run left on the phone."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from posixpath import basename

from litebundle.device.adb import Adb, DeviceError, Disconnected
from litebundle.device.result import RunResult, read_run
from litebundle.files import digest_file

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
        target: The folder to make.

    Raises:
        DeviceError: `target` is there already, there is no such run, it is incomplete, or the phone went away.
        OSError: `target` cannot be made.
    """
    if os.path.lexists(target):
        raise DeviceError(f"{target}: it is there already, and is not replaced; give -o a new folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".litebundle-", dir=target.parent) as folder:
        part = Path(folder, "run")
        _pull(adb, remote, part)
        _compare(adb, remote, part)
        try:
            read_run(part)
        except DeviceError as error:
            # It names a place that is gone when it is read.
            raise DeviceError(f"device {adb.serial!r}: {str(error).replace(str(part), remote)}") from None
        part.rename(target)
    return read_run(target)


def _pull(adb: Adb, remote: str, part: Path) -> None:
    """Once more after a broken connection: reading changes nothing."""
    try:
        _pull_once(adb, remote, part)
    except Disconnected:
        adb.wait_for_return()
        shutil.rmtree(part, ignore_errors=True)
        _pull_once(adb, remote, part)


def _pull_once(adb: Adb, remote: str, part: Path) -> None:
    answer = adb.run("pull", remote, str(part), timeout_s=_TIMEOUT_S)
    if not answer.code:
        return
    if "does not exist" in answer.words or "No such file" in answer.words:
        raise DeviceError(
            f"device {adb.serial!r}: it has no run {basename(remote)!r} (looked in {remote}); correct the name"
        )
    # adb prints no error when the connection breaks within a file.
    raise Disconnected(f"{remote}: cannot be fetched: {answer.words}; start again")


def _compare(adb: Adb, remote: str, part: Path) -> None:
    files = {f"{remote}/{path.name}": path for path in sorted(part.iterdir()) if path.is_file()}
    answer = adb.ask("sha256sum", *files, timeout_s=_TIMEOUT_S) if files else None
    lines = re.findall("^([0-9a-f]{64})  (.+)$", answer.out, re.MULTILINE) if answer else []
    digests = {name: digest for digest, name in lines}
    for name, path in files.items():
        if digests.get(name) != digest_file(path):
            raise DeviceError(f"{name}: other bytes arrived than device {adb.serial!r} has; start again")
