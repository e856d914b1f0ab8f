from __future__ import annotations

import math
from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from quantize import QuantizationError, Ranges
from quantize.observers import Derived, Histogram, MinMax

FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)
SAMPLES = st.lists(arrays.arrays(np.float32, st.integers(1, 30), elements=FINITE), min_size=1, max_size=6)


def state(histogram: Histogram) -> str:
    return Ranges("percentile", 99.0, {"x": histogram}).to_json()


@given(SAMPLES, st.randoms())
def test_histograms_merge_to_the_same_state_in_any_order_and_grouping(samples, random) -> None:
    parts = [Histogram.of(sample) for sample in samples]
    in_order = reduce(Histogram.merge, parts)
    while len(parts) > 1:
        random.shuffle(parts)
        parts.append(parts.pop().merge(parts.pop()))
    assert state(parts[0]) == state(in_order)


@given(SAMPLES)
def test_merged_histogram_counts_the_pooled_values(samples) -> None:
    merged = reduce(Histogram.merge, [Histogram.of(sample) for sample in samples])
    pooled = np.concatenate(samples).astype(np.float64)
    assert (merged.min, merged.max, merged.count) == (pooled.min(), pooled.max(), len(samples))
    assert len(merged.bins) <= 4096
    width = 2.0**merged.exponent
    edges = (merged.first + np.arange(len(merged.bins) + 1)) * width
    expected = [np.count_nonzero((pooled >= low) & (pooled < high)) for low, high in pairwise(edges)]
    assert merged.bins.tolist() == expected


@given(SAMPLES, st.floats(51, 100))
def test_percentile_range_holds_the_order_statistics(samples, percentile) -> None:
    """At most (100 - p) % of the values lie below the range and at most as many above, and one bin less cuts more."""
    merged = reduce(Histogram.merge, [Histogram.of(sample) for sample in samples])
    pooled = np.concatenate(samples).astype(np.float64)
    known = merged.range(percentile)
    allowed = (1 - percentile / 100) * pooled.size
    assert np.count_nonzero(pooled < known.min) <= allowed
    assert np.count_nonzero(pooled > known.max) <= allowed
    width = 2.0**merged.exponent
    assert known.min == merged.min or np.count_nonzero(pooled < known.min + width) > allowed
    assert known.max == merged.max or np.count_nonzero(pooled >= known.max - width) > allowed
    assert merged.min <= known.min <= known.max <= merged.max


def test_hundredth_percentile_is_the_whole_range() -> None:
    values = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    known = Histogram.of(values).range(100)
    assert (known.min, known.max) == (values.min(), values.max())


def test_percentile_cuts_a_lone_outlier() -> None:
    values = np.append(np.random.default_rng(0).uniform(-1, 1, 20000), 1000).astype(np.float32)
    known = Histogram.of(values).range(99.9)
    assert known.max < 2


@given(SAMPLES)
def test_min_max_is_exact_and_order_free(samples) -> None:
    parts = [MinMax(float(s.min()), float(s.max()), 1) for s in samples]
    pooled = np.concatenate(samples)
    expected = MinMax(float(pooled.min()), float(pooled.max()), len(samples))
    assert reduce(MinMax.merge, parts) == reduce(MinMax.merge, parts[::-1]) == expected


@given(SAMPLES, FINITE, FINITE)
def test_json_keeps_every_bit(samples, a, b) -> None:
    observers = {"x": Histogram.of(samples[0]), "y": MinMax(min(a, b), max(a, b), 3)}
    ranges = Ranges("percentile", 99.99, observers, (Derived("z", ("x",), (0.1,)),))
    again = Ranges.from_json(ranges.to_json())
    assert again.to_json() == ranges.to_json()
    assert again.tensors == ranges.tensors


def test_derived_range_is_the_union() -> None:
    observers = {"a": MinMax(-1.0, 2.0, 5), "b": MinMax(0.0, 7.0, 5)}
    rules = (Derived("c", ("a", "b")), Derived("d", ("c",), (-math.pi,)))
    tensors = Ranges("minmax", 99.99, observers, rules).tensors
    assert (tensors["c"].min, tensors["c"].max) == (-1.0, 7.0)
    assert (tensors["d"].min, tensors["d"].max) == (-math.pi, 7.0)


def test_ranges_of_different_models_do_not_merge() -> None:
    one, other = (Ranges("minmax", 99.99, {name: MinMax(0.0, 1.0, 1)}) for name in "ab")
    with pytest.raises(QuantizationError, match="different models"):
        one.merge(other)


def test_ranges_of_different_methods_do_not_merge() -> None:
    one, other = (Ranges(method, 99.99, {"a": MinMax(0.0, 1.0, 1)}) for method in ("minmax", "percentile"))
    with pytest.raises(QuantizationError, match="calibrate both alike"):
        one.merge(other)


@pytest.mark.parametrize(
    "document", ["", "{}", "[1]", '{"method": "minmax", "percentile": 1, "observed": {"a": {"b": 1}}}']
)
def test_foreign_json_is_refused(document: str) -> None:
    with pytest.raises(QuantizationError, match="calibrate again"):
        Ranges.from_json(document)
