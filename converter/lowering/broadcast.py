"""Bring operands of unlike rank and axis order together, as numpy's broadcasting reads them in the source."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from converter.layout import Layout, arrange, same_order, source_order
from converter.lowerer import Lowerer, Placed
from converter.tflite_graph import Tensor


def aligned(lower: Lowerer, names: Sequence[str]) -> tuple[list[Tensor], Layout]:
    """The values ``names`` as tensors that broadcast in one common layout, and that layout.

    The largest value keeps its order, so that the least is moved.
    """
    rank = max(lower.rank(name) for name in names)
    layout = _common_layout(lower, names, rank)
    constants = [lower.constant(name) is not None for name in names]
    full_rank_is_constant = not any(
        lower.rank(name) == rank for name, constant in zip(names, constants, strict=True) if not constant
    )
    tensors = []
    for name, constant in zip(names, constants, strict=True):
        if constant:
            tensors.append(_constant(lower, name, rank, layout, full_rank_is_constant))
        else:
            tensors.append(_extended(lower, name, rank, layout))
    return tensors, layout


def _common_layout(lower: Lowerer, names: Sequence[str], rank: int) -> Layout:
    placed = [name for name in names if lower.constant(name) is None and lower.rank(name) == rank]
    if not placed:
        return source_order(rank)
    reordered = {name: lower.current(name).layout != source_order(rank) for name in placed}
    widest = max(placed, key=lambda name: (np.prod(lower.shape(name)), reordered[name]))
    return lower.current(widest).layout


def _constant(lower: Lowerer, name: str, rank: int, layout: Layout, keep_rank: bool) -> Tensor:
    data = lower.constant(name)
    assert data is not None
    extended = np.transpose(data.reshape((1,) * (rank - data.ndim) + data.shape), layout)
    while not keep_rank and extended.ndim and extended.shape[0] == 1:
        extended = extended[0]
    return lower.new_constant(extended, name)


def _extended(lower: Lowerer, name: str, rank: int, layout: Layout) -> Tensor:
    """A value of lower rank gets leading axes of length one, wherever ``layout`` puts them."""
    missing = rank - lower.rank(name)
    if not missing:
        return lower.tensor(name, layout)
    placed = lower.current(name)
    shape = (1,) * missing + lower.shape(name)
    have = (*range(missing), *(axis + missing for axis in placed.layout))
    if layout == have and layout == source_order(rank):
        return placed.tensor
    wide = Placed(lower.reshape(placed.tensor, arrange(shape, have)), have)
    if same_order(shape, have, layout):
        return lower.reshape(wide.tensor, arrange(shape, layout))
    return lower.reordered(wide, shape, layout)
