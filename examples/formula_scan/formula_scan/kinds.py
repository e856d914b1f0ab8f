"""The kinds of photo: each turns a flat page into what a camera may see of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from formula_scan.imaging import Pixels
from formula_scan.page import Formula, Photo, compose
from formula_scan.render import MATH_FONTS

Rng = np.random.Generator


def _camera(rng: Rng, image: Pixels) -> Pixels:
    """A lens and a sensor: slight blur, noise and contrast, each of random strength (often none)."""
    if rng.random() < 0.5:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 0.9))
    gain, lift = rng.uniform(0.8, 1.05), rng.uniform(0, 18)
    work = image.astype(np.float32) * gain + lift
    if rng.random() < 0.6:
        noise = rng.standard_normal(image.shape[:2], dtype=np.float32) * rng.uniform(1, 6)
        work += noise[..., None]
    return np.clip(work, 0, 255).astype(np.uint8)


def _lit(image: Pixels, light: NDArray[np.float32]) -> Pixels:
    return np.clip(image * light[..., None], 0, 255).astype(np.uint8)


def _clean(rng: Rng, photo: Photo) -> Photo:
    return photo


def _shadow(rng: Rng, photo: Photo) -> Photo:
    """A slope of light and one or two soft-edged polygons in the shade."""
    height, width = photo.image.shape[:2]
    small = np.ones((height // 4, width // 4), dtype=np.float32)
    for _ in range(int(rng.integers(1, 3))):
        x, y = rng.uniform(-0.3, 1.3, 5) * small.shape[1], rng.uniform(-0.3, 1.3, 5) * small.shape[0]
        shade = np.zeros_like(small)
        hull = cv2.convexHull(np.stack([x, y], axis=1).astype(np.int32))
        cv2.fillConvexPoly(shade, hull, float(rng.uniform(0.2, 0.55)))
        small *= 1 - cv2.GaussianBlur(shade, (0, 0), float(rng.uniform(0.5, 20)))
    slope_y, slope_x = rng.uniform(-0.25, 0.25, 2)
    rows = np.linspace(-0.5, 0.5, small.shape[0], dtype=np.float32)[:, None]
    columns = np.linspace(-0.5, 0.5, small.shape[1], dtype=np.float32)
    small *= np.float32(0.92) + np.float32(slope_y) * rows + np.float32(slope_x) * columns
    light = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return replace(photo, image=_camera(rng, _lit(photo.image, light)))


def _highlighter(rng: Rng, photo: Photo) -> Photo:
    """Transparent strokes over formulas and elsewhere; paper times the marker's colour."""
    image = photo.image.copy()
    height, width = image.shape[:2]
    inks = np.array([[255, 245, 60], [150, 255, 120], [255, 150, 200], [255, 190, 90], [130, 220, 255]], np.float32)
    bands = [formula.box for formula in photo.formulas if rng.random() < 0.75]
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(0, 0.6) * width, rng.uniform(0.05, 0.9) * height
        bands.append(np.array([x, y, x + rng.uniform(0.1, 0.4) * width, y + 0.03 * height]))
    for x0, y0, x1, y1 in bands:
        pad = rng.uniform(-0.1, 0.5) * (y1 - y0)
        mask = np.zeros((height, width), dtype=np.uint8)
        middle, tilt = (y0 + y1) / 2, rng.normal(0, 0.06) * (y1 - y0)
        start, end = x0 + rng.normal(-0.3, 0.5) * (y1 - y0), x1 + rng.normal(0.3, 0.5) * (y1 - y0)
        thick = max(8, int(min(y1 - y0 + 2 * pad, 0.09 * height)))
        cv2.line(mask, (int(start), int(middle - tilt)), (int(end), int(middle + tilt)), 255, thick, cv2.LINE_AA)
        mask = cv2.GaussianBlur(mask, (0, 0), 1)
        x, y, w, h = cv2.boundingRect(mask)
        strength = mask[y : y + h, x : x + w, None].astype(np.float32) / 255 * np.float32(rng.uniform(0.6, 1))
        colour = inks[rng.integers(len(inks))] / 255
        image[y : y + h, x : x + w] = (image[y : y + h, x : x + w] * (1 - strength * (1 - colour))).astype(np.uint8)
    return replace(photo, image=_camera(rng, image))


def _edge(rng: Rng, photo: Photo) -> Photo:
    """The photo's frame cuts the page, and one formula with it."""
    height, width = photo.image.shape[:2]
    x0, y0, x1, y1 = photo.formulas[int(rng.integers(len(photo.formulas)))].box
    cut = rng.uniform(0.25, 0.75)
    frames = {
        "left": (int(x0 + cut * (x1 - x0)), 0, width, height),
        "right": (0, 0, int(x1 - cut * (x1 - x0)), height),
        "top": (0, int(y0 + cut * (y1 - y0)), width, height),
        "bottom": (0, 0, width, int(y1 - cut * (y1 - y0))),
    }
    frame = max(frames.values(), key=lambda f: (f[2] - f[0]) * (f[3] - f[1]) * rng.uniform(0.6, 1))
    left, top, right, bottom = frame
    image = np.ascontiguousarray(photo.image[top:bottom, left:right])
    formulas = []
    for formula in photo.formulas:
        outline = formula.outline - (left, top)
        seen = np.clip(outline, 0, (right - left, bottom - top))
        if np.ptp(seen, axis=0).min() >= 1:
            formulas.append(replace(formula, outline=seen, ignore=not np.array_equal(seen, outline)))
    return Photo(_camera(rng, image), "edge", tuple(formulas))


