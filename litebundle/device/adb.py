"""The one file that runs `adb`: every call has a deadline, every failure says what to do about it."""

from __future__ import annotations

import os
import queue
import re
import shlex
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from litebundle.errors import LitebundleError

QUERY_S = 20.0
# How long a phone may take to come back after its connection broke, before a safe call is given up.
RETURN_S = 10.0
_LOST = re.compile(
    r"^(adb: )?error: (closed|device offline|device still connecting|device '.*' not found|no devices|protocol fault)",
    re.MULTILINE,
)
_LOST_IN_TRANSFER = re.compile(
    r"failed to (read copy response|read from|get feature set)|connect failed|couldn't read from device"
    r"|connection reset|broken pipe",
    re.IGNORECASE,
)
# `adb shell` exits with 0, and not a word, if the connection breaks within a command. So the phone's shell says how the
# command ended: where that does not arrive, nobody knows.
_TOLD_EXIT = '; echo "[exit $?]"'
_EXIT = re.compile(r"\[exit (\d+)\]\r?\n\Z")


class DeviceError(LitebundleError):
    """The phone, or what runs on it, did not do what was asked."""


class Disconnected(DeviceError):
    """The connection to the phone broke."""


class TimedOut(DeviceError):
    """The phone did not answer in time."""


@dataclass(frozen=True)
class Answer:
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """What it said, on one line."""
        return " ".join(f"{self.err} {self.out}".split())


def adb_program() -> str:
    """Where `adb` is: on PATH, else in the SDK that ANDROID_HOME or ANDROID_SDK_ROOT names.

    Raises:
        DeviceError: Nowhere.
    """
    sdks = [os.environ[name] for name in ("ANDROID_HOME", "ANDROID_SDK_ROOT") if os.environ.get(name)]
    for found in [shutil.which("adb"), *(shutil.which("adb", path=f"{sdk}/platform-tools") for sdk in sdks)]:
        if found:
            return found
    raise DeviceError(
        "adb: not on PATH and not in ANDROID_HOME; install Android's platform tools (Debian: apt install adb; "
        "else https://developer.android.com/tools/releases/platform-tools) and start again"
    )


def run_adb(*arguments: str, timeout_s: float) -> Answer:
    """Run `adb` with these arguments.

    Raises:
        DeviceError: There is no adb, or its server does not start.
        TimedOut: It took longer than `timeout_s`; it was ended.
    """
    with _started(arguments) as process:
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            what = " ".join(arguments)
            raise TimedOut(
                f"'adb {what}' did not end within {timeout_s:g} s; plug the phone in again, then start again"
            ) from None
    answer = Answer(process.returncode, _text(out), _text(err))
    if answer.code and "cannot connect to daemon" in answer.err:
        raise DeviceError(f"adb: its server does not start ({answer.words}); run 'adb kill-server' and start again")
    return answer


@dataclass(frozen=True)
class Adb:
    """The phone with this serial number."""

    serial: str

    def run(self, *arguments: str, timeout_s: float) -> Answer:
        """`adb -s SERIAL …`.

        Raises:
            Disconnected: The phone is not there any more.
            TimedOut: It took too long.
        """
        answer = run_adb("-s", self.serial, *arguments, timeout_s=timeout_s)
        if answer.code and self._is_lost(arguments[0], answer):
            raise self.lost(arguments[0])
        return answer

    def _is_lost(self, verb: str, answer: Answer) -> bool:
        if _LOST.search(answer.err) or (verb in ("push", "pull") and _LOST_IN_TRANSFER.search(answer.words)):
            return True
        return self.state() != "device"

    def shell(self, *words: str, timeout_s: float = QUERY_S) -> Answer:
        """Run a command on the phone, its words quoted; the code is the command's own. It is not repeated.

        Raises:
            Disconnected, TimedOut: As `run`.
        """
        answer = self.run("shell", "-n", "-T", shlex.join(words) + _TOLD_EXIT, timeout_s=timeout_s)
        told = _EXIT.search(answer.out)
        if not told and answer.code and answer.words:
            raise DeviceError(
                f"device {self.serial!r}: adb cannot run '{words[0]}' there ({answer.words}); look at "
                "'litebundle device list', and that it has Android 8 or later"
            )
        if not told:
            raise self.lost(words[0])
        return Answer(int(told[1]), answer.out[: told.start()], answer.err)

    def ask(self, *words: str, timeout_s: float = QUERY_S) -> Answer:
        """`shell` for a question: asked once more if the connection breaks and the phone comes back soon.

        Raises:
            Disconnected, TimedOut: As `run`.
        """
        try:
            return self.shell(*words, timeout_s=timeout_s)
        except Disconnected:
            self.wait_for_return()
            return self.shell(*words, timeout_s=timeout_s)

    def wait_for_return(self) -> None:
        """Raises:
        Disconnected: The phone does not come back within `RETURN_S`.
        """
        deadline = time.monotonic() + RETURN_S
        while self.state() != "device":
            if time.monotonic() > deadline:
                raise self.lost("waiting for it")
            time.sleep(0.2)

    def state(self) -> str:
        """'device' if it can be used; else adb's word for what it is, empty if it is gone."""
        answer = run_adb("-s", self.serial, "get-state", timeout_s=QUERY_S)
        return answer.out.strip()

    def lost(self, doing: str) -> Disconnected:
        return Disconnected(
            f"device {self.serial!r}: the connection broke during '{doing}'; check the cable and that the phone is on, "
            "then start again"
        )

    @contextmanager
    def lines(self, *words: str) -> Iterator[Lines]:
        """The lines that a command on the phone prints while it runs; it is ended on leaving."""
        with _started(("-s", self.serial, "shell", "-n", "-T", shlex.join(words))) as process:
            yield Lines(process)


class Lines:
    """The output of a running command, a line at a time."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def next(self, timeout_s: float) -> str | None:
        """The next line; None if there is none within the time.

        Raises:
            EOFError: The command ended, or the connection did; with what it said on stderr.
        """
        try:
            line = self._lines.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if line is None:
            assert self._process.stderr
            raise EOFError(_text(self._process.stderr.read()).strip())
        return line

    def _read(self) -> None:
        assert self._process.stdout
        with suppress(ValueError):  # closed while reading
            for line in self._process.stdout:
                self._lines.put(_text(line).rstrip("\r\n"))
        self._lines.put(None)


@contextmanager
def _started(arguments: tuple[str, ...]) -> Iterator[subprocess.Popen[bytes]]:
    """A running adb, ended on leaving. Ctrl-C reaches only us, who have states to restore through it."""
    process = subprocess.Popen(
        [adb_program(), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
