"""Training data on disk: numbered shards, each a function of (seed, number) alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from formula_scan.grammar import END, MAX_TOKENS, START, TOKEN_IDS
from formula_scan.imaging import (
    LETTERBOX_FILL,
    ORIENT_SIZE,
    PAGE_SIZE,
    WHITE,
    Pixels,
    crop,
    fit_line,
    letterbox,
    to_gray,
)
from formula_scan.kinds import KINDS, take_photo
from formula_scan.page import Formula, Photo

SEED = 20260
PAGES_PER_SHARD = 100
MARGIN = 0.16
_CROPS_PER_FORMULA = 2
_FORMULAS_PER_PAGE = 7
_FIELDS = ("pages", "boxes", "lines", "squares", "tokens", "kinds")


@dataclass(frozen=True)
class Shard:
    """pages [P, 320, 320, 3], lines [F, 2, 48, 256], squares [F, 2, 64, 64] uint8, both upright crops;
    boxes [B, 6] float32: page, x0, y0, x1, y1 in pixels of the 320 square, ignore; tokens [F, 24] uint8 from
    start to end, then padding; kinds [F] uint8, an index into KINDS."""

    pages: Pixels
    boxes: NDArray[np.float32]
    lines: Pixels
    squares: Pixels
    tokens: NDArray[np.uint8]
    kinds: NDArray[np.uint8]


def _compressed(rng: np.random.Generator, image: Pixels) -> Pixels:
    if rng.random() < 0.5:
        return image
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(55, 96))])
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def _found_box(rng: np.random.Generator, formula: Formula) -> NDArray[np.float64]:
    """The formula's box as a locator finds it: with the flow's margin, and off by a few pixels."""
    size = formula.box[2:] - formula.box[:2]
    outward = MARGIN * size.min() + rng.normal(0, 2.5, 4) + rng.normal(0, 0.012, 4) * np.tile(size, 2)
    outward = np.maximum(outward, -1.0)
    return formula.box + outward * (-1, -1, 1, 1)


def encode_tokens(formula: Formula) -> NDArray[np.uint8]:
    """Token ids [MAX_TOKENS + 2] from start to end, padded with 0."""
    ids = np.zeros(MAX_TOKENS + 2, dtype=np.uint8)
    ids[: len(formula.tokens) + 2] = [START, *(TOKEN_IDS[token] for token in formula.tokens), END]
    return ids


def upright_crop(gray: Pixels, box: NDArray[np.float64], angle: int) -> Pixels:
    """The crop under `box`, turned back by `angle` quarter turns."""
    return np.ascontiguousarray(np.rot90(crop(gray, box), -angle))


def _make(number: int) -> Shard:
    rng = np.random.default_rng([SEED, number])
    pages, boxes, lines, squares, tokens, kinds = [], [], [], [], [], []
    for page in range(PAGES_PER_SHARD):
        kind = "clean" if rng.random() < 0.15 else KINDS[int(rng.integers(len(KINDS)))]
        photo: Photo = take_photo(rng, kind, "train", int(rng.integers(2, _FORMULAS_PER_PAGE + 1)))
        image = _compressed(rng, photo.image)
        square, scale, left, top = letterbox(image, PAGE_SIZE, LETTERBOX_FILL)
        pages.append(square)
        gray = to_gray(image)
        for formula in photo.formulas:
            boxes.append([page, *(formula.box * scale + (left, top, left, top)), formula.ignore])
            if not formula.ignore:
                crops = [upright_crop(gray, _found_box(rng, formula), formula.angle) for _ in range(_CROPS_PER_FORMULA)]
                lines.append(np.stack([fit_line(picture) for picture in crops]))
                squares.append(np.stack([letterbox(picture, ORIENT_SIZE, WHITE)[0] for picture in crops]))
                tokens.append(encode_tokens(formula))
                kinds.append(KINDS.index(kind))
    return Shard(
        np.stack(pages),
        np.array(boxes, dtype=np.float32),
        np.stack(lines),
        np.stack(squares),
        np.stack(tokens),
        np.array(kinds, dtype=np.uint8),
    )


def write_shard(folder: Path, number: int) -> Path:
    """Make shard `number` unless it is there; written under another name, then renamed."""
    path = folder / f"{number:04d}"
    if not path.exists():
        unfinished = folder / f".{number:04d}"
        unfinished.mkdir(parents=True, exist_ok=True)
        shard = _make(number)
        for field in _FIELDS:
            np.save(unfinished / f"{field}.npy", getattr(shard, field))
        unfinished.rename(path)
    return path


def read_shard(path: Path) -> Shard:
    """A written shard, its arrays mapped from disk."""
    return Shard(*(np.load(path / f"{field}.npy", mmap_mode="r") for field in _FIELDS))
