"""Paired percentile bootstrap (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

# Resamples are drawn in slabs of about this many indices, so that memory does not grow with the sample count.
_SLAB_INDICES = 1 << 20


@dataclass(frozen=True)
class Interval:
    """A mean, its confidence interval and the number of samples (not of resamples) that it rests on."""

    mean: float
    low: float
    high: float
    count: int


def bootstrap_mean_difference(
    a: NDArray[Any],
    b: NDArray[Any],
    *,
    a_weights: NDArray[Any] | None = None,
    b_weights: NDArray[Any] | None = None,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Mean of ``a`` minus mean of ``b``, paired per sample, with its percentile bootstrap interval.

    ``a`` and ``b`` are [n], sample i of one paired with sample i of the other. With weights [n] (not
    negative, 1 by default) a mean is ``sum w x / sum w``, and a resample carries the weights of the samples
    it drew: so per-sample ratios weighted by their denominators give the interval of the pooled ratio.
    Resamples come from PCG64(seed): same input, same interval.

    Edge cases: n = 0, or a side without any weight, gives NaN throughout; n = 1, or samples that all differ
    by the same amount, give an interval of zero width. The width then says nothing: read ``count``. A
    resample in which one side drew no weight is left out. Raises ValueError for shapes that differ, a
    negative weight or a non-finite value.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    a_w = np.ones_like(a) if a_weights is None else np.asarray(a_weights, np.float64)
    b_w = np.ones_like(b) if b_weights is None else np.asarray(b_weights, np.float64)
    _check(a, b, a_w, b_w)
    count = a.size
    if not (a_w.any() and b_w.any()):
        return Interval(np.nan, np.nan, np.nan, count)
    mean = float((a_w * a).sum() / a_w.sum() - (b_w * b).sum() / b_w.sum())
    generator = np.random.Generator(np.random.PCG64(seed))
    columns = np.stack([a_w * a, a_w, b_w * b, b_w], axis=1)
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(_resampled_differences(columns, resamples, generator), [tail, 1.0 - tail])
    return Interval(mean, float(low), float(high), count)


def _check(a: Vector, b: Vector, a_weights: Vector, b_weights: Vector) -> None:
    if a.ndim != 1 or not a.shape == b.shape == a_weights.shape == b_weights.shape:
        shapes = f"{a.shape} and {b.shape} with weights {a_weights.shape} and {b_weights.shape}"
        raise ValueError(f"paired values and their weights must all be [n], not {shapes}")
    if not all(np.isfinite(x).all() for x in (a, b, a_weights, b_weights)):
        raise ValueError("paired values and their weights must be finite")
    if (a_weights < 0).any() or (b_weights < 0).any():
        raise ValueError("weights must not be negative")


def _resampled_differences(columns: Vector, resamples: int, generator: np.random.Generator) -> Vector:
    """Difference of the weighted means of each resample, [resamples] less those where a side drew no weight.

    ``columns`` [n, 4]: weighted a, its weight, weighted b, its weight. A resample is a row of
    multiplicities, so its four sums are one matrix product.
    """
    count = len(columns)
    rows = max(1, _SLAB_INDICES // count)
    slabs = []
    for start in range(0, resamples, rows):
        drawn = generator.integers(0, count, size=(min(rows, resamples - start), count))
        drawn += count * np.arange(len(drawn))[:, None]
        times = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)
        # einsum adds up in one order; the BLAS behind @ lets the number of its threads decide.
        slabs.append(np.einsum("rn,nk->rk", times, columns))
    sums = np.concatenate(slabs)
    live = sums[(sums[:, 1] > 0) & (sums[:, 3] > 0)]
    difference: Vector = live[:, 0] / live[:, 1] - live[:, 2] / live[:, 3]
    return difference
