"""Operators that only move elements: reshape, transpose, join, cut, repeat and pad."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.graph import Node
from converter.layout import NHWC, Layout, arrange, relative, reshaped, source_order
from converter.lowerer import Lowerer, Op, Placed
from converter.lowering.registry import lowers
from converter.lowering.window import mirrored, pad
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


@lowers("Slice")
def slice_(lower: Lowerer, node: Node) -> None:
    """SLICE; STRIDED_SLICE where steps are taken; REVERSE_V2 first where they go backwards."""
    shape = lower.shape(node.inputs[0])
    starts = lower.integers(node, "starts", 1) or []
    ends = lower.integers(node, "ends", 2) or []
    axes = lower.integers(node, "axes", 3) or list(range(len(starts)))
    steps = lower.integers(node, "steps", 4) or [1] * len(starts)
    ranges = [range(size) for size in shape]
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        ranges[axis % len(shape)] = range(*slice(start, _open_end(end, step), step).indices(shape[axis % len(shape)]))
    placed = lower.current(node.inputs[0])
    tensor = placed.tensor
    cuts = [ranges[axis] for axis in placed.layout]
    backwards = [axis for axis, cut in enumerate(cuts) if cut.step < 0]
    if backwards:
        tensor = _reversed(lower, tensor, backwards)
        cuts = [
            range(size - 1 - cut.start, size - 1 - cut.stop, -cut.step) if axis in backwards else cut
            for axis, (cut, size) in enumerate(zip(cuts, tensor.shape, strict=True))
        ]
    lower.place(node.outputs[0], _cut(lower, tensor, cuts), placed.layout)


def _open_end(end: int, step: int) -> int | None:
    """ONNX ends may lie far outside; backwards, one before the first element is written as a very low number."""
    return None if step < 0 and end < -(1 << 30) else end


def _reversed(lower: Lowerer, tensor: Tensor, axes: Sequence[int]) -> Tensor:
    for axis in axes:
        inputs = [tensor, lower.index_constant([axis], "axis")]
        tensor = lower.emit(Op.REVERSE_V2, inputs, tensor.shape, options=schema.ReverseV2OptionsT())
    return tensor


def _cut(lower: Lowerer, tensor: Tensor, cuts: Sequence[range]) -> Tensor:
    shape = [len(cut) for cut in cuts]
    if all(cut.step == 1 for cut in cuts):
        return lower.slice(tensor, [cut.start for cut in cuts], shape)
    inputs = [
        tensor,
        lower.index_constant([cut.start for cut in cuts], "begin"),
        lower.index_constant([cut.start + (len(cut) - 1) * cut.step + 1 for cut in cuts], "end"),
        lower.index_constant([cut.step for cut in cuts], "strides"),
    ]
    return lower.emit(Op.STRIDED_SLICE, inputs, shape, options=schema.StridedSliceOptionsT())


@lowers("Split")
def split(lower: Lowerer, node: Node) -> None:
    """SPLIT into equal parts, else one SLICE per part."""
    placed = lower.current(node.inputs[0])
    axis = placed.layout.index(node.attributes.get("axis", 0) % len(placed.layout))
    sizes = [lower.shape(name)[placed.layout[axis]] for name in node.outputs]
    for name, part in zip(node.outputs, parts(lower, placed.tensor, axis, sizes), strict=True):
        lower.place(name, part, placed.layout)


def parts(lower: Lowerer, tensor: Tensor, axis: int, sizes: Sequence[int]) -> list[Tensor]:
    """``tensor`` cut along ``axis`` into pieces of ``sizes``."""
    if len(sizes) == 1:
        return [tensor]
    shapes = [(*tensor.shape[:axis], size, *tensor.shape[axis + 1 :]) for size in sizes]
    if len(set(sizes)) == 1:
        options = schema.SplitOptionsT()
        options.numSplits = len(sizes)
        dimension = lower.index_constant([axis], "axis")
        return lower.emit_many(Op.SPLIT, [dimension, tensor], shapes, dtype=tensor.dtype, options=options)
    pieces, start = [], 0
    for shape in shapes:
        begin = [start if number == axis else 0 for number in range(len(shape))]
        pieces.append(lower.slice(tensor, begin, shape))
        start += shape[axis]
    return pieces


@lowers("Pad")
def pad_(lower: Lowerer, node: Node) -> None:
    """PAD, PADV2 or MIRROR_PAD; repeated borders are gathered."""
    rank = lower.rank(node.inputs[0])
    amounts = lower.integers(node, "pads", 1) or []
    axes = [axis % rank for axis in lower.integers(node, "axes", 3) or range(rank)]
    pads = [(0, 0)] * rank
    for number, axis in enumerate(axes):
        pads[axis] = (amounts[number], amounts[number + len(axes)])
    placed = lower.current(node.inputs[0])
    ordered = [pads[axis] for axis in placed.layout]
    mode = node.attributes.get("mode", "constant")
    tensor = _cropped(lower, placed.tensor, ordered)
    ordered = [(max(0, before), max(0, after)) for before, after in ordered]
    if any(any(pair) for pair in ordered):
        make = _constant_pad if mode == "constant" else _repeated_pad
        tensor = make(lower, node, tensor, ordered)
    lower.place(node.outputs[0], tensor, placed.layout)


def _cropped(lower: Lowerer, tensor: Tensor, pads: Sequence[tuple[int, int]]) -> Tensor:
    begin = [max(0, -before) for before, _ in pads]
    size = [length + min(0, before) + min(0, after) for length, (before, after) in zip(tensor.shape, pads, strict=True)]
    return lower.slice(tensor, begin, size)


def _constant_pad(lower: Lowerer, node: Node, tensor: Tensor, pads: Sequence[tuple[int, int]]) -> Tensor:
    fill = float(node.attributes.get("value", 0.0))
    if node.input(2):
        fill = float(lower.required_constant(node, 2, "a constant_value").item())
    return pad(lower, tensor, pads, fill or None)


def _repeated_pad(lower: Lowerer, node: Node, tensor: Tensor, pads: Sequence[tuple[int, int]]) -> Tensor:
    """Borders made of the tensor's own elements; MIRROR_PAD repeats an edge where that is one element wide."""
    mode = node.attributes["mode"]
    if mode == "reflect" and all(max(pair) < size for pair, size in zip(pads, tensor.shape, strict=True)):
        return mirrored(lower, tensor, pads, schema.MirrorPadMode.REFLECT)
    if mode == "edge" and max(max(pair) for pair in pads) <= 1:
        return mirrored(lower, tensor, pads, schema.MirrorPadMode.SYMMETRIC)
    if mode not in NUMPY_PAD_MODES:
        raise lower.refusal(node, f"mode '{mode}'", "use constant, reflect, edge or wrap")
    for axis, pair in enumerate(pads):
        if any(pair):
            indices = np.pad(np.arange(tensor.shape[axis]), pair, mode=NUMPY_PAD_MODES[mode])
            tensor = gathered(lower, tensor, [int(index) for index in indices], axis)
    return tensor


NUMPY_PAD_MODES: dict[str, Literal["reflect", "edge", "wrap"]] = {"reflect": "reflect", "edge": "edge", "wrap": "wrap"}


def gathered(lower: Lowerer, tensor: Tensor, indices: Sequence[int], axis: int) -> Tensor:
    """The slices of ``tensor`` along ``axis`` at constant ``indices``."""
    options = schema.GatherOptionsT()
    options.axis = axis
    shape = (*tensor.shape[:axis], len(indices), *tensor.shape[axis + 1 :])
    return lower.emit(Op.GATHER, [tensor, lower.index_constant(indices, "indices")], shape, options=options)


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
