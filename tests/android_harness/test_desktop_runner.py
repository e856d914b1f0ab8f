"""The desktop runner as users start it. `make harness` runs these after Maven."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from litebundle.bundle.zip_writer import write_zip
from litebundle.device.recorded import read_recording

ROOT = Path(__file__).parents[2]
RUNNER = ROOT / "android_harness/cli/litebundle-harness"
FILES = ("report.json", "report.txt", "samples.csv", "trace.perfetto-trace")
BUNDLE = ROOT / "dist/formula_scan-0.1.0.litebundle"


@pytest.fixture(autouse=True, scope="module")
def runner(built: Callable[[Path], Path]) -> None:
    built(RUNNER.with_name("target") / "lib")
    built(BUNDLE)


def _run(*words: str | Path, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*prefix, str(RUNNER), *map(str, words)], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "recording"
    made = _run("make-recording", BUNDLE, folder)
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture(scope="module")
def short(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its first two seconds: enough to compare, and for files that a disk may have no room for."""
    folder = tmp_path_factory.mktemp("short") / "recording"
    (folder / "frames").mkdir(parents=True)
    index = json.loads((recording / "recording.json").read_text(encoding="utf-8"))
    index["frames"] = index["frames"][:60]
    for frame in index["frames"]:
        (folder / frame["file"]).hardlink_to(recording / frame["file"])
    (folder / "recording.json").write_text(json.dumps(index), encoding="utf-8")
    return folder


@pytest.fixture
def costs(tmp_path: Path) -> Path:
    cost = {"pre_ms": 0, "run_ms": 1, "post_ms": 0}
    stages = dict.fromkeys(("locate", "orient", "encode", "decode"), cost)
    path = tmp_path / "costs.json"
    path.write_text(json.dumps({"format_version": "1.0", "refresh_hz": 60, "convert_ms": 0, "stages": stages}))
    return path


def test_a_made_recording_fits_the_schema(recording: Path) -> None:
    schema = json.loads((ROOT / "docs/recording.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    index = json.loads((recording / "recording.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(index)
    assert len(index["frames"]) == 300
    files = {path.relative_to(recording).as_posix() for path in recording.rglob("*.yuv")}
    assert files == {frame["file"] for frame in index["frames"]}
    assert read_recording(recording).frames == 300


def test_a_zipped_recording_replays_as_its_folder_does(short: Path, costs: Path, tmp_path: Path) -> None:
    packed = tmp_path / "recording.zip"
    names = {path.relative_to(short).as_posix(): path for path in short.rglob("*") if path.is_file()}
    with packed.open("wb") as file:
        write_zip(file, names, lambda name: 4)
    for source, out in ((short, "folder"), (packed, "zip")):
        replayed = _run("replay", BUNDLE, source, "--out", tmp_path / out / "run", "--costs", costs)
        assert replayed.returncode == 0, replayed.stderr
    for name in FILES:
        assert (tmp_path / "folder/run" / name).read_bytes() == (tmp_path / "zip/run" / name).read_bytes()


def test_a_disk_that_fills_up_leaves_nothing_half_visible(short: Path, costs: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    limited = ("bash", "-c", 'ulimit -f 64; exec "$@"', "limited")
    full = _run("replay", BUNDLE, short, "--out", out, "--costs", costs, prefix=limited)
    assert full.returncode == 2 and full.stderr.splitlines()[-1].startswith("error: "), full.stderr
    assert list(out.iterdir()) == []
    whole = _run("replay", BUNDLE, short, "--out", out, "--costs", costs)
    assert whole.returncode == 0, whole.stderr
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)


def test_bad_input_has_no_stack_trace(tmp_path: Path) -> None:
    ended = _run("verify", tmp_path / "nowhere.litebundle")
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: ") and len(ended.stderr.splitlines()) == 1


def test_names_of_files_are_utf8_whatever_the_locale_is(tmp_path: Path) -> None:
    bundle = tmp_path / "한글 폴더" / "번들 하나.litebundle"
    bundle.parent.mkdir()
    bundle.symlink_to(BUNDLE)
    verified = _run("verify", bundle, prefix=("env", "LC_ALL=C"))
    assert verified.returncode == 0, verified.stderr
    missing = _run("verify", tmp_path / "없음", prefix=("env", "-u", "LANG", "-u", "LC_ALL", "-u", "LC_CTYPE"))
    assert missing.returncode == 2 and "없음" in missing.stderr


def test_a_recording_that_a_full_disk_cuts_off_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "recording"
    full = _run("make-recording", BUNDLE, out, prefix=("bash", "-c", 'ulimit -f 64; exec "$@"', "limited"))
    assert full.returncode == 2, full.stderr
    assert full.stderr.splitlines()[-1].startswith(f"error: {out}/frames/000000.yuv: ")
    assert not out.exists()
