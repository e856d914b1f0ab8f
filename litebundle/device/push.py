"""Putting files on a phone: under a temporary name, compared by digest, then renamed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from litebundle.device.adb import Adb, DeviceError, Disconnected
from litebundle.files import digest_file

# Names on the phone are made of digests and run ids alone, so nothing on the way can misread them.
FOLDER = "/data/local/tmp/litebundle"
_LEAST_BYTES_PER_S = 500_000
_SPARE_BYTES = 16 << 20

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Pushed:
    """A file on the phone; `already_there`: one of the same digest was, and nothing was sent."""

    path: str
    sha256: str
    size_bytes: int
    already_there: bool


def push_bundle(adb: Adb, bundle: Path, progress: Progress) -> Pushed:
    """Check a bundle here, then put it on the phone.

    Raises:
        LitebundleError: It is no bundle, or a damaged one.
        DeviceError: The phone is full, went away, or holds other bytes than were sent.
    """
    check_bundle(bundle)
    return push_file(adb, bundle, ".litebundle", progress)


def check_bundle(bundle: Path) -> str:
    """Check every byte of a bundle's file: the SHA-256 of its manifest, by which the app's reports name it.

    Raises:
        LitebundleError: It is no bundle, or a damaged one.
    """
    from litebundle.bundle import Bundle

    if bundle.is_dir():
        raise DeviceError(f"{bundle}: a folder; give the .litebundle file")
    with Bundle.open(bundle) as opened:
        return sha256(opened.read("manifest.json")).hexdigest()


def push_file(adb: Adb, source: Path, suffix: str, progress: Progress) -> Pushed:
    """Put a file into `FOLDER` under its digest.

    Raises:
        DeviceError: As `push_bundle`.
    """
    digest, size_bytes = digest_file(source), source.stat().st_size
    target = f"{FOLDER}/{digest[:32]}{suffix}"
    if _digest_on(adb, target) == digest:
        return Pushed(target, digest, size_bytes, already_there=True)
    if adb.ask("mkdir", "-p", FOLDER).code or adb.ask("chmod", "755", FOLDER).code:
        raise DeviceError(f"device {adb.serial!r}: {FOLDER} cannot be made; restart the phone and start again")
    _check_room(adb, size_bytes)
    part = f"{target}.part"
    try:
        progress(f"pushing {source.name}, {size_bytes / 1e6:.1f} MB")
        _send(adb, source, part, progress)
        if _digest_on(adb, part) != digest:
            raise DeviceError(f"{source}: other bytes arrived on device {adb.serial!r}; start again")
        moved = adb.ask("mv", "-f", part, target)
        # Asked once more after a broken connection, it fails where the first had done it.
        if moved.code and _digest_on(adb, target) != digest:
            raise DeviceError(f"device {adb.serial!r}: {target} cannot be written ({moved.words}); start again")
    except BaseException:
        # Gone phones cannot be tidied; the next push replaces what is left.
        with suppress(DeviceError):
            adb.shell("rm", "-f", part)
        raise
    return Pushed(target, digest, size_bytes, already_there=False)


def _send(adb: Adb, source: Path, part: str, progress: Progress) -> None:
    """Once more after a broken connection: a `.part` may be written twice."""
    timeout_s = 30 + source.stat().st_size / _LEAST_BYTES_PER_S
    path = str(source.absolute())  # a name that begins with "-" would be an option
    try:
        try:
            answer = adb.run("push", path, part, timeout_s=timeout_s)
        except Disconnected:
            progress("the connection broke; waiting for the phone")
            adb.wait_for_return()
            answer = adb.run("push", path, part, timeout_s=timeout_s)
    except Disconnected:
        raise Disconnected(
            f"device {adb.serial!r}: it went offline while {source.name} was pushed; check the cable, start again: "
            "what arrived has a temporary name and will be replaced"
        ) from None
    if answer.code:
        if "No space left" in answer.words:
            raise _full(adb)
        raise DeviceError(f"{source}: device {adb.serial!r} did not take it: {answer.words}; start again")


def _check_room(adb: Adb, size_bytes: int) -> None:
    """The app makes its own copy, so there must be room for two."""
    lines = adb.ask("df", "-k", FOLDER).out.splitlines()
    columns = lines[-1].split() if len(lines) > 1 else []
    if len(columns) > 3 and columns[3].isdigit() and int(columns[3]) * 1024 < 2 * size_bytes + _SPARE_BYTES:
        raise _full(adb)


def _full(adb: Adb) -> DeviceError:
    return DeviceError(
        f"device {adb.serial!r}: its storage is full; make room on it (earlier bundles: "
        f"adb -s {adb.serial} shell rm -r {FOLDER}) and start again"
    )


def _digest_on(adb: Adb, path: str) -> str | None:
    answer = adb.ask("sha256sum", path, timeout_s=120)
    return None if answer.code else answer.out.partition(" ")[0]
