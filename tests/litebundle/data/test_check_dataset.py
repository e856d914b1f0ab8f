from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from litebundle.data import DataReport, check_dataset
from litebundle.data.similarity import THRESHOLD, similar_pairs, thumbnail
from litebundle.run import read_image

CASES = Path(os.environ.get("LITEBUNDLE_CASES", Path(__file__).parents[4] / "shared/cases"))
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason=f"no real pictures at {CASES}; set LITEBUNDLE_CASES")


def found(report: DataReport) -> set[tuple[str, str, tuple[str, ...]]]:
    return {(finding.level, finding.rule, finding.files) for finding in report.findings}


def test_a_sound_data_set(folder: Any) -> None:
    report = check_dataset(folder.root)
    assert report.findings == ()
    assert report.ok
    assert {(count.kind, count.part): (count.wanted, count.present) for count in report.kinds} == {
        (kind, part): (2, 2) for kind in ("맑음", "shadow") for part in ("calibrate", "validate")
    }


def test_what_is_wanted_and_missing(folder: Any) -> None:
    folder.kinds["shadow"]["wanted"] = {"calibrate": 2, "validate": 7}
    folder.kinds["crumpled"] = {"wanted": {"validate": 3}, "present": {}}
    folder.write()
    report = check_dataset(folder.root)
    missing = {(count.kind, count.part): count.missing for count in report.kinds if count.missing}
    assert missing == {("shadow", "validate"): 5, ("crumpled", "validate"): 3}
    assert (report.missing, report.ok, report.errors) == (8, False, ())


def test_more_than_wanted_makes_up_for_nothing(folder: Any) -> None:
    folder.kinds["shadow"]["wanted"] = {"calibrate": 0, "validate": 3}
    folder.write()
    assert check_dataset(folder.root).missing == 1


def test_a_listed_file_that_is_gone_is_not_present(folder: Any) -> None:
    (folder.root / "validate/shadow/1.png").unlink()
    report = check_dataset(folder.root)
    assert ("error", "missing_file", ("validate/shadow/1.png",)) in found(report)
    assert ("error", "count", ()) in found(report)
    assert report.missing == 1


def test_files_that_nobody_listed_come_with_the_entry_to_add(folder: Any) -> None:
    path = folder.root / "validate/shadow/새 사진.png"
    folder.picture(99).save(path)
    (folder.root / "validate/.gitkeep").touch()
    (folder.root / "README.md").touch()
    report = check_dataset(folder.root)
    assert found(report) == {("error", "unlisted_file", ("validate/shadow/새 사진.png",))}
    manifest = folder.root / "manifest.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8") + report.entries_to_add(), encoding="utf-8")
    tomllib.loads(manifest.read_text(encoding="utf-8"))
    assert {finding.rule for finding in check_dataset(folder.root).findings} == {"count"}


def test_a_changed_file(folder: Any) -> None:
    path = folder.root / "validate/shadow/1.png"
    folder.picture(99).save(path)
    assert found(check_dataset(folder.root)) == {("error", "changed_file", ("validate/shadow/1.png",))}


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture(folder: Any, content: bytes) -> None:
    (folder.root / "validate/shadow/1.png").write_bytes(content)
    assert ("error", "unreadable", ("validate/shadow/1.png",)) in found(check_dataset(folder.root))


def test_a_cut_picture(folder: Any) -> None:
    path = folder.root / "validate/shadow/1.png"
    path.write_bytes(path.read_bytes()[:-200])
    assert ("error", "unreadable", ("validate/shadow/1.png",)) in found(check_dataset(folder.root))


def copy(folder: Any, source: str, target: str) -> tuple[str, str]:
    with Image.open(folder.root / source) as image:
        path = folder.add(target, image)
    shutil.copy(folder.root / source, path)
    by_file = {sample["file"]: sample for sample in folder.samples}
    by_file[target]["sha256"] = by_file[source]["sha256"]
    folder.write()
    return source, target


def test_a_duplicate_within_a_part(folder: Any) -> None:
    files = copy(folder, "validate/shadow/0.png", "validate/shadow/2.png")
    assert found(check_dataset(folder.root)) == {("error", "duplicate", files)}


def test_a_leak_between_the_parts(folder: Any) -> None:
    files = copy(folder, "calibrate/shadow/0.png", "validate/shadow/2.png")
    report = check_dataset(folder.root)
    assert found(report) == {("error", "leak", files)}
    assert not report.ok


def test_a_picture_saved_again_is_a_leak_too(folder: Any) -> None:
    with Image.open(folder.root / "calibrate/shadow/0.png") as image:
        larger = image.resize((128, 96), Image.Resampling.BICUBIC)
        folder.add("validate/shadow/2.jpg", larger, quality=80)
        folder.add("calibrate/shadow/2.jpg", image.point(lambda value: value * 0.9), quality=80)
    folder.write()
    assert found(check_dataset(folder.root)) == {
        ("error", "similar_leak", ("calibrate/shadow/0.png", "validate/shadow/2.jpg")),
        ("error", "similar_leak", ("validate/shadow/2.jpg", "calibrate/shadow/2.jpg")),
        ("note", "similar", ("calibrate/shadow/0.png", "calibrate/shadow/2.jpg")),
        ("note", "same_answer", ("validate/shadow/2.jpg", "calibrate/shadow/2.jpg")),
    }


