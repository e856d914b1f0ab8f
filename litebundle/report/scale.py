"""From values to places along an axis, in percent of its length, so that plots stretch with the page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

_INTERVALS = 4


@dataclass(frozen=True)
class Scale:
    low: float
    high: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Percent of the axis' length, 0 to 100; values outside the axis are put at its ends."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(1.0, max(0.0, share)), 2)


def scale_over(values: Iterable[float | None], *, include: float = 0.0) -> Scale:
    """A scale over all finite values and `include`, up to rounding, with ticks at round figures."""
    finite = [include, *(value for value in values if value is not None and isfinite(value))]
    low, high = min(finite), max(finite)
    step = _round_step((high - low or 1.0) / _INTERVALS)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    last = max(last, first + 1)
    # Whole multiples, not sums: 3 * 0.1 prints as 0.3 once rounded.
    ticks = tuple(float(f"{i * step:.12g}") for i in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], ticks)


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10 times a power of ten that is not below `least`."""
    power = 10.0 ** floor(log10(least))
    return power * next(factor for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))
