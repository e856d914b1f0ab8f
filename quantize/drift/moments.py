"""The sums every drift metric is made of, gathered in one pass and mergeable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Below the length at which OpenBLAS spreads a dot product over threads: a sum must not depend on their
# number, and waking them costs milliseconds. It also keeps the difference in the cache.
_CHUNK_ELEMENTS = 8192


@dataclass
class Moments:
    """Streaming float64 sums over pairs (reference r, test t) of equal shape.

    The error sum is taken from the differences themselves, never as ``sum r² - 2 sum r t + sum t²``, which
    loses all digits when the two are close.
    """

    reference_squares: float = 0.0
    test_squares: float = 0.0
    products: float = 0.0
    error_squares: float = 0.0
    error_max_abs: float = 0.0
    elements: int = 0

    def update(self, reference: NDArray[Any], test: NDArray[Any]) -> None:
        """Add float64 arrays of equal shape; a NaN or infinity in them makes `finite` False for good."""
        reference, test = reference.reshape(-1), test.reshape(-1)
        with np.errstate(invalid="ignore", over="ignore"):
            for start in range(0, reference.size, _CHUNK_ELEMENTS):
                chunk = slice(start, start + _CHUNK_ELEMENTS)
                self._add(reference[chunk], test[chunk])

    def _add(self, r: NDArray[Any], t: NDArray[Any]) -> None:
        error = r - t
        self.reference_squares += float(np.dot(r, r))
        self.test_squares += float(np.dot(t, t))
        self.products += float(np.dot(r, t))
        self.error_squares += float(np.dot(error, error))
        self.error_max_abs = max(self.error_max_abs, float(error.max()), -float(error.min()))
        self.elements += r.size

    def merge(self, other: Moments) -> Moments:
        """The moments of both streams together."""
        return Moments(
            self.reference_squares + other.reference_squares,
            self.test_squares + other.test_squares,
            self.products + other.products,
            self.error_squares + other.error_squares,
            max(self.error_max_abs, other.error_max_abs),
            self.elements + other.elements,
        )

    @property
    def reference_finite(self) -> bool:
        """Squares of float32 values cannot overflow float64, so a non-finite sum is a non-finite element."""
        return bool(np.isfinite(self.reference_squares))

    @property
    def test_finite(self) -> bool:
        return bool(np.isfinite(self.test_squares))

    @property
    def finite(self) -> bool:
        return self.reference_finite and self.test_finite
