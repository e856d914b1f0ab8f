"""The four metrics against numpy and scipy over the whole data at once, and their edge cases from the
docstrings.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cosine as scipy_cosine_distance

from quantize.drift.cosine import cosine
from quantize.drift.max_abs import max_abs
from quantize.drift.moments import Moments
from quantize.drift.rms import rms
from quantize.drift.sqnr import sqnr_db


def moments_of(reference: np.ndarray, test: np.ndarray) -> Moments:
    moments = Moments()
    moments.update(np.asarray(reference, np.float64), np.asarray(test, np.float64))
    return moments


@pytest.mark.parametrize("elements", [1, 7, 8192, 8193, 50_000])
def test_metrics_agree_with_numpy_and_scipy(elements: int) -> None:
    generator = np.random.default_rng(elements)
    reference = generator.normal(3.0, 2.0, elements)
    test = reference + generator.normal(0.0, 0.1, elements)
    moments = moments_of(reference, test)
    error = reference - test
    assert sqnr_db(moments) == pytest.approx(10 * np.log10((reference**2).sum() / (error**2).sum()), rel=1e-12)
    assert max_abs(moments) == np.abs(error).max()
    assert rms(moments) == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-12)
    assert cosine(moments) == pytest.approx(1 - scipy_cosine_distance(reference, test), rel=1e-12)


def test_known_sqnr_of_uniform_rounding() -> None:
    # Rounding to steps of d leaves uniform noise of power d²/12; a full-scale sine has power 1/2.
    reference = np.sin(np.linspace(0, 2000 * math.pi, 1_000_003))
    step = 2.0**-7
    test = np.round(reference / step) * step
    assert sqnr_db(moments_of(reference, test)) == pytest.approx(10 * math.log10(0.5 / (step**2 / 12)), abs=0.1)


@given(
    st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=60),
    st.integers(0, 60),
)
def test_merging_parts_is_the_whole(values: list[tuple[float, float]], cut: int) -> None:
    reference, test = np.array(values).T
    parts = moments_of(reference[:cut], test[:cut]).merge(moments_of(reference[cut:], test[cut:]))
    whole = moments_of(reference, test)
    assert parts.elements == whole.elements
    assert parts.error_max_abs == whole.error_max_abs
    for name in ("reference_squares", "test_squares", "products", "error_squares"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name), rel=1e-12, abs=1e-9)


def test_identical_streams() -> None:
    moments = moments_of([1.0, -2.0], [1.0, -2.0])
    assert (sqnr_db(moments), cosine(moments), max_abs(moments), rms(moments)) == (math.inf, 1.0, 0.0, 0.0)


def test_two_dead_streams_agree() -> None:
    moments = moments_of([0.0, 0.0], [0.0, 0.0])
    assert (sqnr_db(moments), cosine(moments)) == (math.inf, 1.0)


def test_dead_reference_against_live_test_is_no_match() -> None:
    moments = moments_of([0.0, 0.0], [0.0, 1e-9])
    assert (sqnr_db(moments), cosine(moments), max_abs(moments)) == (-math.inf, 0.0, 1e-9)


def test_dead_test_against_live_reference() -> None:
    moments = moments_of([1.0, 2.0], [0.0, 0.0])
    assert (sqnr_db(moments), cosine(moments)) == (0.0, 0.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_non_finite_value_never_leaves(bad: float) -> None:
    moments = moments_of([1.0, 1.0], [1.0, bad])
    moments.update(np.ones(1000), np.ones(1000))
    assert moments.reference_finite and not moments.test_finite
    for metric in (sqnr_db, cosine, max_abs, rms):
        assert math.isnan(metric(moments))


def test_close_streams_keep_their_digits() -> None:
    # 1e4 against 1e4 + 1e-7: expanding the square would lose the error altogether.
    reference = np.full(100, 1e4)
    assert rms(moments_of(reference, reference + 1e-7)) == pytest.approx(1e-7, rel=1e-4)
