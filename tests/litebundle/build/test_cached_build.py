"""What a build does again after a change, and what it leaves alone."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from litebundle import Bundle
from litebundle.build import measure
from litebundle.build.builder import CACHE_FOLDER, build
from litebundle.build.cache import Cache
from tests.litebundle.build.conftest import RecordedProgress
from tests.litebundle.build.scanner import change_picture, change_setting, change_weights, create_scanner

END = {"pack and prove the bundle", "measure this host", "write the report"}
WHOLE = {"validate end to end"} | END
PARITY, DRIFT = "compare with its source", "measure the drift of its tensors"
FIND = {"find: convert", "calibrate find", "find: quantize to int8", f"find: {PARITY}", f"find: {DRIFT}"}
ENCODE = {"encode: convert", "encode: quantize to fp16", f"encode: {PARITY}", f"encode: {DRIFT}"}
DECODE = {"decode: convert", "calibrate decode", "decode: quantize to int8", f"decode: {PARITY}", f"decode: {DRIFT}"}


@pytest.fixture(autouse=True)
def no_memory_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build starts a process to measure its memory, which takes longer than all the rest of a build here."""
    monkeypatch.setattr(measure, "_peak_memory_mb", lambda bundle, photo: 100.0)


def steps_of_a_build(root: Path) -> set[str]:
    """Titles of the steps that ran; several stages calibrated in one go count each."""
    progress = RecordedProgress()
    build(root, root / "dist", progress)
    titles = set()
    for title in progress.steps:
        names = title.removeprefix("calibrate ").split(", ")
        titles |= {f"calibrate {name}" for name in names} if title.startswith("calibrate ") else {title}
    assert len(progress.steps) == len(set(progress.steps))
    return titles


def state(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


def scaled(factor: float) -> Callable:
    return lambda array: (array * factor).astype(array.dtype)


CHANGES: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "a budget": (lambda root: change_setting(root, "max_drop = 0.1", "max_drop = 0.3"), END),
    "a requirement": (lambda root: change_setting(root, "bundle_mb = 1", "bundle_mb = 2"), END),
    "the summary": (lambda root: change_setting(root, "cards on a page", "cards on the page"), END),
    "labels": (lambda root: (root / "labels.json").write_text('["<pad>", "<start>", "<end>", "a", "c"]'), WHOLE),
    "a step after the last model": (lambda root: change_setting(root, '"none" }', '"space" }'), WHOLE),
    "a scheme": (
        lambda root: change_setting(root, 'scheme = "fp16"', 'scheme = "int8_weights"'),
        {"encode: quantize to int8_weights", f"encode: {DRIFT}"} | WHOLE,
    ),
    "input and output types": (
        lambda root: change_setting(root, 'output = "float32"', 'output = "uint8"'),
        {"find: quantize to int8", f"find: {DRIFT}"} | WHOLE,
    ),
    "how ranges are taken": (
        lambda root: change_setting(root, '{ scheme = "int8" }', '{ scheme = "int8", calibration = "percentile" }'),
        {"calibrate decode", "decode: quantize to int8", f"decode: {DRIFT}"} | WHOLE,
    ),
    "weights of the last stage": (lambda root: change_weights(root, "decode", "letters", scaled(1.1)), DECODE | WHOLE),
    "weights of the middle stage": (
        lambda root: change_weights(root, "encode", "kernels", scaled(1.05)),
        ENCODE | (DECODE - {"decode: convert"}) | WHOLE,
    ),
    "weights of the first stage": (
        lambda root: change_weights(root, "find", "sides", scaled(1.5)),
        FIND | (ENCODE - {"encode: convert", "encode: quantize to fp16"}) | (DECODE - {"decode: convert"}) | WHOLE,
    ),
    "a step before the middle stage": (
        lambda root: change_setting(root, "margin = 0 }", "margin = 0.1 }"),
        {f"encode: {PARITY}", f"encode: {DRIFT}"} | (DECODE - {"decode: convert"}) | WHOLE,
    ),
    "a calibration picture": (
        lambda root: change_picture(root, "calibrate"),
        (FIND | ENCODE | DECODE | WHOLE)
        - {f"{stage}: convert" for stage in ("find", "encode", "decode")}
        - {"encode: quantize to fp16", f"encode: {DRIFT}"},
    ),
    "a validation picture": (
        lambda root: change_picture(root, "validate"),
        {f"{stage}: {DRIFT}" for stage in ("find", "encode", "decode")} | WHOLE,
    ),
}


def test_first_build_runs_every_step_once(tmp_path: Path) -> None:
    assert steps_of_a_build(create_scanner(tmp_path / "scanner")) == FIND | ENCODE | DECODE | WHOLE


def test_nothing_changed_nothing_done(scanner: Path) -> None:
    build(scanner, scanner / "dist", RecordedProgress())
    before = state(scanner / "dist")
    progress = RecordedProgress()
    published = build(scanner, scanner / "dist", progress)
    assert published.unchanged
    assert progress.steps == []
    assert state(scanner / "dist") == before


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_rebuilds_what_depends_on_it(scanner: Path, change: str) -> None:
    apply, expected = CHANGES[change]
    apply(scanner)
    assert steps_of_a_build(scanner) == expected
    assert steps_of_a_build(scanner) == set()