def _whiteout(rng: Rng, photo: Photo) -> Photo:
    return replace(photo, image=_camera(rng, photo.image))


def _crumpled(rng: Rng, photo: Photo) -> Photo:
    """Facets of a crushed sheet: each tilted to the light, creases between them, ink displaced along."""
    height, width = photo.image.shape[:2]
    rows, columns = np.mgrid[0:height:4, 0:width:4].astype(np.float32)
    light = np.ones(rows.shape, dtype=np.float32)
    shift = np.zeros((2, *rows.shape), dtype=np.float32)
    for _ in range(int(rng.integers(8, 22))):
        angle = rng.uniform(0, np.pi)
        distance = (columns - rng.uniform(0, width)) * np.cos(angle) + (rows - rng.uniform(0, height)) * np.sin(angle)
        reach = np.float32(rng.uniform(25, 140))
        fold = np.tanh(distance / 3) * np.exp(-np.abs(distance) / reach)
        light += np.float32(rng.normal(0, 0.09)) * fold
        light += np.float32(rng.uniform(-0.12, 0.16)) * np.exp(-((distance / np.float32(rng.uniform(3, 7))) ** 2))
        bend = np.float32(rng.normal(0, 1.0)) * np.exp(-np.abs(distance) / reach)
        shift[0] += bend * np.float32(np.sin(angle))
        shift[1] += bend * np.float32(np.cos(angle))
    size = (width, height)
    moved = [cv2.resize(layer, size, interpolation=cv2.INTER_LINEAR) for layer in shift]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    image = cv2.remap(photo.image, x + moved[1], y + moved[0], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    image = _lit(image, cv2.resize(np.clip(light, 0.45, 1.25), size, interpolation=cv2.INTER_LINEAR))

    def displaced(formula: Formula) -> Formula:
        at = np.clip(np.rint(formula.outline).astype(int), 0, (width - 1, height - 1))
        move = np.stack([moved[1][at[:, 1], at[:, 0]], moved[0][at[:, 1], at[:, 0]]], axis=1)
        return replace(formula, outline=np.clip(formula.outline - move, 0, (width, height)))

    return Photo(_camera(rng, image), "crumpled", tuple(displaced(formula) for formula in photo.formulas))


def _rotated(rng: Rng, photo: Photo) -> Photo:
    """The camera held at 90, 180 or 270 degrees, and not quite straight."""
    height, width = photo.image.shape[:2]
    skew = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-3, 3), rng.uniform(0.93, 1))
    desk = tuple(int(v) for v in rng.integers(20, 200, 3))
    # warpAffine samples pixel centres, outlines are in pixel edges: half a pixel either way
    centred = skew.copy()
    centred[:, 2] += skew[:, :2] @ (0.5, 0.5) - 0.5
    image = cv2.warpAffine(photo.image, centred, (width, height), flags=cv2.INTER_AREA, borderValue=desk)
    turns = int(rng.integers(1, 4))
    image = np.ascontiguousarray(np.rot90(image, turns))

    def turned(formula: Formula) -> Formula:
        outline = formula.outline @ skew[:, :2].T + skew[:, 2]
        w, h = width, height
        for _ in range(turns):
            outline = np.stack([outline[:, 1], w - outline[:, 0]], axis=1)
            w, h = h, w
        seen = np.clip(outline, 0, (w, h))
        return replace(formula, outline=seen, angle=turns, ignore=not np.array_equal(seen, outline))

    return Photo(_camera(rng, image), "rotated", tuple(turned(formula) for formula in photo.formulas))


_EFFECTS: dict[str, Callable[[Rng, Photo], Photo]] = {
    "clean": _clean,
    "shadow": _shadow,
    "highlighter": _highlighter,
    "edge": _edge,
    "whiteout": _whiteout,
    "crumpled": _crumpled,
    "rotated": _rotated,
}
KINDS = tuple(_EFFECTS)


def take_photo(rng: Rng, kind: str, part: str, formulas: int, fonts: tuple[str, ...] = MATH_FONTS) -> Photo:
    """A photo of `kind` with up to `formulas` formulas of `part` ("edge" cuts one more), at least one of them whole."""
    while True:
        page = compose(rng, kind, part, formulas + (kind == "edge"), fonts)
        photo = _EFFECTS[kind](rng, replace(page, kind=kind))
        if not all(formula.ignore for formula in photo.formulas):
            return photo
