"""Signal to quantization noise ratio."""

from __future__ import annotations

import math

from quantize.drift.moments import Moments


def sqnr_db(moments: Moments) -> float:
    """``10 log10(sum r² / sum (r - t)²)`` in dB; higher is better.

    Identical streams give +inf, also when both are all zero. A dead reference (all zero) against a live
    test gives -inf: not a perfect match. A dead test against a live reference gives 0 dB. Non-finite values
    give NaN.
    """
    if not moments.finite:
        return math.nan
    if moments.error_squares == 0.0:
        return math.inf
    if moments.reference_squares == 0.0:
        return -math.inf
    return 10.0 * (math.log10(moments.reference_squares) - math.log10(moments.error_squares))
