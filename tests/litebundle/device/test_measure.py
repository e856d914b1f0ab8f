"""`litebundle device run` and `pull`, over the real adb client, and what may go wrong on the way."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from litebundle.bundle import Bundle
from litebundle.bundle.layout import alignment
from litebundle.bundle.zip_writer import write_zip
from litebundle.device import adb as driver
from litebundle.device import log, pull, run, states
from litebundle.device.alone import alone
from litebundle.device.push import FOLDER
from tests.litebundle.device import recordings, runs
from tests.litebundle.device.adbd import Done
from tests.litebundle.device.phone import PACKAGE, RUNS

SCHEMAS = Path(__file__).parents[3] / "docs" / "cli"


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    monkeypatch.setattr(log, "_QUIET_S", 0.1)
    monkeypatch.setattr(log, "_PAUSE_S", 0.05)
    monkeypatch.setattr(run, "_PATIENCE_S", 20.0)
    monkeypatch.setattr(states, "_LOOK_AGAIN_S", 0.05)


@pytest.fixture
def identity(bundle) -> dict[str, str]:
    with Bundle.open(bundle) as opened:
        digest = hashlib.sha256(opened.read("manifest.json")).hexdigest()
    return {"name": "colours", "version": "1.2.0", "digest": digest}


@pytest.fixture
def measuring(identity):
    """An app that measures 80 ms or so; a plan of `changes` to its reports."""

    def make(**changes):
        def behave(phone, plan):
            seed = int(plan["run"][-2:])
            phone.finish(plan, runs.files(plan["run"], runs.latencies(seed), **{"bundle": identity} | changes))

        return behave

    return make


@pytest.fixture
def measure(litebundle, bundle, tmp_path):
    def call(*arguments: object, seconds: int = 1, restarts: int = 1):
        out = tmp_path / "out"
        return litebundle("device", "run", bundle, "-o", out, "--seconds", seconds, "--restarts", restarts, *arguments)

    return call


def wait_until_followed(phone) -> None:
    while not any(words[0] == "logcat" for words in phone.commands):
        time.sleep(0.02)
    time.sleep(0.1)


def assert_given_back(phone) -> None:
    assert phone.settings["stay_on_while_plugged_in"] == "0"
    assert not phone.running
    left = [name for name in phone.files if name.startswith(FOLDER) and not name.endswith(".litebundle")]
    assert left == []


def started(phone) -> list[str]:
    return next(words for words in phone.commands if words[:2] == ["am", "start"])


def test_a_run_of_three_restarts(measure, daemon, phone, measuring, tmp_path, bundle) -> None:
    phone.behave = measuring(requirements=[{"name": "capture_to_display_p90_ms", "limit": 150.0, "measured": 90.0,
                                      "low": 89.0, "high": 91.0, "verdict": "pass"}])  # fmt: skip
    answer = measure("--json", restarts=3)
    assert answer.code == 0, answer.err
    jsonschema.validate(answer.json, json.loads((SCHEMAS / "device-run.schema.json").read_text()))
    gate = answer.json["gate"]
    assert (gate["outcome"], len(gate["restarts"])) == ("pass", 3)
    folders = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert folders == [*(restart["run"] for restart in gate["restarts"]), "report.html"]
    for folder in folders[:-1]:
        on_phone = {name: data for name, data in phone.files.items() if name.startswith(f"{RUNS}/{folder}/")}
        here = {f"{RUNS}/{folder}/{path.name}": path.read_bytes() for path in (tmp_path / "out" / folder).iterdir()}
        assert here == on_phone
    assert [words for words in phone.commands if words[0] == "am"].count(["am", "force-stop", PACKAGE]) == 4
    assert_given_back(phone)


def test_the_app_is_started_with_names_that_need_no_quotes(measure, daemon, phone, measuring) -> None:
    plans = []
    behave = measuring()
    phone.behave = lambda phone, plan: (plans.append(plan), behave(phone, plan))
    measure(seconds=7)
    words = started(phone)
    assert words[:5] == ["am", "start", "-W", "-n", f"{PACKAGE}/.RunActivity"]
    extras = {words[i + 1]: words[i + 2] for i, word in enumerate(words) if word == "--es"}
    assert set(extras) == {"bundle", "plan"}
    assert all(path.startswith(FOLDER) and shlex.quote(path) == path for path in extras.values())
    (plan,) = plans
    assert plan | {"run": ""} == {"format_version": "1.0", "run": "", "kind": "live", "seconds": 7, "recording": None}


def write_recording(folder: Path, *seconds: float) -> Path:
    """A folder, as RecordingWriter leaves it, of frames at these times."""
    frames = [recordings.frame(i, round(each * 1e9)) for i, each in enumerate(seconds)]
    (folder / "frames").mkdir(parents=True)
    for frame in frames:
        (folder / frame["file"]).write_bytes(os.urandom(recordings.FRAME_BYTES))
    (folder / "recording.json").write_text(json.dumps(recordings.index(frames)), encoding="utf-8")
    return folder


def zipped(folder: Path, **changes: Any) -> Path:
    """In the layout of docs/recording.md, or as zipfile makes it with `changes`."""
    names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    target = folder.with_suffix(".zip")
    with target.open("wb") as file:
        if not changes:
            write_zip(file, names, alignment)
            return target
        with zipfile.ZipFile(file, "w", **changes) as archive:
            for name, path in names.items():
                archive.write(path, name)
    return target


@pytest.mark.parametrize("form", [zipped, lambda folder: folder])
def test_a_replay_has_its_recording(measure, daemon, phone, measuring, tmp_path, form) -> None:
    folder = write_recording(tmp_path / "녹화", 7.0, 7.5, 8.0)
    plans = []
    behave = measuring()

    def replay(phone, plan):
        plans.append(plan | {"data": phone.files[plan["recording"]]})
        behave(phone, plan)

    phone.behave = replay
    answer = measure("--kind", "replay", "--recording", form(folder))
    assert answer.code == 1, "one restart decides nothing"
    assert plans[0]["data"] == zipped(folder).read_bytes()


def test_a_recording_belongs_to_a_replay_and_no_other_run(measure, daemon, tmp_path) -> None:
    recording = write_recording(tmp_path / "recording", 1.0)
    for arguments, words in (
        (("--kind", "replay"), "give them with --recording FOLDER"),
        (("--kind", "live", "--recording", recording), "--kind live takes none; leave it out"),
    ):
        answer = measure(*arguments)
        assert answer.code == 2
        assert words in answer.err


def test_a_replay_is_waited_for_as_long_as_its_recording_is(measure, daemon, phone, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(run, "_PATIENCE_S", 0.0)
    recording = write_recording(tmp_path / "long", 100.0, 100.4, 102.25)
    answer = measure("--kind", "replay", "--recording", recording, seconds=1)
    assert answer.code == 2
    assert "no result within 2.25 s" in answer.err


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_bytes(os.urandom(1000)), "it does not end as a zip does"),
        (lambda path: None, "no such recording; give the folder"),
        (lambda path: path.mkdir(), "there is no recording.json in it"),
        (lambda path: write_recording(path), "or there are none; record again"),
        (lambda path: (write_recording(path, 1.0) / ".hidden").touch(), "file '.hidden'"),
        (
            lambda path: (write_recording(path, 1.0) / "recording.json").write_text("{"),
            "breaks the schema of a recording",
        ),
        (lambda path: write_recording(path, 2.0, 1.0), "not in the order of their times"),
        (
            lambda path: (write_recording(path, 1.0) / "frames/000000.yuv").write_bytes(b"short"),
            "has 5 bytes, not the 6",
        ),
        (lambda path: (write_recording(path, 1.0) / "frames/000000.yuv").unlink(), "'frames/000000.yuv' is missing"),
    ],
)
def test_what_is_no_recording_is_told_before_anything_is_sent(measure, daemon, phone, tmp_path, make, words) -> None:
    make(tmp_path / "recording")
    answer = measure("--kind", "replay", "--recording", tmp_path / "recording")
    assert answer.code == 2
    assert f"error: {tmp_path / 'recording'}: " in answer.err and words in answer.err
    assert phone.files == {}


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_of_another_layout_is_told_before_anything_is_sent(measure, daemon, phone, tmp_path, compression) -> None:
    recording = zipped(write_recording(tmp_path / "recording", 1.0), compression=compression)
    answer = measure("--kind", "replay", "--recording", recording)
    assert answer.code == 2
    assert f"error: {recording}: no recording (" in answer.err and "give the folder" in answer.err
    assert phone.files == {}


@pytest.mark.parametrize("granted", [True, False])
def test_the_camera_is_allowed_for_the_run_and_left_as_it_was(measure, daemon, phone, measuring, granted) -> None:
    phone.granted = granted
    seen = []
    behave = measuring()
    phone.behave = lambda phone, plan: (seen.append(phone.granted), behave(phone, plan))
    measure()
    assert seen == [True]
    assert phone.granted == granted


def test_a_setting_that_cannot_be_read_is_left_alone(measure, daemon, phone) -> None:
    phone.failing["settings"] = Done(err="cmd: Failure calling service settings: Broken pipe (32)\n", code=224)
    answer = measure()
    assert answer.code == 2
    assert "stay_on_while_plugged_in cannot be read (cmd: Failure" in answer.err
    assert not any(words[:2] in (["settings", "put"], ["am", "start"]) for words in phone.commands)


def test_a_log_that_ends_at_once_is_told_as_such(measure, daemon, phone) -> None:
    phone.failing["logcat"] = Done(err="logcat: Unable to open log device 'main'\n", code=1)
    answer = measure()
    assert answer.code == 2
    assert "ends as soon as it is opened (logcat: Unable to open log device 'main')" in answer.err
    assert len([words for words in phone.commands if words[0] == "logcat"]) == 5
    assert_given_back(phone)


def test_states_are_restored_to_what_they_were(measure, daemon, phone, measuring) -> None:
    phone.awake = False
    del phone.settings["stay_on_while_plugged_in"]
    seen = []
    behave = measuring()
    phone.behave = lambda phone, plan: (
        seen.append((phone.awake, phone.settings.get("stay_on_while_plugged_in"))),
        behave(phone, plan),
    )
    measure()
    assert seen == [(True, "7")]
    assert not phone.awake
    assert "stay_on_while_plugged_in" not in phone.settings


def test_a_state_that_cannot_be_restored_is_told_with_the_way(measure, daemon, phone, measuring) -> None:
    behave = measuring()

    def lock_settings(phone, plan):
        behave(phone, plan)
        phone.failing["settings"] = Done(err="cmd: Can't find service: settings\n", code=20)

    phone.behave = lock_settings
    later = f"later: adb -s {daemon.serial} shell settings put global stay_on_while_plugged_in 0"
    assert f"not restored (cmd: Can't find service: settings); {later}" in measure().err


def test_a_second_interrupt_tells_what_it_left(daemon, phone, monkeypatch) -> None:
    told = []

    def interrupt(*words, **others):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), states.ready(driver.Adb(daemon.serial), told.append):
        monkeypatch.setattr(driver.Adb, "shell", interrupt)
    assert [line.partition(" shell ")[2] for line in told] == [
        f"am force-stop {PACKAGE}",
        f"pm revoke {PACKAGE} android.permission.CAMERA",
        "settings put global stay_on_while_plugged_in 0",
    ]


def test_one_command_at_a_time_uses_a_phone(litebundle, measure, daemon, phone, tmp_path, bundle) -> None:
    with alone(driver.Adb(daemon.serial)):
        commands = list(phone.commands)
        answers = [measure(), litebundle("device", "push", bundle), litebundle("device", "pull", "late-01")]
    for answer in answers:
        assert answer.code == 2
        assert f"device {daemon.serial!r}: another 'litebundle device' uses it; wait" in answer.err
    assert phone.commands == commands
    assert litebundle("device", "push", bundle).code == 0


def test_runs_that_begin_in_one_second_have_folders_of_their_own(
    litebundle, daemon, phone, measuring, bundle, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(time, "strftime", lambda *format_and_time: "20260101-000000")
    monkeypatch.chdir(tmp_path)
    phone.behave = measuring()
    for _ in range(2):
        assert litebundle("device", "run", bundle, "--restarts", 1).code == 1
    assert len(list(Path("runs").iterdir())) == 2


def test_a_missed_budget_is_told_and_everything_is_written(measure, daemon, phone, measuring, tmp_path) -> None:
    phone.behave = measuring(requirements=[{"name": "capture_to_display_p90_ms", "limit": 50.0, "measured": 90.0,
                                      "low": 89.0, "high": 91.0, "verdict": "fail"}])  # fmt: skip
    answer = measure(restarts=3)
    assert answer.code == 1
    assert "capture_to_display_p90_ms: fail" in answer.out and answer.out.endswith("fell short\n")
    assert (tmp_path / "out/report.html").is_file()


def test_void_numbers_are_told(measure, daemon, phone, measuring) -> None:
    phone.behave = measuring(verdict={"state": "refused", "reasons": [{"code": "debuggable_build", "text": "it is"}]})
    answer = measure(restarts=3)
    assert answer.code == 1
    assert "\ndebuggable_build: it is\n" in answer.out
    assert answer.out.endswith("refused: the numbers are void\n")


def test_against_an_earlier_run(measure, daemon, phone, measuring, tmp_path) -> None:
    for seed in range(50, 53):
        runs.write(tmp_path / "then", f"then-{seed}", runs.latencies(seed, p50_ms=40))
    phone.behave = measuring(bundle=runs.EXAMPLE["bundle"])
    answer = measure("--against", tmp_path / "then", restarts=3)
    assert answer.code == 2, "another bundle's report"
    assert "the app ran another bundle" in answer.err
    answer = measure("--against", tmp_path / "none")
    assert answer.code == 2
    assert "give what 'device run' wrote" in answer.err


def test_worse_than_an_earlier_run(measure, daemon, phone, measuring, identity, tmp_path) -> None:
    for seed in range(50, 53):
        runs.write(tmp_path / "then", f"then-{seed}", runs.latencies(seed, p50_ms=40), bundle=identity)
    phone.behave = measuring()
    answer = measure("--against", tmp_path / "then", restarts=3)
    assert answer.code == 1, answer.err
    assert f"against {tmp_path / 'then'}: worse" in answer.out


def test_a_hot_phone_is_waited_for(measure, daemon, phone, measuring) -> None:
    phone.thermal_status = [2, 1, 0]
    phone.behave = measuring()
    answer = measure()
    assert answer.code == 1, answer.err
    assert answer.err.count("waiting for the phone to cool") == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda phone: setattr(phone, "thermal_status", [3]), "thermal status is 3, severe, and must be 0"),
        (lambda phone: setattr(phone, "battery_tenths", 431), "battery has 43.1 °C, at most 40 °C"),
        (lambda phone: phone.settings.update(low_power="1"), "battery saver is on"),
        (lambda phone: setattr(phone, "app_version", None), "not installed; run 'litebundle device install APK'"),
        (lambda phone: phone.failing.update(pm=Done(err="SecurityException\n", code=255)), "not installed"),
    ],
)
def test_a_phone_that_cannot_measure_is_told_before_anything_is_sent(measure, daemon, phone, change, words) -> None:
    change(phone)
    answer = measure("--cool-down", "0")
    assert answer.code == 2
    assert words in answer.err
    assert phone.files == {} and not any(words[:2] == ["am", "start"] for words in phone.commands)


def crash(phone, plan):
    phone.say(f"RUN {plan['run']} STARTED")
    phone.say("FATAL EXCEPTION: main", "AndroidRuntime", "E")
    phone.say(f"Process: {PACKAGE}, PID: {phone.pid}", "AndroidRuntime", "E")
    phone.say("java.lang.IllegalStateException: no surface", "AndroidRuntime", "E")
    phone.running = False


def native_crash(phone, plan):
    phone.say(f"[0,{phone.pid},{PACKAGE},948485188,Native crash,Segmentation fault,unknown,0]", "am_crash", pid=900)
    phone.running = False


def killed(phone, plan):
    phone.say(f"[0,{phone.pid},{PACKAGE},0,low memory]", "am_kill", pid=900)
    phone.running = False


def vanish(phone, plan):
    phone.running = False


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (crash, "the app crashed: java.lang.IllegalStateException: no surface"),
        (native_crash, "the app crashed: Native crash: Segmentation fault"),
        (killed, "the system ended the app (0 low memory)"),
        (vanish, "the app is gone, without a word"),
        (lambda phone, plan: phone.say(f"RUN {plan['run']} REFUSED file 'a' has another digest"),
         "the app refused the bundle or the plan: file 'a' has another digest"),
        (lambda phone, plan: phone.say("RUN - REFUSED the plan is no JSON"), "the plan is no JSON"),
        (lambda phone, plan: phone.say(f"RUN {plan['run']} FAILED no room"), "the app could not finish: no room"),
    ],
)  # fmt: skip
def test_a_run_that_ends_without_a_result(measure, daemon, phone, behave, words, tmp_path) -> None:
    phone.behave = behave
    answer = measure()
    assert answer.code == 2
    assert "error: run " in answer.err and words in answer.err
    assert list((tmp_path / "out").iterdir()) == []
    assert_given_back(phone)


def test_other_runs_and_other_apps_are_not_listened_to(measure, daemon, phone, measuring) -> None:
    behave = measuring()

    def among_others(phone, plan):
        phone.log.insert(0, phone.log[-1].replace(f"RUN {plan['run']} ORDERED", "RUN - REFUSED long ago"))
        phone.say("RUN earlier FAILED long ago")
        phone.say("FATAL EXCEPTION: main", "AndroidRuntime", "E", pid=77)
        phone.say("Process: com.example.other, PID: 77", "AndroidRuntime", "E", pid=77)
        phone.say("java.lang.Error: theirs", "AndroidRuntime", "E", pid=77)
        phone.say("[0,77,com.example.other,0,Native crash,x,y,0]", "am_crash", pid=900)
        phone.say("a line like no other \udcff".encode("utf-8", "surrogateescape").decode("latin-1"))
        behave(phone, plan)

    phone.behave = among_others
    assert measure().code == 1


def test_silence_has_a_deadline(measure, daemon, phone, monkeypatch) -> None:
    monkeypatch.setattr(run, "_PATIENCE_S", 0.0)
    answer = measure()
    assert answer.code == 2
    assert "no result within 1 s; unlock the phone" in answer.err
    assert_given_back(phone)


def test_an_app_that_does_not_start(measure, daemon, phone) -> None:
    phone.failing["am"] = Done("Error type 3\nError: Activity class does not exist.\n", code=1)
    answer = measure()
    assert answer.code == 2
    assert "the app does not start" in answer.err
    assert phone.settings["stay_on_while_plugged_in"] == "0"


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("report.json", lambda data: data[:300], "incomplete, its JSON is cut off"),
        (
            "report.json",
            lambda data: data.replace(b'"1.0"', b'"2.0"'),
            "breaks the schema of a report at format_version",
        ),
        ("samples.csv", lambda data: data[: len(data) // 2], "incomplete, its samples are cut off"),
        ("samples.csv", None, "incomplete, there are no samples"),
    ],
)
def test_an_incomplete_result_is_not_taken(measure, daemon, phone, identity, file, change, words, tmp_path) -> None:
    def behave(phone, plan):
        files = runs.files(plan["run"], runs.latencies(0), bundle=identity)
        data = files.pop(file)
        phone.finish(plan, files | ({file: change(data)} if change else {}))

    phone.behave = behave
    answer = measure()
    assert answer.code == 2
    assert f": {RUNS}/" in answer.err and str(tmp_path) not in answer.err, "it lies on the phone alone"
    assert words in answer.err
    assert list((tmp_path / "out").iterdir()) == []
    assert_given_back(phone)


def test_a_cable_that_was_out_for_a_moment_does_no_harm(measure, daemon, phone, measuring, monkeypatch) -> None:
    monkeypatch.setattr(driver, "RETURN_S", 20.0)
    behave = measuring()

    def cut(phone, plan):
        phone.say(f"RUN {plan['run']} STARTED")
        wait_until_followed(phone)
        daemon.drop()
        behave(phone, plan)

    phone.behave = cut
    answer = measure()
    assert answer.code == 1, answer.err
    assert "waiting for the phone" in answer.err
    assert_given_back(phone)


def test_a_phone_that_restarts_in_mid_run(measure, daemon, phone, monkeypatch) -> None:
    monkeypatch.setattr(driver, "RETURN_S", 20.0)

    def restart(phone, plan):
        wait_until_followed(phone)
        phone.settings["boot_count"] = "13"
        phone.running = False
        daemon.drop()

    phone.behave = restart
    answer = measure()
    assert answer.code == 2
    assert "it was restarted during the run" in answer.err
    assert_given_back(phone)


def test_a_phone_that_goes_away_in_mid_run(measure, daemon, phone) -> None:
    def leave(phone, plan):
        wait_until_followed(phone)
        daemon.drop(for_good=True)

    phone.behave = leave
    answer = measure()
    assert answer.code == 2
    assert "it went away during the run" in answer.err and "litebundle device pull" in answer.err
    assert "not restored, the phone is gone; later: adb -s" in answer.err


def test_a_full_folder_is_not_written_into(measure, daemon, phone, tmp_path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_text("mine")
    answer = measure()
    assert answer.code == 2
    assert "give -o another place" in answer.err
    assert phone.files == {}


def test_a_place_that_cannot_be_written_is_told_before_measuring(litebundle, daemon, phone, bundle, tmp_path) -> None:
    (tmp_path / "file").write_text("mine")
    phone.thermal_status = [3]
    answer = litebundle("device", "run", bundle, "-o", tmp_path / "file/out", "--seconds", 1)
    assert answer.code == 2
    assert "cool" not in answer.err
    assert "give another place" in answer.err and "Traceback" not in answer.err
    assert phone.files == {} and not any(words[:2] == ["am", "start"] for words in phone.commands)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupting_gives_the_phone_back(daemon, phone, bundle, tmp_path, adb_environment, ending) -> None:
    words = [sys.executable, "-m", "litebundle", "device", "run", str(bundle), "-o", str(tmp_path / "out")]
    started = []
    phone.behave = lambda phone, plan: started.append(plan)
    process = subprocess.Popen(words, env=os.environ | adb_environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not started and time.monotonic() < deadline:
        time.sleep(0.05)
    assert started
    process.send_signal(ending)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in err and "Traceback" not in err
    assert_given_back(phone)


def test_pull_fetches_a_run_that_is_still_there(litebundle, daemon, phone, tmp_path) -> None:
    data = runs.files("late-01", runs.latencies(0))
    phone.files |= {f"{RUNS}/late-01/{name}": content for name, content in data.items()}
    answer = litebundle("device", "pull", "late-01", "-o", tmp_path / "late", "--json")
    jsonschema.validate(answer.json, json.loads((SCHEMAS / "device-pull.schema.json").read_text()))
    assert answer.code == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "late").iterdir()} == data
    assert f"{RUNS}/late-01/report.json" in phone.files


@pytest.mark.parametrize("name", ["none", "../../secret", "a b", ""])
def test_pull_of_no_such_run(litebundle, daemon, phone, tmp_path, name) -> None:
    answer = litebundle("device", "pull", name, "-o", tmp_path / "late")
    assert answer.code == 2
    assert repr(name) in answer.err and "correct" in answer.err
    assert list(tmp_path.glob("*late*")) == []


def test_pull_leaves_what_is_there(litebundle, daemon, phone, tmp_path, monkeypatch) -> None:
    phone.files |= {f"{RUNS}/late-01/{name}": data for name, data in runs.files("late-01", runs.latencies(0)).items()}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/work").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    monkeypatch.chdir(tmp_path / "mine")
    before = sorted(tmp_path.rglob("*"))
    for target in (".", "..", tmp_path / "mine", tmp_path / "mine/work", tmp_path / "link"):
        answer = litebundle("device", "pull", "late-01", "-o", target)
        assert answer.code == 2
        assert f"error: {target}: it is there already" in answer.err and "give -o a new folder" in answer.err
    answer = litebundle("device", "pull", "late-01", "-o", "work/late")
    assert answer.code == 2
    assert "error: work: " in answer.err and "Traceback" not in answer.err
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "mine/work").read_text() == "mine"


def test_pull_begins_again_after_the_cable_was_out(litebundle, daemon, phone, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(driver, "RETURN_S", 20.0)
    data = runs.files("late-01", runs.latencies(0))
    phone.files |= {f"{RUNS}/late-01/{name}": content for name, content in data.items()}
    asked = []

    def cut_once(path):
        asked.append(path)
        if len(asked) == 2:
            daemon.drop()
        return phone.files[path]

    phone.read = cut_once
    answer = litebundle("device", "pull", "late-01", "-o", tmp_path / "late")
    assert answer.code == 0, answer.err
    assert {path.name: path.read_bytes() for path in (tmp_path / "late").iterdir()} == data


def test_an_interrupted_pull_leaves_nothing(daemon, phone, tmp_path, monkeypatch) -> None:
    phone.files |= {f"{RUNS}/late-01/{name}": data for name, data in runs.files("late-01", runs.latencies(0)).items()}

    def interrupt(folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(pull, "read_run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        pull.pull_run(driver.Adb(daemon.serial), f"{RUNS}/late-01", tmp_path / "결과")
    assert list(tmp_path.iterdir()) == []


def test_pull_notices_other_bytes(litebundle, daemon, phone, tmp_path) -> None:
    data = runs.files("late-01", runs.latencies(0))
    phone.files |= {f"{RUNS}/late-01/{name}": content for name, content in data.items()}
    phone.read = lambda path: phone.files[path].replace(b"presented", b"PRESENTED")
    answer = litebundle("device", "pull", "late-01", "-o", tmp_path / "late")
    assert answer.code == 2
    assert "other bytes arrived" in answer.err
    assert list(tmp_path.glob("*late*")) == []
