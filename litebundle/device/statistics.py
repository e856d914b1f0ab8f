"""Figures over restarts with their intervals; docs/device.md states the formulas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf, isinf, sqrt

import numpy as np

from litebundle.device.samples import Floats

RESAMPLES = 500
SEED = 20
# Student's t, quantile 0.95, for 1, 2, … 20 degrees of freedom, and the normal distribution's.
_T95 = (
    6.3138, 2.9200, 2.3534, 2.1318, 2.0150, 1.9432, 1.8946, 1.8595, 1.8331, 1.8125,
    1.7959, 1.7823, 1.7709, 1.7613, 1.7531, 1.7459, 1.7396, 1.7341, 1.7291, 1.7247,
)  # fmt: skip
_NORMAL95 = 1.6449


@dataclass(frozen=True)
class Figure:
    """A 90th percentile over restarts, in ms: mean, its standard error, and its degrees of freedom."""

    value: float
    error: float
    freedom: float

    @property
    def low(self) -> float:
        """One-sided 95 % bound: the true value lies below it in 5 of 100 cases."""
        return self.value - t95(self.freedom) * self.error

    @property
    def high(self) -> float:
        return self.value + t95(self.freedom) * self.error


def p90(samples_ms: Floats) -> float:
    """The smallest sample that 90 % of the samples do not exceed (nearest rank); [n] ms, n ≥ 1."""
    return float(np.sort(samples_ms)[ceil(len(samples_ms) * 90 / 100) - 1])


def p90_error(samples_ms: Floats) -> float:
    """Standard error of `p90` by a circular block bootstrap with blocks of ⌈√n⌉ neighbours; [n] ms in order of time."""
    size = len(samples_ms)
    block = ceil(sqrt(size))
    starts = np.random.default_rng(SEED).integers(0, size, (RESAMPLES, ceil(size / block)))
    # One at a time: all resamples of an hour at once would take gigabytes.
    resamples = (samples_ms[(each[:, None] + np.arange(block)).ravel()[:size] % size] for each in starts)
    rank = ceil(size * 90 / 100) - 1
    return float(np.std([np.partition(resample, rank)[rank] for resample in resamples], ddof=1))


def over_restarts(runs: Sequence[Floats]) -> Figure:
    """The p90 of R ≥ 1 restarts: mean q̄ and u² = max(s², v̄) / R.

    s² is the variance of the restarts' p90 (R − 1 degrees of freedom), v̄ the mean of their squared `p90_error`: three
    restarts that happen to agree are not more certain than each of them is by itself. One restart has v alone.
    """
    values = np.array([p90(run) for run in runs])
    within = float(np.mean([p90_error(run) ** 2 for run in runs]))
    count = len(values)
    between = float(values.var(ddof=1)) if count > 1 else 0.0
    return Figure(float(values.mean()), sqrt(max(between, within) / count), count - 1 if count > 1 else inf)


def difference(new: Figure, old: Figure) -> Figure:
    """new − old, with Welch and Satterthwaite's degrees of freedom."""
    a, b = new.error**2, old.error**2
    freedom = (a + b) ** 2 / (a**2 / new.freedom + b**2 / old.freedom) if a + b else min(new.freedom, old.freedom)
    return Figure(new.value - old.value, sqrt(a + b), freedom)


def t95(freedom: float) -> float:
    """Student's t, quantile 0.95, at the tabled degrees of freedom below: the wider interval."""
    return _NORMAL95 if isinf(freedom) else _T95[min(max(1, int(freedom)), len(_T95)) - 1]
