"""Lay formulas out on a page among distractors: text lines, equation numbers and drawings.

A page is made upright and flat; `kinds.py` then turns it into one kind of photo. Coordinates are pixels,
pixel (c, r) covers [c, c+1) x [r, r+1).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from formula_scan.grammar import Tokens, sample
from formula_scan.imaging import Pixels
from formula_scan.render import MATH_FONTS, render

_TEXT_FONTS = (
    "DejaVuSans.ttf",
    "DejaVuSans-Oblique.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSerif-Italic.ttf",
    "DejaVuSans-Bold.ttf",
    "STIXGeneral.ttf",
    "STIXGeneralItalic.ttf",
    "DejaVuSansMono.ttf",
)
_ONSETS = ("", "b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "th", "st", "tr", "qu", "v", "w")
_NUCLEI = ("a", "e", "i", "o", "u", "ea", "ou", "y")
_CODAS = ("", "", "n", "r", "s", "t", "ll", "nd", "ck", "ng")
_LONG_SIDE_PX = (768, 1024)


@dataclass(frozen=True)
class Formula:
    """A formula on a picture: `outline` is the convex hull of its ink [P, 2], x and y in pixels, float64.

    `angle` k: the picture shows it as np.rot90(upright, k). `ignore`: cut by the picture's edge.
    """

    tokens: Tokens
    outline: NDArray[np.float64]
    angle: int = 0
    ignore: bool = False

    @property
    def box(self) -> NDArray[np.float64]:
        """x0, y0, x1, y1 around the ink."""
        return np.concatenate([self.outline.min(axis=0), self.outline.max(axis=0)])


@dataclass(frozen=True)
class Photo:
    """RGB picture [H, W, 3] uint8, its kind and the formulas on it."""

    image: Pixels
    kind: str
    formulas: tuple[Formula, ...]


@dataclass(frozen=True)
class _Block:
    """A piece of ink waiting for its place; `tokens` only if it is a formula."""

    ink: Pixels
    tokens: Tokens | None = None
    number: Pixels | None = None


@cache
def _text_font(name: str, size_px: int) -> ImageFont.FreeTypeFont:
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name
    return ImageFont.truetype(str(path), size_px)


def _pick(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[int(rng.integers(len(options)))]


def _word(rng: np.random.Generator) -> str:
    roll = rng.random()
    if roll < 0.06:
        return str(rng.integers(1, 2000))
    word = "".join(_pick(rng, part) for _ in range(rng.integers(1, 4)) for part in (_ONSETS, _NUCLEI, _CODAS))
    word = word.capitalize() if roll < 0.2 else word
    return word + ("," if roll > 0.93 else "." if roll > 0.86 else "")


def _text_ink(text: str, font: str, size_px: int) -> Pixels:
    face = _text_font(font, size_px)
    left, top, right, bottom = (int(side) for side in face.getbbox(text))
    canvas = Image.new("L", (max(1, right - left), max(1, bottom - top)))
    ImageDraw.Draw(canvas).text((-left, -top), text, font=face, fill=255)
    return np.asarray(canvas)


def _paragraph(rng: np.random.Generator, width: int, size_px: int) -> _Block:
    font = _pick(rng, _TEXT_FONTS)
    count = int(rng.integers(1, 5))
    step = int(size_px * rng.uniform(1.25, 1.7))
    ink = np.zeros((count * step + size_px // 2, width), dtype=np.uint8)
    words = " ".join(_word(rng) for _ in range(30))
    for line in range(count):
        share = rng.uniform(0.15, 1.0) if line == count - 1 else 1.0
        start = int(rng.integers(len(words) // 2))
        letters = max(3, int(width * share / (0.55 * size_px)))
        drawn = _text_ink(words[start : start + letters].strip(), font, size_px)[: step + size_px // 2, :width]
        region = ink[line * step : line * step + drawn.shape[0], : drawn.shape[1]]
        np.maximum(region, drawn[: region.shape[0]], out=region)
    return _Block(ink)


def _drawing(rng: np.random.Generator, width: int, height: int) -> _Block:
    """Axes with a curve, overlapping figures, or a table of rules."""
    ink = np.zeros((height, width), dtype=np.uint8)
    thick = int(rng.integers(1, 4))
    style = int(rng.integers(3))
    if style == 0:
        x = np.linspace(0.08, 0.95, 40)
        y = 0.5 + 0.35 * np.sin(x * rng.uniform(3, 16) + rng.uniform(0, 6)) * rng.uniform(0.3, 1)
        curve = np.stack([x * width, y * height], axis=1).astype(np.int32)
        cv2.polylines(ink, [curve], False, 255, thick, cv2.LINE_AA)
        origin = (int(0.06 * width), int(0.92 * height))
        cv2.arrowedLine(ink, origin, (int(0.97 * width), origin[1]), 255, thick, cv2.LINE_AA, tipLength=0.04)
        cv2.arrowedLine(ink, origin, (origin[0], int(0.05 * height)), 255, thick, cv2.LINE_AA, tipLength=0.06)
    elif style == 1:
        for _ in range(int(rng.integers(2, 6))):
            a, b = (tuple(int(v) for v in rng.uniform(0.08, 0.92, 2) * (width, height)) for _ in range(2))
            shape = int(rng.integers(4))
            if shape == 0:
                cv2.circle(ink, a, int(rng.uniform(0.05, 0.3) * height), 255, thick, cv2.LINE_AA)
            elif shape == 1:
                cv2.rectangle(ink, a, b, 255, thick)
            elif shape == 2:
                cv2.line(ink, a, b, 255, thick, cv2.LINE_AA)
            else:
                cv2.arrowedLine(ink, a, b, 255, thick, cv2.LINE_AA)
    else:
        for x in np.linspace(2, width - 3, int(rng.integers(3, 7))).astype(int):
            cv2.line(ink, (int(x), 2), (int(x), height - 3), 255, thick)
        for y in np.linspace(2, height - 3, int(rng.integers(3, 6))).astype(int):
            cv2.line(ink, (2, int(y)), (width - 3, int(y)), 255, thick)
        note = _text_ink(_word(rng), _pick(rng, _TEXT_FONTS), 18)[: height - 16, : width - 16]
        ink[8 : 8 + note.shape[0], 8 : 8 + note.shape[1]] = note
    return _Block(ink)


def _formula(rng: np.random.Generator, tokens: Tokens, fonts: tuple[str, ...], room: int, unit: int) -> _Block:
    font = _pick(rng, fonts)
    em_px = rng.uniform(0.028, 0.05) * unit
    ink = render(tokens, font, em_px)
    if ink.shape[1] > room:
        ink = render(tokens, font, em_px * room / ink.shape[1] * 0.97)
    number = None
    if ink.shape[1] < 0.6 * room and rng.random() < 0.25:
        number = _text_ink(f"({rng.integers(1, 30)})", _pick(rng, _TEXT_FONTS), int(0.022 * unit))
    return _Block(ink, tokens, number)


def _outline(ink: Pixels, left: int, top: int) -> NDArray[np.float64]:
    points = cv2.findNonZero((ink > 40).astype(np.uint8)).reshape(-1, 2)
    hull = cv2.convexHull(points).reshape(-1, 2).astype(np.int32)
    corners = (hull[:, None] + np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=np.int32)).reshape(-1, 2)
    outline = cv2.convexHull(corners).reshape(-1, 2).astype(np.float64)
    return outline + np.array([left, top])


def _stamp(layer: Pixels, ink: Pixels, left: int, top: int) -> None:
    region = layer[top : top + ink.shape[0], left : left + ink.shape[1]]
    np.maximum(region, ink[: region.shape[0], : region.shape[1]], out=region)


def _paper(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    colour = np.minimum(255, rng.integers(232, 256) + rng.integers(-6, 5, 3)).astype(np.uint8)
    return np.broadcast_to(colour, (height, width, 3)).copy()


def _ink_over(image: Pixels, ink: Pixels, colour: NDArray[np.int64]) -> None:
    """Blend `colour` into `image` in place where `ink` covers it."""
    rows, columns = np.nonzero(ink)
    cover = ink[rows, columns, None].astype(np.float32) / 255
    under = image[rows, columns].astype(np.float32)
    image[rows, columns] = np.rint(under + (colour - under) * cover).astype(np.uint8)


def _correction_fluid(rng: np.random.Generator, image: Pixels, formulas: tuple[Formula, ...]) -> None:
    """White patches with ragged rims, under and around formulas and over the text; in place."""
    height, width = image.shape[:2]
    spots = [formula.box for formula in formulas if rng.random() < 0.6]
    for _ in range(int(rng.integers(2, 6))):
        x, y = rng.uniform(0, width * 0.8), rng.uniform(0, height * 0.9)
        spots.append(np.array([x, y, x + rng.uniform(0.08, 0.3) * width, y + rng.uniform(0.02, 0.05) * height]))
    for x0, y0, x1, y1 in spots:
        pad = 0.3 * (y1 - y0)
        middle = np.array([x0 + x1, y0 + y1]) / 2 + rng.normal(0, pad / 2, 2)
        radii = np.array([x1 - x0, y1 - y0]) / 2 + pad * rng.uniform(0.2, 1.2)
        angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        turn = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        square = turn / np.maximum(np.abs(turn).max(axis=1, keepdims=True), 0.75)
        rim = middle + square * radii * rng.uniform(0.93, 1.05, (48, 1))
        mask = np.zeros((height, width), dtype=np.uint8)
        cv2.fillPoly(mask, [rim.astype(np.int32)], 255, cv2.LINE_AA)
        edge = cv2.subtract(mask, np.roll(mask, (2, 2), axis=(0, 1)))
        white = int(rng.integers(243, 256))
        _ink_over(image, mask, np.array([white, white, white - int(rng.integers(0, 5))]))
        _ink_over(image, edge // int(rng.integers(6, 16)), np.array([90, 90, 90]))


def compose(
    rng: np.random.Generator, kind: str, part: str, formulas: int, fonts: tuple[str, ...] = MATH_FONTS
) -> Photo:
    """A flat, upright page with at most `formulas` formulas of `part`, and at least one."""
    unit = int(rng.integers(_LONG_SIDE_PX[0], _LONG_SIDE_PX[1] + 1))
    width, height = (int(unit * rng.uniform(0.7, 0.8)), unit)
    if rng.random() < 0.35:
        width, height = height, width
    margin = int(rng.uniform(0.03, 0.07) * unit)
    room = width - 2 * margin
    blocks = [_formula(rng, sample(rng, part), fonts, room, unit) for _ in range(formulas)]
    text_px = int(rng.uniform(0.016, 0.026) * unit)
    others = [_paragraph(rng, int(room * rng.uniform(0.5, 1)), text_px) for _ in range(rng.integers(1, 5))]
    if rng.random() < 0.5:
        others.append(_drawing(rng, int(rng.uniform(0.2, 0.7) * room), int(rng.uniform(0.1, 0.2) * unit)))
    gap = int(rng.uniform(0.016, 0.03) * unit)
    space = height - 2 * margin
    kept: list[_Block] = []
    for block in (*blocks, *others):
        if block.ink.shape[0] + gap <= space:
            kept.append(block)
            space -= block.ink.shape[0] + gap
    slack = rng.dirichlet(np.ones(len(kept) + 1)) * space
    text, maths = (np.zeros((height, width), dtype=np.uint8) for _ in range(2))
    placed = []
    top = float(margin)
    for index, which in enumerate(rng.permutation(len(kept))):
        block = kept[which]
        top += slack[index]
        left = margin + int(rng.integers(0, max(1, room - block.ink.shape[1] + 1)))
        if block.tokens is None:
            _stamp(text, block.ink, left, int(top))
        else:
            left = margin + (left - margin) // (2 if block.number is not None else 1)
            _stamp(maths, block.ink, left, int(top))
            placed.append(Formula(block.tokens, _outline(block.ink, left, int(top))))
        if block.number is not None:
            middle = int(top) + max(0, (block.ink.shape[0] - block.number.shape[0]) // 2)
            _stamp(text, block.number, width - margin - block.number.shape[1], middle)
        top += block.ink.shape[0] + gap
    image = _paper(rng, height, width)
    colour = rng.integers(0, 70) + rng.integers(0, 25, 3)
    _ink_over(image, text, colour)
    if kind == "whiteout":
        _correction_fluid(rng, image, tuple(placed))
    _ink_over(image, maths, colour if rng.random() < 0.8 else rng.integers(0, 110, 3))
    return Photo(image, "clean", tuple(placed))
