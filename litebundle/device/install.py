"""Putting the app on a phone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from litebundle.device.adb import Adb, DeviceError

PACKAGE = "org.litebundle.sample"
RUNS = f"/sdcard/Android/data/{PACKAGE}/files/runs"
RECORDINGS = f"/sdcard/Android/data/{PACKAGE}/files/recordings"
_BYTES_PER_S = 1_000_000
_REMOVE = (
    f"run 'adb uninstall {PACKAGE}' and start again; that deletes its runs on the phone too, so first fetch those that "
    f"'adb shell ls {RUNS}' lists with 'litebundle device pull RUN'"
)
_WAYS_OUT = {
    "INSTALL_FAILED_UPDATE_INCOMPATIBLE": f"the one on the phone was signed with another key; {_REMOVE}",
    "INSTALL_FAILED_VERSION_DOWNGRADE": f"the one on the phone is newer; {_REMOVE}",
    "INSTALL_FAILED_INSUFFICIENT_STORAGE": "its storage is full; make room on it and start again",
    "INSTALL_FAILED_OLDER_SDK": "its Android is older than the app's least (API 26); take another phone",
    "INSTALL_FAILED_NO_MATCHING_ABIS": "the app has no runtime for its processor; take an arm64 phone",
    "INSTALL_FAILED_USER_RESTRICTED": "it wants a confirmation; allow installing over USB in its developer options",
    "INSTALL_PARSE_FAILED": "it is no signed APK; build it again",
}


@dataclass(frozen=True)
class Installed:
    """The app on a phone."""

    package: str
    version: str


def install(adb: Adb, apk: Path) -> Installed:
    """Install or replace the app; an earlier one's data are kept.

    Raises:
        DeviceError: It is no APK of the app, or the phone refused it.
        OSError: There is no such file.
    """
    with apk.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            raise DeviceError(f"{apk}: not an APK; give the .apk that 'make harness' or Gradle built")
    answer = adb.run("install", "-r", str(apk.absolute()), timeout_s=60 + apk.stat().st_size / _BYTES_PER_S)
    if answer.code or "Success" not in answer.out.split():
        raise DeviceError(f"{apk}: device {adb.serial!r} refused it: {_reason(answer.words)}")
    return installed(adb)


def installed(adb: Adb) -> Installed:
    """The app that is on the phone.

    Raises:
        DeviceError: It is not there.
    """
    if adb.ask("pm", "path", PACKAGE).code:
        raise DeviceError(
            f"device {adb.serial!r}: the app {PACKAGE} is not installed; run 'litebundle device install APK' first"
        )
    version = re.search(r"versionName=(\S+)", adb.ask("dumpsys", "package", PACKAGE).out)
    return Installed(PACKAGE, version[1] if version else "")


def _reason(words: str) -> str:
    for code, way_out in _WAYS_OUT.items():
        if code in words:
            return f"{code}: {way_out}"
    return words or "it gave no reason; look at the phone's screen"
