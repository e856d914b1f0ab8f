"""The interval against scipy's percentile bootstrap, its coverage, and its edge cases."""

from __future__ import annotations

import math
from importlib import import_module

import numpy as np
import pytest
from scipy import stats

from quantize.drift.bootstrap import bootstrap_mean_difference


def paired_losses(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    a = generator.gamma(2.0, 1.0, count)
    return a, a - generator.normal(0.3, 0.5, count)


@pytest.mark.parametrize("count", [5, 30, 200])
def test_agrees_with_scipy(count: int) -> None:
    a, b = paired_losses(count, count)
    mine = bootstrap_mean_difference(a, b, resamples=40_000)
    peer = stats.bootstrap(
        (a, b),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=40_000,
        rng=np.random.default_rng(7),
    ).confidence_interval
    spread = peer.high - peer.low
    assert mine.mean == pytest.approx(np.mean(a - b), rel=1e-12)
    assert mine.low == pytest.approx(peer.low, abs=0.02 * spread)
    assert mine.high == pytest.approx(peer.high, abs=0.02 * spread)
    assert mine.count == count


def test_weighted_agrees_with_scipy_on_pooled_ratios() -> None:
    generator = np.random.default_rng(3)
    count = 60
    a_weight, b_weight = generator.integers(1, 9, count), generator.integers(1, 9, count)
    a_hits, b_hits = generator.binomial(a_weight, 0.8), generator.binomial(b_weight, 0.7)
    mine = bootstrap_mean_difference(
        a_hits / a_weight, b_hits / b_weight, a_weights=a_weight, b_weights=b_weight, resamples=40_000
    )
    peer = stats.bootstrap(
        (a_hits, a_weight, b_hits, b_weight),
        lambda ah, aw, bh, bw, axis: ah.sum(axis) / aw.sum(axis) - bh.sum(axis) / bw.sum(axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=40_000,
        rng=np.random.default_rng(7),
    ).confidence_interval
    spread = peer.high - peer.low
    assert mine.mean == pytest.approx(a_hits.sum() / a_weight.sum() - b_hits.sum() / b_weight.sum())
    assert mine.low == pytest.approx(peer.low, abs=0.02 * spread)
    assert mine.high == pytest.approx(peer.high, abs=0.02 * spread)


def test_covers_the_truth_about_as_often_as_it_says() -> None:
    truth = 0.3
    hits = sum(
        interval.low <= truth <= interval.high
        for seed in range(300)
        for interval in [bootstrap_mean_difference(*paired_losses(60, seed), resamples=500, seed=seed)]
    )
    # 95 % of 300 is 285; four binomial standard deviations are 15, and percentile intervals run a little
    # short.
    assert 265 <= hits <= 298


def test_same_seed_same_interval_and_slabs_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = paired_losses(50, 1)
    first = bootstrap_mean_difference(a, b, seed=5)
    assert first == bootstrap_mean_difference(a, b, seed=5)
    assert first != bootstrap_mean_difference(a, b, seed=6)
    monkeypatch.setattr(import_module("quantize.drift.bootstrap"), "_SLAB_INDICES", 100)
    assert first == bootstrap_mean_difference(a, b, seed=5)


def test_no_sample_gives_nan_and_a_count_of_zero() -> None:
    interval = bootstrap_mean_difference(np.empty(0), np.empty(0))
    assert math.isnan(interval.mean) and math.isnan(interval.low) and math.isnan(interval.high)
    assert interval.count == 0


def test_one_sample_gives_zero_width_and_says_so_by_its_count() -> None:
    interval = bootstrap_mean_difference(np.array([2.0]), np.array([0.5]))
    assert (interval.mean, interval.low, interval.high, interval.count) == (1.5, 1.5, 1.5, 1)


def test_a_side_without_weight_gives_nan() -> None:
    interval = bootstrap_mean_difference(np.ones(3), np.ones(3), b_weights=np.zeros(3))
    assert math.isnan(interval.mean) and interval.count == 3


def test_a_sample_of_weight_zero_does_not_move_the_mean() -> None:
    a, b, weights = np.array([1.0, 99.0, 3.0]), np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 3.0])
    interval = bootstrap_mean_difference(a, b, a_weights=weights, b_weights=weights)
    assert interval.mean == pytest.approx((1 * 1 + 3 * 2) / 4)
    assert 1.0 <= interval.low <= interval.high <= 2.0


@pytest.mark.parametrize(
    ("a", "b", "weights", "fault"),
    [
        ([1.0, 2.0], [1.0], None, r"must all be \[n\]"),
        ([1.0, math.nan], [1.0, 2.0], None, "finite"),
        ([1.0, 2.0], [1.0, 2.0], [1.0, -1.0], "negative"),
    ],
)
def test_refuses_what_is_not_paired(a: list[float], b: list[float], weights: list[float] | None, fault: str) -> None:
    given = None if weights is None else np.array(weights)
    with pytest.raises(ValueError, match=fault):
        bootstrap_mean_difference(np.array(a), np.array(b), a_weights=given)
