"""Recording what a phone's camera gives, for replays on a phone or a desktop.

device-only: device-record
"""

from __future__ import annotations

from pathlib import Path
from posixpath import dirname

from litebundle.device.adb import Adb
from litebundle.device.install import PACKAGE, RECORDINGS, installed
from litebundle.device.names import new_name
from litebundle.device.pull import make_parent, pull_folder
from litebundle.device.push import Progress
from litebundle.device.recorded import Recorded, read_recording
from litebundle.device.run import run_once
from litebundle.device.states import ready

_FETCH_S, _FETCH_S_PER_S = 300.0, 60.0


def record(adb: Adb, seconds: int, folder: Path, progress: Progress) -> Recorded:
    """Record into a new folder. Whatever happens, the phone is given back as it was, and keeps nothing of it.

    Raises:
        DeviceError: `folder` is there already, or the phone cannot record, or did not.
        OSError: `folder` cannot be made.
    """
    make_parent(folder)
    installed(adb)
    run = new_name()
    plan = {"format_version": "1.0", "run": run, "kind": "record", "seconds": seconds, "recording": None}
    with ready(adb, progress) as restore:
        restore("rm", "-rf", f"{RECORDINGS}/{run}")
        restore("am", "force-stop", PACKAGE)  # before that, lest it writes on
        progress(f"recording {seconds} s")
        index = run_once(adb, plan, (), seconds, "then record again", progress)
        progress("fetching the recording")
        return pull_folder(adb, dirname(index), folder, read_recording, _FETCH_S + _FETCH_S_PER_S * seconds)
