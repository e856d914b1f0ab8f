"""Root mean square error."""

from __future__ import annotations

import math

from quantize.drift.moments import Moments


def rms(moments: Moments) -> float:
    """``sqrt(sum (r - t)² / n)`` in the tensor's own unit. An empty stream gives 0, non-finite values give
    NaN.
    """
    if not moments.finite:
        return math.nan
    return math.sqrt(moments.error_squares / moments.elements) if moments.elements else 0.0
