"""A phone made ready for measuring, and given back as it was."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from litebundle.device.adb import Adb, DeviceError, Disconnected
from litebundle.device.install import PACKAGE
from litebundle.device.push import Progress

STAY_AWAKE = "stay_on_while_plugged_in"
_ON_ALL_PLUGS = "7"
_CAMERA = "android.permission.CAMERA"
_HOTTEST_BATTERY_C = 40.0
_LOOK_AGAIN_S = 5.0
_STATUS = ("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")


@contextmanager
def ready(adb: Adb, progress: Progress) -> Iterator[Callable[..., None]]:
    """Awake, with the screen on and the camera allowed; the app is stopped and all is restored on leaving.

    Yields a function that notes one more command for then; what was noted last runs first.

    Raises:
        DeviceError: Its settings cannot be read, the camera cannot be allowed, or the phone went away.
    """
    with ExitStack() as stack:
        restore = _restorer(stack, adb, progress)
        before = _stay_awake(adb)
        restore("settings", *(["delete", "global", STAY_AWAKE] if before == "null" else _put(before)))
        adb.ask("settings", *_put(_ON_ALL_PLUGS))
        if "mWakefulness=Awake" not in adb.ask("dumpsys", "power").out:
            restore("input", "keyevent", "KEYCODE_SLEEP")
            adb.ask("input", "keyevent", "KEYCODE_WAKEUP")
        adb.ask("wm", "dismiss-keyguard")
        if f"{_CAMERA}: granted=true" not in adb.ask("dumpsys", "package", PACKAGE).out:
            restore("pm", "revoke", PACKAGE, _CAMERA)
        granted = adb.ask("pm", "grant", PACKAGE, _CAMERA)
        if granted.code:
            raise DeviceError(
                f"device {adb.serial!r}: the app may not be given the camera ({granted.words}); open it there and "
                "allow the camera, or switch on 'USB debugging (Security settings)', then start again"
            )
        restore("am", "force-stop", PACKAGE)
        yield restore


def wait_until_cool(adb: Adb, patience_s: float, progress: Progress) -> None:
    """Wait until the phone is cool and saves no power, as a measurement asks.

    Raises:
        DeviceError: It is still hot after `patience_s`, or its battery saver is on.
    """
    if adb.ask("settings", "get", "global", "low_power").out.strip() == "1":
        raise DeviceError(f"device {adb.serial!r}: its battery saver is on, which slows it; switch it off, start again")
    deadline = time.monotonic() + patience_s
    while hot := _heat(adb):
        if time.monotonic() + _LOOK_AGAIN_S > deadline:
            raise DeviceError(
                f"device {adb.serial!r}: too hot to measure ({hot}); take it out of its case and the sun, "
                "let it cool, or wait longer with --cool-down"
            )
        progress(f"waiting for the phone to cool: {hot}")
        time.sleep(_LOOK_AGAIN_S)


def _heat(adb: Adb) -> str:
    """Why the phone is too hot; empty if it is not. Before Android 10 the battery's temperature alone tells."""
    status = re.search(r"Thermal Status: (\d)", adb.ask("dumpsys", "thermalservice").out)
    if status and status[1] != "0":
        return f"its thermal status is {status[1]}, {_STATUS[min(int(status[1]), 6)]}, and must be 0"
    battery = re.search(r"temperature: (\d+)", adb.ask("dumpsys", "battery").out)
    celsius = int(battery[1]) / 10 if battery else 0.0
    if celsius > _HOTTEST_BATTERY_C:
        return f"its battery has {celsius:g} °C, at most {_HOTTEST_BATTERY_C:g} °C is allowed"
    return ""


def _stay_awake(adb: Adb) -> str:
    """The setting's value; 'null' if there is none. What cannot be read could not be restored."""
    answer = adb.ask("settings", "get", "global", STAY_AWAKE)
    if answer.code or not answer.out.strip():
        raise DeviceError(
            f"device {adb.serial!r}: its setting {STAY_AWAKE} cannot be read ({answer.words}); unlock the phone, "
            "restart it if that does not help, and start again"
        )
    return answer.out.strip()


def _put(value: str) -> tuple[str, ...]:
    return ("put", "global", STAY_AWAKE, value)


def _restorer(stack: ExitStack, adb: Adb, progress: Progress) -> Callable[..., None]:
    """A function that notes a command for the end; one that does not work then is told, with how to run it later."""

    def restore(*words: str) -> None:
        later = f"later: adb -s {shlex.quote(adb.serial)} shell {' '.join(words)}"

        def run() -> None:
            try:
                answer = adb.shell(*words)
            except Disconnected:
                progress(f"not restored, the phone is gone; {later}")
            except DeviceError as error:
                progress(f"not restored ({error}); {later}")
            except BaseException:  # a second Ctrl-C
                progress(f"not restored; {later}")
                raise
            else:
                if answer.code:
                    progress(f"not restored ({answer.words}); {later}")

        stack.callback(run)

    return restore