def test_what_is_left_alone_is_what_a_fresh_build_makes(scanner: Path, tmp_path: Path) -> None:
    for change in ("labels", "weights of the middle stage", "a calibration picture", "a budget"):
        CHANGES[change][0](scanner)
        build(scanner, scanner / "dist", RecordedProgress())
    fresh = shutil.copytree(scanner, tmp_path / "fresh", ignore=shutil.ignore_patterns(".litebundle", "dist"))
    build(fresh, fresh / "dist", RecordedProgress())
    assert (fresh / "dist/scanner-1.0.0.litebundle").read_bytes() == (
        scanner / "dist/scanner-1.0.0.litebundle"
    ).read_bytes()


def test_a_change_taken_back_is_found_in_the_cache(scanner: Path) -> None:
    bundle = scanner / "dist/scanner-1.0.0.litebundle"
    before = bundle.read_bytes()
    change_setting(scanner, "margin = 0 }", "margin = 0.2 }")
    build(scanner, scanner / "dist", RecordedProgress())
    assert bundle.read_bytes() != before
    change_setting(scanner, "margin = 0.2 }", "margin = 0 }")
    assert steps_of_a_build(scanner) == END
    assert bundle.read_bytes() == before


@pytest.mark.parametrize("suffix", ["litebundle", "html", "measurements.json"])
@pytest.mark.parametrize("harm", ["deleted", "changed"])
def test_a_lost_result_is_written_again(scanner: Path, suffix: str, harm: str) -> None:
    bundle = scanner / "dist/scanner-1.0.0.litebundle"
    before = bundle.read_bytes()
    build(scanner, scanner / "dist", RecordedProgress())
    path = scanner / f"dist/scanner-1.0.0.{suffix}"
    if harm == "deleted":
        path.unlink()
    else:
        data = path.read_bytes()
        path.write_bytes(data[:99] + bytes([data[99] ^ 1]) + data[100:])
    assert steps_of_a_build(scanner) == END
    assert path.is_file()
    assert bundle.read_bytes() == before
    assert steps_of_a_build(scanner) == set()


def test_two_output_folders_keep_each_other_unchanged(scanner: Path) -> None:
    for folder in ("dist", "other"):
        build(scanner, scanner / folder, RecordedProgress())
    assert build(scanner, scanner / "dist", RecordedProgress()).unchanged
    assert build(scanner, scanner / "other", RecordedProgress()).unchanged
    names = {path.name for path in (scanner / "dist").iterdir()}
    assert {path.name for path in (scanner / "other").iterdir()} == names


@pytest.mark.parametrize("harm", ["flip", "truncate", "delete", "empty folder"])
def test_damaged_cache_is_made_anew(scanner: Path, harm: str) -> None:
    bundle = scanner / "dist/scanner-1.0.0.litebundle"
    before = bundle.read_bytes()
    for folder in (scanner / CACHE_FOLDER).glob("*/"):
        damage(folder, harm)
    assert steps_of_a_build(scanner) == FIND | ENCODE | DECODE | WHOLE
    assert bundle.read_bytes() == before


def damage(folder: Path, harm: str) -> None:
    for path in folder.iterdir():
        data = path.read_bytes()
        if harm == "flip":
            middle = len(data) // 2
            path.write_bytes(data[:middle] + bytes([data[middle] ^ 0x10]) + data[middle + 1 :])
        elif harm == "truncate":
            path.write_bytes(data[: len(data) // 2])
        elif harm == "empty folder" or path.name != "digests.json":
            path.unlink()


def test_artefacts_of_killed_builds_and_old_ones_are_dropped(scanner: Path) -> None:
    cache = scanner / CACHE_FOLDER
    part = cache / "0123456789abcdef.part"
    part.mkdir()
    (part / "half").write_bytes(b"half")
    old = cache / "convert-00000000000000000000000000000000"
    old.mkdir()
    os.utime(old, (0, 0))
    kept = {path.name for path in cache.glob("*/")} - {part.name, old.name}
    for left in ("scanner-1.0.0.litebundle.part", ".scanner-1.0.0.html.0a1b2c3d.part"):
        (scanner / "dist" / left).write_bytes(b"half")
    (scanner / "dist/notes.part").write_text("somebody's own")
    change_setting(scanner, "max_drop = 0.1", "max_drop = 0.3")
    build(scanner, scanner / "dist", RecordedProgress())
    names = {path.name for path in cache.glob("*/")}
    assert kept <= names
    assert not {part.name, old.name} & names
    assert [path.name for path in (scanner / "dist").glob("*part")] == ["notes.part"]


def test_two_builds_at_once_take_turns(scanner: Path) -> None:
    shutil.rmtree(scanner / "dist")
    progress = RecordedProgress()
    second = threading.Thread(target=build, args=(scanner, scanner / "dist", progress))
    with Cache(scanner / CACHE_FOLDER).locked(lambda: None):
        second.start()
        second.join(1)
        assert second.is_alive()
        assert progress.notes == ["waiting for another build of this pipeline"]
        assert not (scanner / "dist").exists()
    second.join()
    with Bundle.open(scanner / "dist/scanner-1.0.0.litebundle") as bundle:
        assert bundle.verify().passed
