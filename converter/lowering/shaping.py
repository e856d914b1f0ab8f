"""Operators that only move elements: reshape, transpose, join, repeat, and blocks of pixels to channels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.graph import Node
from converter.layout import NHWC, Layout, arrange, relative, reshaped, source_order
from converter.lowerer import Lowerer, Op, Placed
from converter.lowering.gathering import gathered
from converter.lowering.registry import lowers
from converter.tflite_graph import Tensor


@lowers("Reshape", "Flatten", "Squeeze", "Unsqueeze")
def reshape(lower: Lowerer, node: Node) -> None:
    """A RESHAPE of the tensor as it lies where that is possible, else of the source order."""
    name, target = node.inputs[0], lower.shape(node.outputs[0])
    placed = lower.current(name)
    layout = reshaped(lower.shape(name), target, placed.layout)
    if layout is None:
        lower.place(node.outputs[0], lower.reshape(lower.tensor(name), target))
    else:
        lower.place(node.outputs[0], lower.reshape(placed.tensor, arrange(target, layout)), layout)


@lowers("Transpose")
def transpose(lower: Lowerer, node: Node) -> None:
    """Costs nothing: the same tensor under renamed axes."""
    placed = lower.current(node.inputs[0])
    rank = len(placed.layout)
    permutation = node.attributes.get("perm", list(range(rank))[::-1])
    lower.place(node.outputs[0], placed.tensor, relative(tuple(permutation), placed.layout))


@lowers("Concat")
def concat(lower: Lowerer, node: Node) -> None:
    """Joined in the order of axes that most elements already have."""
    sources = [name for name in node.inputs if np.prod(lower.shape(name))]
    axis = node.attributes["axis"] % lower.rank(node.outputs[0])
    layout = _prevailing_layout(lower, sources)
    tensors = [lower.tensor(name, layout) for name in sources]
    lower.place(node.outputs[0], joined(lower, tensors, layout.index(axis)), layout)


def joined(lower: Lowerer, tensors: Sequence[Tensor], axis: int) -> Tensor:
    """``tensors`` one after the other along ``axis``."""
    if len(tensors) == 1:
        return tensors[0]
    shape = list(tensors[0].shape)
    shape[axis] = sum(tensor.shape[axis] for tensor in tensors)
    options = schema.ConcatenationOptionsT()
    options.axis = axis
    return lower.emit(Op.CONCATENATION, tensors, shape, options=options)


def _prevailing_layout(lower: Lowerer, names: Sequence[str]) -> Layout:
    elements: dict[Layout, float] = {}
    for name in names:
        if lower.constant(name) is None:
            layout = lower.current(name).layout
            elements[layout] = elements.get(layout, 0) + float(np.prod(lower.shape(name)))
    if not elements:
        return source_order(lower.rank(names[0]))
    return max(elements, key=lambda layout: (elements[layout], layout != source_order(len(layout))))


@lowers("Tile")
def tile(lower: Lowerer, node: Node) -> None:
    """Repeat along axes."""
    repeats = lower.required_constant(node, 1, "repeats")
    placed = lower.current(node.inputs[0])
    lower.place(node.outputs[0], _tiled(lower, placed, [int(repeats[axis]) for axis in placed.layout]), placed.layout)


def _tiled(lower: Lowerer, placed: Placed, repeats: Sequence[int]) -> Tensor:
    tensor = placed.tensor
    if all(count == 1 for count in repeats):
        return tensor
    shape = [size * count for size, count in zip(tensor.shape, repeats, strict=True)]
    return lower.emit(Op.TILE, [tensor, lower.index_constant(repeats, "repeats")], shape, options=schema.TileOptionsT())


@lowers("Expand")
def expand(lower: Lowerer, node: Node) -> None:
    """BROADCAST_TO, nothing where the shape is there already."""
    name, shape = node.inputs[0], lower.shape(node.outputs[0])
    if lower.shape(name) == shape:
        placed = lower.current(name)
        lower.place(node.outputs[0], placed.tensor, placed.layout)
        return
    tensor = lower.tensor(name)
    tensor = lower.reshape(tensor, (1,) * (len(shape) - len(tensor.shape)) + tensor.shape)
    inputs = [tensor, lower.index_constant(shape, "shape")]
    result = lower.emit(Op.BROADCAST_TO, inputs, shape, options=schema.BroadcastToOptionsT())
    lower.place(node.outputs[0], result)


@lowers("DepthToSpace", "SpaceToDepth")
def depth_and_space(lower: Lowerer, node: Node) -> None:
    """Blocks of pixels to channels and back; TFLite knows ONNX's DCR order."""
    to_space = node.op == "DepthToSpace"
    tensor = lower.tensor(node.inputs[0], NHWC)
    block = node.attributes["blocksize"]
    if to_space and node.attributes.get("mode", "DCR") != "DCR":
        channels = tensor.shape[3] // block**2
        order = np.arange(tensor.shape[3]).reshape(channels, block * block).T.reshape(-1)
        tensor = gathered(lower, tensor, [int(index) for index in order], 3)
    options = schema.DepthToSpaceOptionsT() if to_space else schema.SpaceToDepthOptionsT()
    options.blockSize = block
    code = Op.DEPTH_TO_SPACE if to_space else Op.SPACE_TO_DEPTH
    shape = arrange(lower.shape(node.outputs[0]), NHWC)
    if math.prod(shape) != math.prod(tensor.shape):
        raise ValueError(f"{list(tensor.shape)} does not divide into blocks of {block}")
    lower.place(node.outputs[0], lower.emit(code, [tensor], shape, options=options), NHWC)
