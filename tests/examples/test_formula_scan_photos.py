"""formula_scan's photos: every kind, its boxes and angles, and the committed set."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from formula_scan.grammar import part_of, tokenize
from formula_scan.imaging import fit_line, letterbox, to_gray
from formula_scan.kinds import KINDS, take_photo
from formula_scan.page import Photo
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "calibration_data" / "formula_scan"


def _photo(kind: str, seed: int = 5) -> Photo:
    return take_photo(np.random.default_rng([seed, KINDS.index(kind)]), kind, "train", 3)


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"formula_scan_{path.stem}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def manifest() -> dict[str, object]:
    return tomllib.loads((DATA / "manifest.toml").read_text())


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_takes_the_same_photo(kind: str) -> None:
    first, second = _photo(kind), _photo(kind)
    assert np.array_equal(first.image, second.image)
    assert [f.tokens for f in first.formulas] == [f.tokens for f in second.formulas]
    assert not np.array_equal(first.image, _photo(kind, seed=6).image)


@pytest.mark.parametrize("kind", KINDS)
def test_boxes_lie_in_the_photo(kind: str) -> None:
    photo = _photo(kind)
    height, width = photo.image.shape[:2]
    assert any(not formula.ignore for formula in photo.formulas)
    for formula in photo.formulas:
        x0, y0, x1, y1 = formula.box
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height


@pytest.mark.parametrize("kind", ["clean", "edge", "crumpled", "rotated"])
def test_boxes_hold_the_ink(kind: str) -> None:
    """Ink touches every side of a whole formula's box: the strip inside each side is darker than its paper."""
    for formula in (f for f in _photo(kind).formulas if not f.ignore):
        x0, y0, x1, y1 = np.rint(formula.box).astype(int)
        gray = to_gray(_photo(kind).image)[max(0, y0) : y1, max(0, x0) : x1].astype(int)
        paper = np.median(np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]]))
        for strip in (gray[:5], gray[-5:], gray[:, :5], gray[:, -5:]):
            assert strip.min() < paper - 25


def test_a_rotated_photo_turns_its_formulas() -> None:
    """A wide formula stands upright in a photo taken at 90 or 270 degrees."""
    for seed in range(12):
        for formula in _photo("rotated", seed).formulas:
            width, height = formula.box[2:] - formula.box[:2]
            if len(formula.tokens) > 14 and "\\frac" not in formula.tokens and not formula.ignore:
                assert (height > width) == (formula.angle in (1, 3))


def test_edge_cuts_a_formula() -> None:
    assert any(formula.ignore for seed in range(8) for formula in _photo("edge", seed).formulas)


def test_gray_is_integer_luma() -> None:
    colours = np.array([[[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], dtype=np.uint8)
    expected = [(77 * r + 150 * g + 29 * b + 128) // 256 for r, g, b in colours[0].tolist()]
    assert to_gray(colours)[0].tolist() == expected


@pytest.mark.parametrize("shape", [(10, 300), (300, 10), (48, 256), (7, 5), (333, 444)])
def test_resizes_keep_the_aspect(shape: tuple[int, int]) -> None:
    black = np.zeros(shape, dtype=np.uint8)
    square, scale, left, top = letterbox(black, 64, 255)
    rows, columns = np.nonzero(square == 0)
    assert (columns.min(), rows.min()) == (left, top)
    assert abs((np.ptp(columns) + 1) - max(1, shape[1] * scale)) <= 0.5
    assert abs((np.ptp(rows) + 1) - max(1, shape[0] * scale)) <= 0.5
    line = fit_line(black)
    assert line.shape == (48, 256)
    assert (line[:, 0] == 0).any()


def test_the_committed_files_are_those_of_the_manifest(manifest: dict[str, list[dict[str, str]]]) -> None:
    listed = {sample["file"]: sample["sha256"] for sample in manifest["sample"]}
    there = {f"{path.parent.name}/{path.name}" for path in DATA.glob("*/*.webp")}
    assert there == set(listed)
    for file, digest in listed.items():
        assert hashlib.sha256((DATA / file).read_bytes()).hexdigest() == digest


def test_the_committed_parts_share_no_formula(manifest: dict[str, list[dict[str, object]]]) -> None:
    for sample in manifest["sample"]:
        for item in sample["answer"]["items"]:  # type: ignore[index]
            assert item.get("ignore") or part_of(tokenize(item["text"])) == sample["part"]


def test_enough_samples_of_each_kind(manifest: dict[str, dict[str, dict[str, dict[str, int]]]]) -> None:
    assert set(manifest["kinds"]) == set(KINDS)
    for kind in manifest["kinds"].values():
        assert kind["present"]["validate"] >= 20
        assert kind["present"]["calibrate"] >= 8


@pytest.mark.parametrize("kind", KINDS)
def test_a_committed_photo_can_be_made_again(kind: str) -> None:
    photo = _load(ROOT / "examples" / "formula_scan" / "make_data.py").committed_photo("validate", kind, 0)
    stored = np.asarray(Image.open(DATA / "validate" / f"{kind}-000.webp").convert("RGB")).astype(int)
    assert stored.shape == photo.image.shape
    assert np.abs(stored - photo.image).mean() < 8  # WebP is lossy


def test_the_generator_does_without_torch() -> None:
    code = "import formula_scan.dataset, sys; sys.exit('torch' in sys.modules)"
    folder = ROOT / "examples" / "formula_scan"
    assert subprocess.run([sys.executable, "-c", code], cwd=folder, check=False).returncode == 0
