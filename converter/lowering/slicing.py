"""Parts of a value: slices and splits."""

from __future__ import annotations

from collections.abc import Sequence

from ai_edge_litert import schema_py_generated as schema

from converter.graph import Node
from converter.lowerer import Lowerer, Op
from converter.lowering.registry import lowers
from converter.tflite_graph import Tensor


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
