"""Measuring a bundle on a phone: as many process restarts as asked, each fetched and checked before the next.

device-only: device-run
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from posixpath import dirname
from typing import Literal

from litebundle.device.adb import Adb, DeviceError
from litebundle.device.install import PACKAGE, installed
from litebundle.device.log import follow, watch
from litebundle.device.names import new_name
from litebundle.device.pull import pull_run
from litebundle.device.push import Progress, check_bundle, push_file
from litebundle.device.recording import opened
from litebundle.device.result import RunResult
from litebundle.device.states import ready, wait_until_cool

ACTIVITY = f"{PACKAGE}/.RunActivity"
# For copying the bundle, its self-test and writing the report, besides the measured time.
_PATIENCE_S = 180.0

Kind = Literal["live", "replay", "optical"]


@dataclass(frozen=True)
class Order:
    """What is to be measured. `recording`: a folder or a zip, for kind "replay" alone, which takes as long as that is,
    not `seconds`; `cool_down_s`: longest wait for a hot phone, before each restart.
    """

    bundle: Path
    kind: Kind
    seconds: int
    restarts: int
    recording: Path | None
    cool_down_s: float


def measure(adb: Adb, order: Order, folder: Path, progress: Progress) -> tuple[RunResult, ...]:
    """Measure, one folder in `folder` per restart. Whatever happens, the phone is given back as it was.

    Raises:
        DeviceError: The phone cannot measure, or did not; restarts that were finished stay.
        LitebundleError: The bundle is none, or damaged.
        OSError: `folder` cannot be made or written.
    """
    _check(order, folder)
    digest = check_bundle(order.bundle)
    with opened(order.recording) if order.recording else nullcontext() as recorded:
        installed(adb)
        _make(folder)
        wait_until_cool(adb, order.cool_down_s, progress)
        bundle = push_file(adb, order.bundle, ".litebundle", progress)
        recording = push_file(adb, recorded.path, ".zip", progress) if recorded else None
    seconds = recorded.duration_s if recorded else order.seconds
    series = new_name()
    results = []
    with ready(adb, progress):
        for restart in range(1, order.restarts + 1):
            if restart > 1:
                wait_until_cool(adb, order.cool_down_s, progress)
            progress(f"restart {restart} of {order.restarts}, {seconds:.0f} s")
            plan = {
                "format_version": "1.0",
                "run": f"{series}-{restart:02d}",
                "kind": order.kind,
                "seconds": order.seconds,
                "recording": recording and recording.path,
            }
            later = f"if the app goes on, 'litebundle device pull {plan['run']}' fetches its result later"
            report = run_once(adb, plan, ("--es", "bundle", bundle.path), seconds, later, progress)
            result = pull_run(adb, dirname(report), folder / str(plan["run"]))
            if result.report.bundle.digest != digest:
                raise DeviceError(f"{result.folder}: the app ran another bundle than {order.bundle}; install it again")
            results.append(result)
    return tuple(results)


def _check(order: Order, folder: Path) -> None:
    if order.kind == "replay" and not order.recording:
        raise DeviceError("--kind replay: it needs recorded frames; give them with --recording FOLDER")
    if order.kind != "replay" and order.recording:
        raise DeviceError(f"--recording: --kind {order.kind} takes none; leave it out, or give --kind replay")
    if folder.exists() and any(folder.iterdir()):
        raise DeviceError(f"{folder}: there is something in it already; give -o another place")


def _make(folder: Path) -> None:
    """A place that cannot be written is told before minutes of cooling and measuring, not after."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def run_once(
    adb: Adb, plan: Mapping[str, object], extras: tuple[str, ...], seconds: float, later: str, progress: Progress
) -> str:
    """One process of the app from start to end: the path of the file on the phone that tells its result.

    Args:
        adb: The phone, made ready.
        plan: What the app is to do.
        extras: What it is told besides the plan, as words of `am start`.
        seconds: How long that takes at least.
        later: What to do if the phone goes away meanwhile.
        progress: Hears how it gets on.

    Raises:
        DeviceError: The app refused, or could not finish.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "plan.json")
        file.write_text(json.dumps(plan), encoding="utf-8")
        plan_path = push_file(adb, file, ".json", lambda text: None).path
    try:
        watched = watch(adb, str(plan["run"]), seconds, _PATIENCE_S, later)
        words = ("am", "start", "-W", "-n", ACTIVITY, *extras, "--es", "plan", plan_path)
        started = adb.shell(*words, timeout_s=60)
        if started.code or "Error" in started.words:
            raise DeviceError(f"device {adb.serial!r}: the app does not start: {started.words}; install it again")
        return follow(watched, progress)
    finally:
        _remove(adb, plan_path, progress)


def _remove(adb: Adb, path: str, progress: Progress) -> None:
    try:
        adb.ask("rm", "-f", path)
    except DeviceError:
        progress(f"{path} was left on the phone, which is gone; it is small, and of no use to anyone else")
