"""The phones that adb sees, and the one that is meant."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from litebundle.device.adb import QUERY_S, Adb, DeviceError, run_adb

_WAYS_OUT = {
    "unauthorized": "confirm 'Allow USB debugging?' on its screen, then start again",
    "offline": "plug it in again, or run 'adb reconnect offline', then start again",
    "no permissions": "give this user access to USB devices (udev rules), then start again",
    "authorizing": "confirm 'Allow USB debugging?' on its screen, then start again",
    "recovery": "start it normally, then start again",
    "sideload": "start it normally, then start again",
    "bootloader": "start it normally, then start again",
}
# A serial number may have spaces, as one found over Wi-Fi: "adb-… (2)._adb-tls-connect._tcp".
_LINE = re.compile(r"(?P<serial>[^\t]+)\t(?P<state>no permissions|\S+)")


@dataclass(frozen=True)
class Device:
    """A phone as adb lists it; model, Android version and API level are empty or None where it cannot be asked."""

    serial: str
    state: str
    model: str = ""
    android: str = ""
    sdk: int | None = None
    way_out: str = ""


def list_devices() -> tuple[Device, ...]:
    """All phones that adb sees, in its order.

    Raises:
        DeviceError: There is no adb, or no phone.
    """
    found = tuple(_device(match) for match in _listed())
    if not found:
        raise DeviceError(
            "no device: adb sees no phone; plug one in, switch on Settings > Developer options > USB debugging, "
            "and start again"
        )
    return found


def choose(serial: str | None) -> Adb:
    """The phone of this serial number; without one that of ANDROID_SERIAL, else the only one there is.

    Raises:
        DeviceError: There is none, it cannot be used, or there are several.
    """
    devices = {match["serial"]: match["state"] for match in _listed()}
    wanted = serial or os.environ.get("ANDROID_SERIAL")
    if not wanted:
        if len(devices) > 1:
            names = ", ".join(f"{name} ({state})" for name, state in devices.items())
            raise DeviceError(f"several devices: {names}; say which one with -s SERIAL")
        wanted = next(iter(devices), None) or list_devices()[0].serial
    if wanted not in devices:
        there = ", ".join(devices) or "none"
        raise DeviceError(f"device {wanted!r}: adb does not see it (it sees {there}); plug it in or correct -s")
    state = devices[wanted]
    if state != "device":
        raise DeviceError(f"device {wanted!r}: adb calls it {state!r}; {_way_out(state)}")
    return Adb(wanted)


def _listed() -> list[re.Match[str]]:
    answer = run_adb("devices", timeout_s=QUERY_S)
    lines = [line for line in answer.out.splitlines() if line and not line.startswith(("List of", "*"))]
    return [match for line in lines if (match := _LINE.match(line))]


def _device(match: re.Match[str]) -> Device:
    serial, state = match["serial"], match["state"]
    if state != "device":
        return Device(serial, state, way_out=_way_out(state))
    adb = Adb(serial)
    try:
        model, android, sdk = (
            adb.ask("getprop", name).out.strip()
            for name in ("ro.product.model", "ro.build.version.release", "ro.build.version.sdk")
        )
    except DeviceError:
        return Device(serial, state, way_out="it does not answer: plug it in again, or restart it, then start again")
    return Device(serial, state, model, android, int(sdk) if sdk.isdigit() else None)


def _way_out(state: str) -> str:
    return _WAYS_OUT.get(state, "switch it off and on, then start again")