def test_the_same_answer_in_both_parts_is_only_noted(folder: Any) -> None:
    for sample in folder.samples:
        if sample["file"] in ("calibrate/shadow/0.png", "validate/shadow/1.png"):
            sample["answer"] = '{ items = [{ text = "a" }, { text = "b" }] }'
    folder.write()
    report = check_dataset(folder.root)
    assert found(report) == {("note", "same_answer", ("calibrate/shadow/0.png", "validate/shadow/1.png"))}
    assert report.ok


def test_a_box_outside_its_picture(folder: Any) -> None:
    folder.samples[0]["answer"] = "{ items = [{ box = [0, 0, 64, 48] }] }"
    folder.samples[1]["answer"] = "{ items = [{ box = [0, 0, 64.5, 48] }] }"
    folder.write()
    assert found(check_dataset(folder.root)) == {("error", "answer", (folder.samples[1]["file"],))}


def test_counts_that_the_manifest_states_wrongly(folder: Any) -> None:
    folder.kinds["shadow"]["present"] = {"calibrate": 2, "validate": 20}
    folder.write()
    report = check_dataset(folder.root)
    assert [finding.rule for finding in report.findings] == ["count"]
    assert "says 20 present in validate, there are 2" in report.findings[0].message


def test_an_empty_part(folder: Any) -> None:
    folder.samples = [sample for sample in folder.samples if sample["part"] == "validate"]
    shutil.rmtree(folder.root / "calibrate")
    folder.write()
    assert ("error", "empty", ()) in found(check_dataset(folder.root))


def test_the_report_as_json(folder: Any) -> None:
    (folder.root / "validate/shadow/1.png").unlink()
    document = json.loads(json.dumps(check_dataset(folder.root).to_json(), ensure_ascii=False))
    assert (document["format_version"], document["ok"], document["missing"]) == (1, False, 1)
    assert {finding["rule"] for finding in document["findings"]} == {"missing_file", "count"}


def real_pictures(pattern: str, count: int) -> list[np.ndarray[Any, Any]]:
    files = sorted(file for file in CASES.glob(pattern) if file.suffix in (".png", ".jpg", ".jpeg"))
    random.Random(0).shuffle(files)
    return [read_image(file) for file in files[:count]]


@needs_cases
@pytest.mark.parametrize("pattern", ["ocr/card_strips/**/*", "im2latex_pages/**/*", "cifar_resnet/images/test/**/*"])
def test_different_real_pictures_are_not_alike(pattern: str) -> None:
    pictures = real_pictures(pattern, 40)
    assert len(pictures) == 40
    assert list(similar_pairs([thumbnail(picture) for picture in pictures])) == []


@needs_cases
@pytest.mark.parametrize("pattern", ["ocr/card_strips/**/*", "im2latex_pages/**/*", "cifar_resnet/images/test/**/*"])
def test_a_real_picture_is_like_itself_recompressed_and_darkened(pattern: str, tmp_path: Path) -> None:
    for picture in real_pictures(pattern, 8):
        changed = Image.fromarray(picture).point(lambda value: value * 0.9 + 5)
        changed.save(tmp_path / "again.jpg", quality=70)
        pair = [thumbnail(picture), thumbnail(read_image(tmp_path / "again.jpg"))]
        assert list(similar_pairs(pair)) == [(0, 1)]


def test_thumbnails_are_normalised_and_flat_pictures_like_nothing() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (50, 40, 3), dtype=np.uint8)
    flat = np.full((50, 40, 3), 255, np.uint8)
    assert np.linalg.norm(thumbnail(noise)) == pytest.approx(1, abs=1e-5)
    assert not thumbnail(flat).any()
    assert list(similar_pairs([thumbnail(flat)] * 2)) == []
    assert list(similar_pairs([])) == []


def test_pairs_agree_with_the_plain_correlation() -> None:
    generator = np.random.default_rng(1)
    base = generator.integers(0, 256, (64, 64, 3)).astype(float)
    mixed = [
        np.clip(base + generator.normal(0, sigma, base.shape), 0, 255).astype(np.uint8)
        for sigma in (0, 5, 20, 40, 60, 80)
    ]
    gray = [np.asarray(Image.fromarray(picture).convert("L"), float).ravel() for picture in mixed]
    expected = [
        (i, j)
        for i, j in itertools.combinations(range(len(gray)), 2)
        if np.corrcoef(gray[i], gray[j])[0, 1] >= THRESHOLD
    ]
    assert 0 < len(expected) < 15
    assert list(similar_pairs([thumbnail(picture) for picture in mixed])) == expected
