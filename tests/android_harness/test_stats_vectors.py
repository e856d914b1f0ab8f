"""The statistics vectors on disk are what numpy gives, and numpy's formulation agrees with scipy and with theory."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tests.android_harness import make_stats_vectors as maker


def test_vectors_on_disk_are_those_of_the_maker() -> None:
    found = {path.name: path.read_bytes() for path in maker.FOLDER.glob("*")}
    assert found == {f"{case.name}.json": case.content() for case in maker.cases()}
    assert sum(len(content) for content in found.values()) < 100_000


def test_blocks_of_one_are_the_ordinary_bootstrap_of_scipy() -> None:
    samples = maker.autoregressive(11, 301, 0.0)
    ours = maker.bootstrap(samples, 1, 2000, 3)["50"]
    theirs = stats.bootstrap(
        (samples,),
        np.median,
        n_resamples=2000,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    width = theirs.high - theirs.low
    assert ours == pytest.approx([theirs.low, theirs.high], abs=0.1 * width)


@pytest.mark.parametrize("memory", [0.3, 0.6, 0.8])
def test_block_length_nears_the_optimum_of_an_autoregressive_process(memory: float) -> None:
    """For R(k) = φ^|k|, Σ |k| R(k) / Σ R(k) = 2 φ / (1 − φ²)."""
    count = 4000
    optimum = (1.5 * (2 * memory / (1 - memory**2)) ** 2 * count) ** (1 / 3)
    found = [maker.block_length(maker.autoregressive(seed, count, memory)) for seed in range(10, 20)]
    assert np.median(found) == pytest.approx(optimum, rel=0.25)
