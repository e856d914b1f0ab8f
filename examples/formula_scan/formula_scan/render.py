"""LaTeX to an ink mask, with matplotlib's mathtext."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser
from numpy.typing import NDArray

from formula_scan.grammar import Tokens, detokenize

MATH_FONTS = ("dejavusans", "dejavuserif", "cm", "stix", "stixsans")


@cache
def _parser() -> MathTextParser[object]:
    return MathTextParser("agg")


def trim(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut a mask to the box of its ink."""
    x, y, width, height = cv2.boundingRect((ink > 40).astype(np.uint8))
    return ink[y : y + height, x : x + width]


def render(tokens: Tokens, font: str, em_px: float) -> NDArray[np.uint8]:
    """Ink coverage [H, W] uint8 (255 = ink) of a formula, cut to its ink; raises ValueError if nothing was drawn.

    The tokens are joined before they are rendered: mathtext silently drops a script written with spaces.
    """
    properties = FontProperties(size=em_px, math_fontfamily=font)
    parsed = _parser().parse(f"${detokenize(tokens)}$", dpi=72, prop=properties)
    ink = trim(np.asarray(parsed.image, dtype=np.uint8))
    if ink.size == 0:
        raise ValueError(f"formula {detokenize(tokens)!r} drew no ink in font {font!r}; check its tokens")
    return ink
