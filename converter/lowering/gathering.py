"""Elements picked by index."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.graph import Node
from converter.layout import Layout
from converter.lowerer import Lowerer, Op
from converter.lowering.registry import lowers
from converter.tflite_graph import Tensor


def gathered(lower: Lowerer, tensor: Tensor, indices: Sequence[int], axis: int) -> Tensor:
    """The slices of ``tensor`` along ``axis`` at constant ``indices``."""
    options = schema.GatherOptionsT()
    options.axis = axis
    shape = (*tensor.shape[:axis], len(indices), *tensor.shape[axis + 1 :])
    return lower.emit(Op.GATHER, [tensor, lower.index_constant(indices, "indices")], shape, options=options)


@lowers("Gather")
def gather(lower: Lowerer, node: Node) -> None:
    """Rows of a table by index; negative constant indices are resolved here."""
    name, index_name = node.inputs
    shape = lower.shape(name)
    axis = node.attributes.get("axis", 0) % len(shape)
    indices = lower.constant(index_name)
    placed = lower.current(name)
    position = placed.layout.index(axis)
    rank = lower.rank(index_name)
    if indices is None:
        index_tensor = lower.tensor(index_name)
    else:
        resolved = np.where(indices < 0, indices + shape[axis], indices)
        if resolved.size and not 0 <= resolved.min() <= resolved.max() < shape[axis]:
            raise ValueError(f"indices {indices.min()} to {indices.max()} into {shape[axis]} elements")
        run = resolved.reshape(-1)
        if rank <= 1 and np.array_equal(run, run[0] + np.arange(run.size)):
            part = _run(lower, placed.tensor, position, int(run[0]), run.size, keep=rank == 1)
            lower.place(node.outputs[0], part, _gathered_layout(placed.layout, axis, rank))
            return
        index_tensor = lower.new_constant(resolved, index_name)
    options = schema.GatherOptionsT()
    options.axis = position
    made = (*placed.tensor.shape[:position], *index_tensor.shape, *placed.tensor.shape[position + 1 :])
    result = lower.emit(Op.GATHER, [placed.tensor, index_tensor], made, options=options)
    lower.place(node.outputs[0], result, _gathered_layout(placed.layout, axis, rank))


def _run(lower: Lowerer, tensor: Tensor, axis: int, start: int, length: int, *, keep: bool) -> Tensor:
    """Neighbouring elements along ``axis``, which is taken off where one element goes without it."""
    begin = [start if number == axis else 0 for number in range(len(tensor.shape))]
    size = (*tensor.shape[:axis], length, *tensor.shape[axis + 1 :])
    part = lower.slice(tensor, begin, size)
    return part if keep else lower.reshape(part, (*size[:axis], *size[axis + 1 :]))


def _gathered_layout(layout: Layout, axis: int, rank: int) -> Layout:
    """The gathered axis gives way to the axes of the indices, the axes behind it move."""
    result: list[int] = []
    for other in layout:
        if other == axis:
            result += range(axis, axis + rank)
        else:
            result.append(other if other < axis else other + rank - 1)
    return tuple(result)


@lowers("GatherND")
def gather_nd(lower: Lowerer, node: Node) -> None:
    """Elements by coordinates."""
    if node.attributes.get("batch_dims", 0):
        raise lower.refusal(node, "batch_dims", "gather without batch axes")
    inputs = [lower.tensor(name) for name in node.inputs]
    shape = lower.shape(node.outputs[0])
    lower.place(node.outputs[0], lower.emit(Op.GATHER_ND, inputs, shape, options=schema.GatherNdOptionsT()))
