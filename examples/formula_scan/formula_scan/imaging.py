"""The resizes of the flow: antialiased bilinear, as the glue between the stages does them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

PAGE_SIZE = 320
ORIENT_SIZE = 64
READ_HEIGHT, READ_WIDTH = 48, 256
LETTERBOX_FILL = 114
WHITE = 255


def to_gray(image: Pixels) -> Pixels:
    """ITU-R 601 luma of RGB [H, W, 3] in integers: (77 R + 150 G + 29 B + 128) >> 8."""
    weighted = image.astype(np.uint32) @ np.array([77, 150, 29], dtype=np.uint32)
    return ((weighted + 128) >> 8).astype(np.uint8)


def _scaled(image: Pixels, width: int, height: int) -> tuple[Pixels, float]:
    """The largest resize of `image` inside width x height that keeps its aspect, and its scale."""
    rows, columns = image.shape[:2]
    scale = min(width / columns, height / rows)
    size = (max(1, min(width, round(columns * scale))), max(1, min(height, round(rows * scale))))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)), scale


def letterbox(image: Pixels, size: int, fill: int) -> tuple[Pixels, float, int, int]:
    """[H, W, ...] centred in a size x size square; also the scale and the left and top offsets in pixels."""
    small, scale = _scaled(image, size, size)
    left, top = (size - small.shape[1]) // 2, (size - small.shape[0]) // 2
    square = np.full((size, size, *image.shape[2:]), fill, dtype=np.uint8)
    square[top : top + small.shape[0], left : left + small.shape[1]] = small
    return square, scale, left, top


def fit_line(gray: Pixels) -> Pixels:
    """Upright gray crop to [48, 256]: aspect kept, left aligned, vertically centred, padded with white."""
    small, _ = _scaled(gray, READ_WIDTH, READ_HEIGHT)
    top = (READ_HEIGHT - small.shape[0]) // 2
    line = np.full((READ_HEIGHT, READ_WIDTH), WHITE, dtype=np.uint8)
    line[top : top + small.shape[0], : small.shape[1]] = small
    return line


def crop(image: Pixels, box: NDArray[np.float64]) -> Pixels:
    """Pixels of `image` under box (x0, y0, x1, y1), rounded outwards and cut to the image."""
    height, width = image.shape[:2]
    x0, y0 = np.clip(np.floor(box[:2]).astype(int), 0, [width - 1, height - 1])
    x1, y1 = np.clip(np.ceil(box[2:]).astype(int), [x0 + 1, y0 + 1], [width, height])
    return image[y0:y1, x0:x1]
