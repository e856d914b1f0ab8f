"""Tensor pairs gathered sample by sample, turned into moments block by block."""

from __future__ import annotations

import numpy as np

from quantize.drift.match import Pair
from quantize.drift.moments import Moments
from quantize.drift.side import Side

# One block of float64 values, both models and all pairs together; bounds memory, and spreads the cost of a
# numpy call over many samples where tensors are small.
_BLOCK_BYTES = 16 << 20
_BLOCK_SAMPLES = 64


class NonFinite(Exception):
    """A NaN or an infinity turned up; ``sample`` is the index of the first sample that shows one."""

    def __init__(self, sample: int, pair: Pair, role: str) -> None:
        super().__init__(sample, pair, role)
        self.sample, self.pair, self.role = sample, pair, role


class PairStream:
    """Call `read` after each run of both sides and `flush` at the end; `moments` has one entry per pair."""

    def __init__(self, reference: Side, test: Side, pairs: tuple[Pair, ...]) -> None:
        self._reference, self._test, self._pairs = reference, test, pairs
        elements = sum(int(np.prod(pair.reference.shape)) for pair in pairs)
        rows = max(1, min(_BLOCK_SAMPLES, _BLOCK_BYTES // (16 * max(1, elements))))
        self._blocks = [np.empty((2, rows, *pair.reference.shape)) for pair in pairs]
        self._rows, self._filled, self.samples = rows, 0, 0
        self.moments = tuple(Moments() for _ in pairs)

    def read(self) -> None:
        for pair, block in zip(self._pairs, self._blocks, strict=True):
            block[0, self._filled] = self._reference.raw(pair.reference)
            block[1, self._filled] = self._test.raw(pair.test)
        self._filled += 1
        self.samples += 1
        if self._filled == self._rows:
            self.flush()

    def flush(self) -> None:
        """Adds what is waiting to the moments; raises NonFinite for the earliest sample with a bad value."""
        filled, self._filled = self._filled, 0
        for pair, block, moments in zip(self._pairs, self._blocks, self.moments, strict=True):
            moments.update(pair.reference.dequantize(block[0, :filled]), pair.test.dequantize(block[1, :filled]))
        if not all(moments.finite for moments in self.moments):
            raise self._earliest(filled)

    def _earliest(self, filled: int) -> NonFinite:
        bad = []
        for order, (pair, block) in enumerate(zip(self._pairs, self._blocks, strict=True)):
            for side, role in enumerate((self._reference.role, self._test.role)):
                finite = np.isfinite(block[side, :filled].reshape(filled, -1)).all(axis=1)
                if not finite.all():
                    bad.append((int(np.argmin(finite)), side, order, pair, role))
        row, _, _, pair, role = min(bad, key=lambda entry: entry[:3])
        return NonFinite(self.samples - filled + row, pair, role)
