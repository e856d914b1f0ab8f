"""Connected components of a mask, by runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Components:
    """The runs of a mask in row-major order: run i is mask[row[i], start[i]:end[i]] of component[i].

    Components are numbered from 0 to count - 1 in the row-major order of their first pixels.
    """

    row: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    component: NDArray[np.int64]
    count: int


def find_components(mask: NDArray[np.bool_]) -> Components:
    """mask [h, w] -> its components; pixels that touch by a side or a corner belong together."""
    rows, columns = mask.shape
    # One empty column at the end keeps a run within its row.
    stride = columns + 1
    flat = np.zeros(rows * stride + 1, np.int8)
    flat[1:].reshape(rows, stride)[:, :columns] = mask
    change = np.diff(flat)
    starts, ends = np.flatnonzero(change == 1), np.flatnonzero(change == -1)

    # A run touches those of the row above that end at or after its start and start at or before its end.
    first_above = np.searchsorted(ends, starts - stride)
    after_above = np.searchsorted(starts, ends - stride, side="right")
    touching = np.maximum(after_above - first_above, 0)
    below = np.repeat(np.arange(len(starts)), touching)
    above = first_above[below] + np.arange(len(below)) - (np.cumsum(touching) - touching)[below]

    first_runs, component = np.unique(_lowest_connected(len(starts), above, below), return_inverse=True)
    row = starts // stride
    return Components(row, starts - row * stride, ends - row * stride, component, len(first_runs))


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
