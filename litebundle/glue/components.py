"""Connected components of a mask, by runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def label_components(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], int]:
    """mask [h, w] -> labels int64 [h, w] (0 outside, components from 1) and the count of components.

    Pixels that touch by a side or a corner belong together. Components are numbered in the row-major order of
    their first pixels.
    """
    rows, columns = mask.shape
    # One empty column at the end keeps a run within its row.
    stride = columns + 1
    flat = np.zeros(rows * stride + 1, np.int8)
    flat[1:].reshape(rows, stride)[:, :columns] = mask
    change = np.diff(flat, append=np.int8(0))
    starts, ends = np.flatnonzero(change == 1), np.flatnonzero(change == -1)

    # A run touches those of the row above that end at or after its start and start at or before its end.
    first_above = np.searchsorted(ends, starts - stride)
    after_above = np.searchsorted(starts, ends - stride, side="right")
    touching = np.maximum(after_above - first_above, 0)
    below = np.repeat(np.arange(len(starts)), touching)
    above = first_above[below] + np.arange(len(below)) - (np.cumsum(touching) - touching)[below]

    roots = _lowest_connected(len(starts), above, below)
    first_runs, numbers = np.unique(roots, return_inverse=True)
    labels = np.zeros(rows * stride, np.int64)
    np.add.at(labels, starts, numbers + 1)
    np.subtract.at(labels, ends[ends < len(labels)], numbers[ends < len(labels)] + 1)
    return np.cumsum(labels).reshape(rows, stride)[:, :columns], len(first_runs)


def _lowest_connected(count: int, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each of `count` nodes the lowest node that the edges first-second connect it to."""
    lowest = np.arange(count)
    while True:
        ends = np.minimum(lowest[first], lowest[second])
        update = lowest.copy()
        np.minimum.at(update, lowest[first], ends)
        np.minimum.at(update, lowest[second], ends)
        update = update[update]
        if np.array_equal(update, lowest):
            return lowest
        lowest = update
