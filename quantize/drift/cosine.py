"""Cosine similarity."""

from __future__ import annotations

import math

from quantize.drift.moments import Moments


def cosine(moments: Moments) -> float:
    """``sum r t / sqrt(sum r² sum t²)`` over the whole stream seen as one vector, in [-1, 1].

    Two dead streams (all zero) agree: 1. A dead stream against a live one: 0. Non-finite values give NaN.
    """
    if not moments.finite:
        return math.nan
    if moments.error_squares == 0.0:
        return 1.0
    if moments.reference_squares == 0.0 or moments.test_squares == 0.0:
        return 0.0
    ratio = moments.products / (math.sqrt(moments.reference_squares) * math.sqrt(moments.test_squares))
    return max(-1.0, min(1.0, ratio))
