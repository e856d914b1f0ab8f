"""Largest absolute error."""

from __future__ import annotations

import math

from quantize.drift.moments import Moments


def max_abs(moments: Moments) -> float:
    """``max |r - t|`` in the tensor's own unit. An empty stream gives 0, non-finite values give NaN."""
    return moments.error_max_abs if moments.finite else math.nan
