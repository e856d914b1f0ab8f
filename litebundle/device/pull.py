"""Fetching what a run or a recording left on the phone."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from posixpath import basename
from typing import TypeVar

from litebundle.device.adb import Adb, DeviceError, Disconnected
from litebundle.device.result import RunResult, read_run
from litebundle.files import digest_file

_TIMEOUT_S = 300.0
# A command is at most a page or so long.
_NAMES_PER_COMMAND = 100

Result = TypeVar("Result")


def check_name(run: str) -> None:
    """Raises:
    DeviceError: It is no name that a run can have.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", run):
        raise DeviceError(f"run {run!r}: a run's name has 1 to 64 letters, digits, '_' and '-'; correct it")


def pull_run(adb: Adb, remote: str, target: Path) -> RunResult:
    """Fetch the folder of a run, as `pull_folder` does."""
    return pull_folder(adb, remote, target, read_run, _TIMEOUT_S)


def pull_folder(adb: Adb, remote: str, target: Path, read: Callable[[Path], Result], timeout_s: float) -> Result:
    """Fetch a folder, compare it with the phone's by digest, check it, and only then give it its name.

    Args:
        adb: The phone.
        remote: The folder on the phone.
        target: The folder to make.
        read: What checks the folder, and gives what is in it.
        timeout_s: How long fetching may take.

    Raises:
        DeviceError: `target` is there already, there is no such run, it is incomplete, or the phone went away.
        OSError: `target` cannot be made.
    """
    make_parent(target)
    with tempfile.TemporaryDirectory(prefix=".litebundle-", dir=target.parent) as folder:
        part = Path(folder, "run")
        _pull(adb, remote, part, timeout_s)
        _compare(adb, remote, part, timeout_s)
        try:
            read(part)
        except DeviceError as error:
            # It names a place that is gone when it is read.
            raise DeviceError(f"device {adb.serial!r}: {str(error).replace(str(part), remote)}") from None
        part.rename(target)
    return read(target)


def make_parent(target: Path) -> None:
    """Make the folder that `target` is to be in.

    Raises:
        DeviceError: `target` is there already.
        OSError: The folder cannot be made or written.
    """
    if os.path.lexists(target):
        raise DeviceError(f"{target}: it is there already, and is not replaced; give -o a new folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=target.parent):
        pass


def _pull(adb: Adb, remote: str, part: Path, timeout_s: float) -> None:
    """Once more after a broken connection: reading changes nothing."""
    try:
        _pull_once(adb, remote, part, timeout_s)
    except Disconnected:
        adb.wait_for_return()
        shutil.rmtree(part, ignore_errors=True)
        _pull_once(adb, remote, part, timeout_s)


def _pull_once(adb: Adb, remote: str, part: Path, timeout_s: float) -> None:
    answer = adb.run("pull", remote, str(part), timeout_s=timeout_s)
    if not answer.code:
        return
    if "does not exist" in answer.words or "No such file" in answer.words:
        raise DeviceError(
            f"device {adb.serial!r}: it has no run {basename(remote)!r} (looked in {remote}); correct the name"
        )
    # adb prints no error when the connection breaks within a file.
    raise Disconnected(f"{remote}: cannot be fetched: {answer.words}; start again")


def _compare(adb: Adb, remote: str, part: Path, timeout_s: float) -> None:
    paths = sorted(path for path in part.rglob("*") if path.is_file())
    files = {f"{remote}/{path.relative_to(part).as_posix()}": path for path in paths}
    for start in range(0, len(files), _NAMES_PER_COMMAND):
        names = list(files)[start : start + _NAMES_PER_COMMAND]
        answer = adb.ask("sha256sum", *names, timeout_s=timeout_s)
        lines = re.findall("^([0-9a-f]{64})  (.+)$", answer.out, re.MULTILINE)
        digests = {name: digest for digest, name in lines}
        for name in names:
            if digests.get(name) != digest_file(files[name]):
                raise DeviceError(f"{name}: other bytes arrived than device {adb.serial!r} has; start again")
