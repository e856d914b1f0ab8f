"""`litebundle device record`, over the real adb client: what arrives is a recording, or nothing is there."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from litebundle.device import log, run
from litebundle.device import record as verb
from litebundle.device.adb import Adb, DeviceError
from litebundle.device.install import RECORDINGS
from litebundle.device.push import FOLDER
from litebundle.device.recorded import RecordingIndex, read_recording
from litebundle.device.recording import opened
from tests.litebundle.device import recordings
from tests.litebundle.device.phone import PACKAGE

DOCS = Path(__file__).parents[3] / "docs"
SCHEMA = json.loads((DOCS / "recording.schema.json").read_text(encoding="utf-8"))
FRAMES = 130
LOST = 7


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    monkeypatch.setattr(log, "_QUIET_S", 0.1)
    monkeypatch.setattr(log, "_PAUSE_S", 0.05)
    monkeypatch.setattr(run, "_PATIENCE_S", 20.0)


def index() -> dict[str, Any]:
    return recordings.index([frame(i) for i in range(FRAMES)])


def frame(i: int) -> dict[str, Any]:
    return recordings.frame(i, 10**9 + i * 33_333_333, is_lost=i == LOST)


def recording(changed: dict[str, Any] | None = None) -> dict[str, bytes]:
    """File name -> content."""
    pictures = {f"frames/{i:06d}.yuv": bytes([i] * 6) for i in range(FRAMES) if i != LOST}
    return pictures | {"recording.json": json.dumps(changed or index()).encode()}


def recording_app(files: dict[str, bytes]) -> Callable[..., None]:
    def behave(phone, plan):
        folder = f"{RECORDINGS}/{plan['run']}"
        phone.say(f"RUN {plan['run']} STARTED")
        phone.files |= {f"{folder}/{name}": data for name, data in files.items()}
        phone.say(f"RUN {plan['run']} DONE {folder}/recording.json")

    return behave


def assert_given_back(phone) -> None:
    assert phone.settings["stay_on_while_plugged_in"] == "0"
    assert not phone.running and not phone.granted
    assert [name for name in phone.files if name.startswith((FOLDER, RECORDINGS))] == []


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_recording_arrives_whole_and_leaves_the_phone(litebundle, daemon, phone, tmp_path) -> None:
    files = recording()
    plans = []
    phone.behave = lambda phone, plan: (plans.append(plan), recording_app(files)(phone, plan))
    out = tmp_path / "녹화/책상 $(a)"
    answer = litebundle("device", "record", "-o", out, "--seconds", 4, "--json")
    assert answer.code == 0, answer.err
    schema = json.loads((DOCS / "cli/device-record.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(answer.json, schema)
    assert answer.json["frames"] == FRAMES and answer.json["lost"] == 1
    assert answer.json["size_bytes"] == 6 * (FRAMES - 1)
    assert contents(out) == files
    jsonschema.validate(json.loads(files["recording.json"]), SCHEMA)
    (plan,) = plans
    assert plan | {"run": ""} == {"format_version": "1.0", "run": "", "kind": "record", "seconds": 4, "recording": None}
    words = next(words for words in phone.commands if words[:2] == ["am", "start"])
    assert "bundle" not in words
    assert_given_back(phone)
    with opened(out) as replayed:
        assert replayed.duration_s == answer.json["duration_s"] == pytest.approx((FRAMES - 1) / 30)


def test_frames_without_a_picture_are_told(litebundle, daemon, phone, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    phone.behave = recording_app(recording())
    answer = litebundle("device", "record")
    assert answer.code == 0, answer.err
    assert f"{FRAMES} frames in 4.3 s, 1 of them without a picture" in answer.out
    (made,) = (tmp_path / "recordings").iterdir()
    assert answer.out.startswith(str(made.relative_to(tmp_path)))


def test_a_place_that_is_taken_is_refused_before_the_camera_is_asked(litebundle, daemon, phone, tmp_path) -> None:
    (tmp_path / "mine").mkdir()
    answer = litebundle("device", "record", "-o", tmp_path / "mine")
    assert answer.code == 2
    assert "it is there already" in answer.err
    assert not any(words[:2] == ["am", "start"] for words in phone.commands)


def without(name: str) -> dict[str, bytes]:
    files = recording()
    del files[name]
    return files


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (without("recording.json"), "one that was cut off"),
        (without("frames/000003.yuv"), "file 'frames/000003.yuv' is missing"),
        (recording() | {"frames/x.yuv": b"123456"}, "file 'frames/x.yuv' does not belong to it"),
        (recording() | {"frames/000003.yuv": b"12345"}, "has 5 bytes, not the 6 of a frame"),
        (recording() | {"recording.json": b'{"frames": ['}, "breaks the schema of a recording at its begin"),
        (recording(index() | {"frame_bytes": 0}), "breaks the schema of a recording at frame_bytes"),
        (recording(index() | {"frames": []}), "not in the order of their times"),
        (recording(index() | {"frames": [frame(1), frame(0)]}), "not in the order of their times"),
        (recording(index() | {"frames": [frame(0) | {"image_available_ns": None}]}), "has a file and no image"),
    ],
)
def test_what_is_no_recording_is_not_taken(litebundle, daemon, phone, tmp_path, files, words) -> None:
    phone.behave = recording_app(files)
    answer = litebundle("device", "record", "-o", tmp_path / "out")
    assert answer.code == 2
    assert words in answer.err and str(tmp_path) not in answer.err
    assert list(tmp_path.iterdir()) == []
    assert_given_back(phone)


def test_other_bytes_in_one_of_many_pictures_are_noticed(litebundle, daemon, phone, tmp_path) -> None:
    phone.behave = recording_app(recording())
    phone.read = lambda path: b"zzzzzz" if path.endswith("000120.yuv") else phone.files[path]
    answer = litebundle("device", "record", "-o", tmp_path / "out")
    assert answer.code == 2
    assert "000120.yuv: other bytes arrived" in answer.err
    assert list(tmp_path.iterdir()) == []


def test_a_camera_that_fails_leaves_nothing(litebundle, daemon, phone, tmp_path) -> None:
    def fail(phone, plan):
        phone.files[f"{RECORDINGS}/{plan['run']}/frames/000000.yuv"] = b"123456"
        phone.say(f"RUN {plan['run']} FAILED another app took the camera")

    phone.behave = fail
    answer = litebundle("device", "record", "-o", tmp_path / "out")
    assert answer.code == 2
    assert "the app could not finish: another app took the camera" in answer.err
    assert list(tmp_path.iterdir()) == []
    assert_given_back(phone)


def test_an_interrupted_recording_stops_the_app_before_its_files_are_removed(daemon, phone, tmp_path) -> None:
    def cut(phone, plan):
        phone.files[f"{RECORDINGS}/{plan['run']}/frames/000000.yuv"] = b"123456"
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    phone.behave = cut
    with pytest.raises(KeyboardInterrupt):
        verb.record(Adb(daemon.serial), 5, tmp_path / "out", lambda text: None)
    assert list(tmp_path.iterdir()) == []
    assert_given_back(phone)
    ends = [words for words in phone.commands if words[:2] == ["am", "force-stop"] or words[:2] == ["rm", "-rf"]]
    assert ends[-3][:2] == ["am", "force-stop"] and ends[-2][:2] == ["rm", "-rf"]
    assert ends[-1] == ["am", "force-stop", PACKAGE]


def test_the_schema_and_the_reader_agree(tmp_path) -> None:
    def breaks(change: Callable[[Any], None]) -> tuple[bool, bool]:
        document = deepcopy(index())
        change(document)
        (tmp_path / "recording.json").write_text(json.dumps(document), encoding="utf-8")
        by_schema = not jsonschema.Draft202012Validator(SCHEMA).is_valid(document)
        try:
            RecordingIndex.model_validate_json((tmp_path / "recording.json").read_bytes())
        except ValueError:
            return by_schema, True
        return by_schema, False

    def put(*path: Any, value: object) -> Callable[[Any], None]:
        def change(document: Any) -> None:
            for key in path[:-1]:
                document = document[key]
            document[path[-1]] = value

        return change

    for key in index():
        assert breaks(lambda document, key=key: document.pop(key)) == (True, True), key
    for key in frame(0):
        assert breaks(lambda document, key=key: document["frames"][0].pop(key)) == (True, True), key
    wrong = {
        ("width",): (0, (1 << 14) + 1, "2"),
        ("standard",): ("bt2020",),
        ("range",): ("half",),
        ("sensor_orientation_deg",): (45, "90"),
        ("sensor_clock", "domain"): ("wall",),
        ("sensor_clock", "offset_low_ns"): (None, 0.5),
        ("planes", "u", "offset"): (-1,),
        ("planes", "u", "row_stride"): (0,),
        ("frames", 0, "exposure_ns"): (-1, 1 << 40),
        ("frames", 0, "file"): (5,),
        ("format_version",): ("2.0", "1"),
    }
    for path, values in wrong.items():
        for value in values:
            assert breaks(put(*path, value=value)) == (True, True), (path, value)
    assert breaks(put("sensor_clock", value={"domain": "undecided"})) == (False, False)
    assert breaks(put("later", value=1)) == (False, False)


def test_a_folder_that_is_none(tmp_path) -> None:
    with pytest.raises(DeviceError, match="cut off"):
        read_recording(tmp_path)
