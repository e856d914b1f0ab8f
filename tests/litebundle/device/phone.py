"""A phone made of Python: files in memory, the commands that a run asks of Android, faults on demand."""

from __future__ import annotations

import hashlib
import json
import shlex
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from posixpath import join

from tests.litebundle.device.adbd import Console, Done, NoSpace, Stat

PACKAGE = "org.litebundle.sample"
RUNS = f"/sdcard/Android/data/{PACKAGE}/files/runs"
DIRECTORY, REGULAR = 0o040771, 0o100644
FIRST_PID = 4321


@dataclass
class Phone:
    """`behave` is the app: called with itself and the plan when it is started; `commands` lists what was asked."""

    behave: Callable[[Phone, dict[str, object]], None] = lambda phone, plan: None
    files: dict[str, bytes] = field(default_factory=dict)
    properties: dict[str, str] = field(
        default_factory=lambda: {
            "ro.product.model": "Loop 1",
            "ro.build.version.release": "15",
            "ro.build.version.sdk": "35",
        }
    )
    settings: dict[str, str] = field(
        default_factory=lambda: {"stay_on_while_plugged_in": "0", "low_power": "0", "boot_count": "12"}
    )
    app_version: str | None = "0.1.0"
    install_answer: str = "Success\n"
    thermal_status: list[int] = field(default_factory=lambda: [0])
    battery_tenths: int = 285
    awake: bool = True
    free_kb: int = 8_000_000
    full: bool = False
    slow: frozenset[str] = frozenset()
    failing: dict[str, Done] = field(default_factory=dict)
    on_receive: Callable[[int], None] = lambda so_far: None
    running: bool = False
    pid: int = FIRST_PID
    granted: bool = False
    commands: list[list[str]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _folders: set[str] = field(default_factory=lambda: {"/data/local/tmp", "/sdcard"})

    # What the daemon asks.

    def shell(self, command: str, console: Console) -> Done:
        asked = command.removesuffix('; echo "[exit $?]"')
        done = self._run(shlex.split(asked), console)
        return done if asked == command else Done(f"{done.out}[exit {done.code}]\n", done.err)

    def _run(self, words: list[str], console: Console) -> Done:
        self.commands.append(words)
        if words[0] in self.slow:
            time.sleep(30)
        if words[0] in self.failing:
            return self.failing[words[0]]
        handler = getattr(self, f"_{words[0]}", None)
        if handler is None:
            return Done(err=f"/system/bin/sh: {words[0]}: inaccessible or not found\n", code=127)
        if words[0] == "logcat":
            return self._logcat(float(words[words.index("-T") + 1]), console)
        answer = handler(words[1:])
        assert isinstance(answer, Done)
        return answer

    def install(self, command: str, data: bytes) -> str:
        if "Success" in self.install_answer:
            self.app_version = "0.1.0"
        return self.install_answer

    def stat(self, path: str) -> Stat | None:
        path = path.rstrip("/")
        if path in self.files:
            return Stat(REGULAR, len(self.files[path]))
        if path in self._folders or any(name.startswith(path + "/") for name in self.files):
            return Stat(DIRECTORY, 4096)
        return None

    def list(self, path: str) -> list[tuple[str, Stat]]:
        path = path.rstrip("/")
        below = [name.removeprefix(path + "/") for name in self.files if name.startswith(path + "/")]
        names = dict.fromkeys(name.partition("/")[0] for name in below)
        found = ((name, self.stat(join(path, name))) for name in names)
        return [(name, stat) for name, stat in found if stat]

    def read(self, path: str) -> bytes:
        return self.files[path]

    def receive(self, path: str, so_far: int) -> None:
        self.on_receive(so_far)
        if self.full:
            raise NoSpace

    def write(self, path: str, data: bytes) -> None:
        self.files[path] = data

    # What the app does.

    def say(self, text: str, tag: str = "litebundle", level: str = "I", pid: int | None = None) -> None:
        pid = self.pid if pid is None else pid
        with self._news:
            self.log.append(f"{time.time():17.3f} {pid:5d} {pid:5d} {level} {tag}: {text}")
            self._news.notify_all()

    def finish(self, plan: dict[str, object], files: dict[str, bytes]) -> None:
        """A whole run: its files, then its marker."""
        folder = f"{RUNS}/{plan['run']}"
        self.say(f"RUN {plan['run']} STARTED")
        self.files |= {join(folder, name): data for name, data in files.items()}
        self.say(f"RUN {plan['run']} DONE {folder}/report.json")

    # Commands, as toybox and Android answer them.

    def _getprop(self, words: list[str]) -> Done:
        return Done(self.properties.get(words[0], "") + "\n")

    def _date(self, words: list[str]) -> Done:
        return Done(f"{int(time.time())}\n")

    def _mkdir(self, words: list[str]) -> Done:
        self._folders.add(words[-1])
        return Done()

    def _rm(self, words: list[str]) -> Done:
        for target in (word for word in words if not word.startswith("-")):
            for name in [name for name in self.files if name == target or name.startswith(target + "/")]:
                del self.files[name]
        return Done()

    def _chmod(self, words: list[str]) -> Done:
        return Done()

    def _mv(self, words: list[str]) -> Done:
        source, target = words[-2:]
        if source not in self.files:
            return Done(err=f"mv: bad '{source}': No such file or directory\n", code=1)
        self.files[target] = self.files.pop(source)
        return Done()

    def _sha256sum(self, words: list[str]) -> Done:
        found = [name for name in words if name in self.files]
        out = "".join(f"{hashlib.sha256(self.files[name]).hexdigest()}  {name}\n" for name in found)
        err = "".join(f"sha256sum: {name}: No such file or directory\n" for name in words if name not in found)
        return Done(out, err, 1 if err else 0)

    def _df(self, words: list[str]) -> Done:
        return Done(
            "Filesystem     1K-blocks    Used Available Use% Mounted on\n"
            f"/dev/block/dm-5 110000000 9000000 {self.free_kb}  9% /data\n"
        )

    def _pm(self, words: list[str]) -> Done:
        if self.app_version is None:
            return Done(code=1) if words[0] == "path" else Done(err="Unknown package\n", code=255)
        if words[0] == "path":
            return Done(f"package:/data/app/{PACKAGE}/base.apk\n")
        if words[0] in ("grant", "revoke"):
            self.granted = words[0] == "grant"
        return Done()

    def _dumpsys(self, words: list[str]) -> Done:
        if words[0] == "package":
            return Done(
                f"Packages:\n    versionCode=1 minSdk=26 targetSdk=35\n    versionName={self.app_version}\n"
                "    User 0: installed=true\n      runtime permissions:\n"
                f"        android.permission.CAMERA: granted={str(self.granted).lower()}, flags=[ USER_SET ]\n"
            )
        if words[0] == "thermalservice":
            status = self.thermal_status.pop(0) if len(self.thermal_status) > 1 else self.thermal_status[0]
            return Done(f"IsStatusOverride: false\nThermalEventListeners:\n\tcallbacks: 1\nThermal Status: {status}\n")
        if words[0] == "battery":
            return Done(f"Current Battery Service state:\n  level: 81\n  temperature: {self.battery_tenths}\n")
        if words[0] == "power":
            return Done(f"  mWakefulness={'Awake' if self.awake else 'Asleep'}\n  mWakefulnessChanging=false\n")
        return Done(f"Can't find service: {words[0]}\n")

    def _settings(self, words: list[str]) -> Done:
        verb, _, name, *value = words
        if verb == "put":
            self.settings[name] = value[0]
        if verb == "delete":
            self.settings.pop(name, None)
        return Done(self.settings.get(name, "null") + "\n" if verb == "get" else "")

    def _input(self, words: list[str]) -> Done:
        self.awake = {"KEYCODE_WAKEUP": True, "KEYCODE_SLEEP": False}.get(words[1], self.awake)
        return Done()

    def _wm(self, words: list[str]) -> Done:
        return Done()

    def _am(self, words: list[str]) -> Done:
        if words[0] == "force-stop":
            if self.running:
                self.say(f"[0,{self.pid},{PACKAGE},0,stop {PACKAGE}]", "am_kill", pid=900)
            self.running = False
            return Done()
        extras = {words[i + 1]: words[i + 2] for i, word in enumerate(words) if word == "--es"}
        if self.app_version is None:
            return Done("Error type 3\nError: Activity class does not exist.\n", code=1)
        assert extras.get("bundle", extras["plan"]) in self.files, "the bundle must be there before the app starts"
        self.running = True
        self.pid += 1
        plan = json.loads(self.files[extras["plan"]])
        threading.Thread(target=self.behave, args=(self, plan), daemon=True).start()
        return Done(
            "Starting: Intent { cmp=org.litebundle.sample/.RunActivity }\nStatus: ok\nTotalTime: 312\nComplete\n"
        )

    def _log(self, words: list[str]) -> Done:
        self.say(words[-1], tag=words[words.index("-t") + 1], pid=800)
        return Done()

    def _pidof(self, words: list[str]) -> Done:
        return Done(f"{self.pid}\n") if self.running else Done(code=1)

    def _logcat(self, since: float, console: Console) -> Done:
        for place in count():
            with self._news:
                while len(self.log) <= place:
                    self._news.wait(0.2)
                    if console.closed:
                        return Done()
            if float(self.log[place].split()[0]) >= since:
                console.print(self.log[place] + "\n")
        return Done()
