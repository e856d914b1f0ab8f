"""Order-free observers of tensor values, and the ranges that they give.

An observer's state is a function of the *multiset* of values it has seen: merging in any order and any grouping
gives the identical state.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from quantize.errors import QuantizationError

_BINS = 4096
_SMALLEST_EXPONENT = -140  # bins below float32's subnormal spacing (2**-149) gain nothing
_INDEX_BITS = 23  # a bin's index stays exact in float32


@dataclass(frozen=True)
class Range:
    """Values from `min` to `max` (real numbers) over `count` samples."""

    min: float
    max: float
    count: int


class Observer(Protocol):
    @property
    def count(self) -> int: ...

    def merge(self, other: Any) -> Any: ...

    def range(self, percentile: float) -> Range: ...

    def to_plain(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class MinMax:
    """Smallest and largest value over `count` samples."""

    min: float
    max: float
    count: int

    def merge(self, other: MinMax) -> MinMax:
        return MinMax(min(self.min, other.min), max(self.max, other.max), self.count + other.count)

    def range(self, percentile: float) -> Range:
        return Range(self.min, self.max, self.count)

    def to_plain(self) -> dict[str, Any]:
        return {"min": self.min, "max": self.max, "count": self.count}


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of values in bins [i, i + 1) * 2**exponent, at most 4096 bins from `first` on.

    The exponent is the smallest for which the span of all values fits, so it follows from the smallest and largest
    value alone; halving the resolution maps bin i to i >> 1 exactly. Hence merge is associative and commutative.
    """

    min: float
    max: float
    exponent: int
    first: int
    bins: np.ndarray[Any, Any]
    count: int

    @staticmethod
    def of(values: np.ndarray[Any, Any]) -> Histogram:
        """Histogram of one sample's finite float values, any shape, at least one element."""
        flat = values.ravel()
        low, high = float(flat.min()) + 0.0, float(flat.max()) + 0.0  # -0.0 becomes 0.0: equal sets, equal states
        exponent = _exponent(low, high)
        first = _bin(low, exponent)
        indices = np.floor(np.ldexp(flat.astype(np.float64), -exponent)).astype(np.int64) - first
        return Histogram(low, high, exponent, first, np.bincount(indices), 1)

    def merge(self, other: Histogram) -> Histogram:
        low, high = min(self.min, other.min), max(self.max, other.max)
        exponent = _exponent(low, high)
        first, last = _bin(low, exponent), _bin(high, exponent)
        bins = np.zeros(last - first + 1, np.int64)
        for part in (self, other):
            start, coarse = _coarsen(part.first, part.bins, exponent - part.exponent)
            bins[start - first : start - first + len(coarse)] += coarse
        return Histogram(low, high, exponent, first, bins, self.count + other.count)

    def range(self, percentile: float) -> Range:
        """From the (100 - percentile)th to the percentile-th percentile, each at its bin's outer edge."""
        tail = (1 - percentile / 100) * float(self.bins.sum())
        below, above = np.cumsum(self.bins), np.cumsum(self.bins[::-1])
        lowest = int(np.searchsorted(below, tail, side="right"))
        highest = len(self.bins) - 1 - int(np.searchsorted(above, tail, side="right"))
        edge = 2.0**self.exponent
        return Range(
            max(self.min, (self.first + lowest) * edge), min(self.max, (self.first + highest + 1) * edge), self.count
        )

    def to_plain(self) -> dict[str, Any]:
        plain = {"min": self.min, "max": self.max, "count": self.count}
        return {**plain, "exponent": self.exponent, "first": self.first, "bins": self.bins.tolist()}


@dataclass(frozen=True)
class Derived:
    """A tensor whose range is the union of other tensors' ranges and of fixed values."""

    name: str
    sources: tuple[str, ...]
    fixed: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Ranges:
    """What calibration saw: an observer per float tensor that needs one, and rules for the others. Immutable."""

    method: str
    percentile: float
    observers: Mapping[str, Observer]
    derived: tuple[Derived, ...] = ()

    @property
    def tensors(self) -> Mapping[str, Range]:
        """The range of every float tensor of the model, by name."""
        observed = {name: observer.range(self.percentile) for name, observer in self.observers.items()}
        return with_derived(observed, self.derived)

    def merge(self, other: Ranges) -> Ranges:
        """The ranges of both calibrations' samples together.

        Raises QuantizationError when the two are not of the same model and method.
        """
        if (self.method, self.percentile) != (other.method, other.percentile):
            raise QuantizationError(
                f"cannot merge '{self.method}' ranges with '{other.method}' ranges: calibrate both alike"
            )
        if strangers := sorted(set(self.observers) ^ set(other.observers)):
            raise QuantizationError(f"cannot merge ranges of different models: only one has '{strangers[0]}'")
        merged = {name: observer.merge(other.observers[name]) for name, observer in self.observers.items()}
        return Ranges(self.method, self.percentile, merged, self.derived)

    def to_json(self) -> str:
        """JSON with every number exact (shortest decimal that reads back as the same float64)."""
        observers = {name: observer.to_plain() for name, observer in sorted(self.observers.items())}
        derived = [[rule.name, rule.sources, rule.fixed] for rule in self.derived]
        return json.dumps(
            {"method": self.method, "percentile": self.percentile, "observed": observers, "derived": derived}
        )

    @staticmethod
    def from_json(document: str) -> Ranges:
        """Raises QuantizationError unless `document` came from `to_json`."""
        try:
            plain = json.loads(document)
            observers = {name: _from_plain(state) for name, state in plain["observed"].items()}
            derived = tuple(Derived(name, tuple(sources), tuple(fixed)) for name, sources, fixed in plain["derived"])
            return Ranges(str(plain["method"]), float(plain["percentile"]), observers, derived)
        except (ValueError, KeyError, TypeError) as fault:
            raise QuantizationError(f"not a document of calibration ranges ({fault}); calibrate again") from fault


def with_derived(observed: Mapping[str, Range], derived: Iterable[Derived]) -> dict[str, Range]:
    """`observed` and the ranges that follow from it; each rule may build on the ones before it."""
    ranges = dict(observed)
    count = max((known.count for known in observed.values()), default=0)
    for rule in derived:
        ends = list(rule.fixed)
        for source in rule.sources:
            ends += [ranges[source].min, ranges[source].max]
        ranges[rule.name] = Range(min(ends), max(ends), count)
    return ranges


def _from_plain(state: Mapping[str, Any]) -> Observer:
    if "bins" in state:
        return Histogram(**{**state, "bins": np.asarray(state["bins"], np.int64)})
    return MinMax(**state)


def _bin(value: float, exponent: int) -> int:
    return math.floor(math.ldexp(value, -exponent))


def _coarsen(first: int, bins: np.ndarray[Any, Any], steps: int) -> tuple[int, np.ndarray[Any, Any]]:
    """`bins` at a resolution 2**steps times coarser, and the number of its first bin."""
    indices = ((first + np.arange(len(bins))) >> steps) - (first >> steps)
    return first >> steps, np.bincount(indices, weights=bins).astype(np.int64)


def _exponent(low: float, high: float) -> int:
    """Smallest exponent with the span in at most 4096 bins and every index below 2**23."""
    magnitude = max(abs(low), abs(high))
    exponent = max(_SMALLEST_EXPONENT, math.frexp(magnitude)[1] - _INDEX_BITS) if magnitude else _SMALLEST_EXPONENT
    while _bin(high, exponent) - _bin(low, exponent) >= _BINS:
        exponent += 1
    return exponent
