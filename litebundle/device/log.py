"""The phone's log while the app works: its markers, and how it ended if it did."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from litebundle.device.adb import Adb, DeviceError, Disconnected, Lines
from litebundle.device.install import PACKAGE
from litebundle.device.push import Progress

_TAG = "litebundle"
# Stands for the run's name where the app could not read the plan that has it.
_UNNAMED = "-"
_ONE_VERSION = "if it is whole here, use the litebundle and the app of one version"
_TAGS = (f"{_TAG}:I", "AndroidRuntime:E", "am_crash:V", "am_kill:V", "am_proc_died:V", "am_anr:V", "*:S")
_LINE = re.compile(r"\s*\d+\.\d+\s+(?:\S+\s+)?(\d+)\s+\d+\s+[VDIWEFA]\s+(\S+)\s*: (.*)")
_QUIET_S = 10.0
# A log that ends sooner than this, as often as that in a row, cannot be read at all.
_SHORT_S, _TRIES, _PAUSE_S = 5.0, 5, 1.0


@dataclass(frozen=True)
class Watch:
    """A run that is to be followed until its end.

    `since`: the phone's clock in seconds before the app was started; `others`: processes of the app from before then,
    whose end may still be told; `boots`: how often the phone had started; `later`: what to do if the phone goes away.
    """

    adb: Adb
    run: str
    since: str
    others: frozenset[str]
    boots: str
    seconds: float
    patience_s: float
    later: str


def watch(adb: Adb, run: str, seconds: float, patience_s: float, later: str) -> Watch:
    """Stop the app, and look at the phone before it is started."""
    others = frozenset(adb.ask("pidof", PACKAGE).out.split())
    adb.ask("am", "force-stop", PACKAGE)
    since = adb.ask("date", "+%s").out.strip()
    # The clock's seconds are too coarse to tell what belongs to this run: its lines begin behind this one.
    adb.ask("log", "-t", _TAG, f"RUN {run} ORDERED")
    return Watch(adb, run, since, others, boots(adb), seconds, patience_s, later)


def boots(adb: Adb) -> str:
    return adb.ask("settings", "get", "global", "boot_count").out.strip()


def follow(watch: Watch, progress: Progress) -> str:
    """Wait for the run's end: the path of its report on the phone.

    A connection that breaks and comes back is taken up again, since the app goes on without it.

    Raises:
        DeviceError: The phone refused the bundle or the plan, the app crashed, was ended or said nothing in time, the
            log cannot be read, or the phone was restarted.
    """
    deadline = time.monotonic() + watch.seconds + watch.patience_s
    tries = 0
    while True:
        began = time.monotonic()
        words = ("logcat", "-b", "main,crash,events", "-v", "epoch", "-T", f"{watch.since}.000", "-s", *_TAGS)
        try:
            with watch.adb.lines(*words) as lines:
                return _Follower(watch, deadline, progress).read(lines)
        except (EOFError, Disconnected) as error:
            _take_up_again(watch, progress)
            tries = tries + 1 if time.monotonic() - began < _SHORT_S else 0
            if tries == _TRIES:
                raise _unreadable(watch, error) from None
            time.sleep(_PAUSE_S)


def _take_up_again(watch: Watch, progress: Progress) -> None:
    progress("the connection broke; waiting for the phone")
    try:
        watch.adb.wait_for_return()
        restarted = boots(watch.adb) != watch.boots
    except Disconnected:
        raise Disconnected(
            f"device {watch.adb.serial!r}: it went away during the run; check the cable and that it has power; "
            f"{watch.later}"
        ) from None
    if restarted:
        raise DeviceError(f"device {watch.adb.serial!r}: it was restarted during the run; start again")


def _unreadable(watch: Watch, error: Exception) -> DeviceError:
    serial = watch.adb.serial
    return DeviceError(
        f"run {watch.run}: the phone's log ends as soon as it is opened ({error}); look whether "
        f"'adb -s {serial} logcat' works, restart the phone if not; {watch.later}"
    )


class _Follower:
    def __init__(self, watch: Watch, deadline: float, progress: Progress) -> None:
        self._watch = watch
        self._deadline = deadline
        self._progress = progress
        self._listening = False
        self._crashing: str | None = None
        self._began: float | None = None
        self._gone = False

    def read(self, lines: Lines) -> str:
        while time.monotonic() < self._deadline:
            line = lines.next(min(_QUIET_S, max(0.05, self._deadline - time.monotonic())))
            if line is None:
                self._look_for_the_process()
            elif (match := _LINE.match(line)) and (report := self._hear(match[1], match[2], match[3])):
                return report
        raise DeviceError(
            f"run {self._watch.run}: no result within {self._watch.seconds + self._watch.patience_s:g} s; unlock the "
            "phone, look whether the app asks for something, and start again"
        )

    def _hear(self, process: str, tag: str, text: str) -> str | None:
        if tag == _TAG:
            return self._marker(text)
        if not self._listening:
            return None
        if tag == "AndroidRuntime" and process not in self._watch.others:
            # FATAL EXCEPTION, then "Process: …, PID: …", then the exception.
            if self._crashing == process:
                raise self._ended(f"the app crashed: {text.strip()}")
            self._crashing = process if text.startswith(f"Process: {PACKAGE},") else None
        elif tag.startswith("am_"):
            self._event(tag, text.strip("[]").split(","))
        return None

    def _marker(self, text: str) -> str | None:
        word, run, what, told = (*text.split(" ", 3), "", "", "")[:4]
        ours = run == self._watch.run or (run == _UNNAMED and self._listening)
        if word != "RUN" or not ours:
            return None
        if what == "ORDERED":
            self._listening = True
        if what == "DONE":
            return told.strip()
        if what == "REFUSED":
            raise DeviceError(f"run {self._watch.run}: the app refused the bundle or the plan: {told}; {_ONE_VERSION}")
        if what == "FAILED":
            raise self._ended(f"the app could not finish: {told}")
        if what == "STARTED" and self._began is None:
            self._began = time.monotonic()
            self._progress(f"run {run}: the app has begun")
        return None

    def _event(self, tag: str, fields: list[str]) -> None:
        if PACKAGE not in fields or fields[1] in self._watch.others:
            return
        if tag == "am_crash":
            raise self._ended(f"the app crashed: {': '.join(part for part in fields[4:6] if part)}")
        if tag == "am_anr":
            raise self._ended("the app did not respond")
        raise self._ended(f"the system ended the app ({' '.join(fields[3:])})")

    def _look_for_the_process(self) -> None:
        """Gone twice in a row: its last words have had the time to arrive."""
        if self._began is not None:
            self._progress(f"run {self._watch.run}: {time.monotonic() - self._began:.0f} of {self._watch.seconds:g} s")
        gone = self._watch.adb.ask("pidof", PACKAGE).code != 0
        if gone and self._gone:
            raise self._ended("the app is gone, without a word in the log")
        self._gone = gone

    def _ended(self, what: str) -> DeviceError:
        serial = self._watch.adb.serial
        return DeviceError(f"run {self._watch.run}: {what}; see 'adb -s {serial} logcat -d -b crash', then start again")
