"""The conversion itself: read, rewrite, lower, fuse, write. It loads no runtime and checks no numbers."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from onnx import ModelProto

from converter.conversion import Lowered, TensorRef, TensorSpec
from converter.errors import ConversionError
from converter.fusions import FUSIONS
from converter.graph import Graph, Node, Value
from converter.layout import NHWC, Layout, arrange, source_order
from converter.lowerer import Lowerer
from converter.lowering import RULES
from converter.onnx_reader import read_graph, unsupported
from converter.passes import PASSES, PATTERN_OPERATORS
from converter.tflite_graph import Tensor, TfliteGraph
from converter.tflite_writer import write

LARGEST_TENSOR_ELEMENTS = 1 << 29
LARGEST_RANK = 6
RESHAPING_OPS = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity")  # to these the number of axes is nothing
LAYOUTS = {"NHWC": NHWC, "NCHW": source_order(4), "": None}
EVERY_PICTURE = "*"


def lower(
    model: ModelProto,
    shapes: Mapping[str, Sequence[int]] | None = None,
    layouts: Mapping[str, str] | None = None,
) -> Lowered:
    """Turn ``model`` into a TFLite flatbuffer.

    ``shapes`` fixes dynamic inputs, in the source's axes; ``layouts`` asks for ``"NHWC"`` inputs and outputs where
    the source has NCHW; the name ``"*"`` stands for every rank-4 one that is not named. Raises ConversionError
    naming what stands in the way.
    """
    graph = read_graph(model, shapes or {}, {*RULES, *PATTERN_OPERATORS})
    layouts = _every_layout(graph, layouts or {})
    asked = _asked_layouts(graph, layouts)
    for rewrite in PASSES:
        rewrite(graph)
        graph.remove_dead_nodes()
    _refuse_what_no_rule_lowers(graph)
    lowerer = Lowerer(graph)
    inputs = [_input(lowerer, name, asked[name]) for name in graph.inputs]
    for node in graph.nodes:
        _apply_rule(lowerer, node)
    outputs: list[Tensor] = []
    for name in graph.outputs:
        outputs.append(_output(lowerer, name, asked[name], [*inputs, *outputs]))
    result = TfliteGraph(lowerer.operators, inputs, outputs)
    result.remove_dead_operators()
    for fuse in FUSIONS:
        fuse(result)
        result.remove_dead_operators()
    _make_names_unique(result, lowerer)
    return Lowered(
        _written(result),
        tuple(_spec(name, tensor, layouts) for name, tensor in zip(graph.inputs, inputs, strict=True)),
        tuple(_spec(name, tensor, layouts) for name, tensor in zip(graph.outputs, outputs, strict=True)),
        _tensor_map(lowerer, result),
    )


def _every_layout(graph: Graph, layouts: Mapping[str, str]) -> dict[str, str]:
    named = {name: layout for name, layout in layouts.items() if name != EVERY_PICTURE}
    if EVERY_PICTURE not in layouts:
        return named
    pictures = [name for name in (*graph.inputs, *graph.outputs) if len(graph.values[name].shape) == 4]
    return dict.fromkeys(pictures, layouts[EVERY_PICTURE]) | named


def _written(result: TfliteGraph) -> bytes:
    try:
        return write(result)
    except TypeError as error:  # flatbuffers' answer to a number beyond its field
        raise ConversionError(
            f"an attribute of the model is beyond 32 bits ({error}); export the model again"
        ) from error


def _refuse_what_no_rule_lowers(graph: Graph) -> None:
    for node in graph.nodes:
        if node.op not in RULES:
            raise unsupported(node, (other.op for other in graph.nodes), RULES)
        for name in filter(None, node.outputs):
            _refuse_shape(node, graph.values[name])


def _refuse_shape(node: Node, value: Value) -> None:
    made = f"{node.label()} makes '{value.name}' with shape {list(value.shape)}"
    if any(size < 1 for size in value.shape):
        raise ConversionError(f"{made}, a TFLite tensor has at least one element; give larger input shapes")
    if math.prod(value.shape) > LARGEST_TENSOR_ELEMENTS:
        raise ConversionError(f"{made}, more than 2 GiB; give smaller input shapes")
    if len(value.shape) > LARGEST_RANK and node.op not in RESHAPING_OPS:
        raise ConversionError(
            f"{made}, TFLite operators work on at most {LARGEST_RANK} axes; merge some in the source model"
        )


def _apply_rule(lowerer: Lowerer, node: Node) -> None:
    """Attributes that contradict each other or the inputs pass ONNX's own checks and surface in the arithmetic here."""
    lowerer.name_after(next(filter(None, node.outputs)))
    try:
        RULES[node.op](lowerer, node)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise ConversionError(
            f"{node.label()} has inputs and attributes that do not fit together ({error}); export the model again"
        ) from error


def _asked_layouts(graph: Graph, layouts: Mapping[str, str]) -> dict[str, Layout]:
    names = (*graph.inputs, *graph.outputs)
    for name, layout in layouts.items():
        if name not in names:
            raise ConversionError(
                f"layout given for '{name}', which is no input or output; they are "
                + ", ".join(f"'{known}'" for known in names)
            )
        if layout not in LAYOUTS:
            raise ConversionError(f"'{name}': unknown layout '{layout}'; write NHWC or NCHW")
        if layout and len(graph.values[name].shape) != 4:
            raise ConversionError(
                f"'{name}': layout {layout} asked of a tensor of rank {len(graph.values[name].shape)}; "
                "leave it out, only tensors of rank 4 have one"
            )
    return {name: LAYOUTS[layouts.get(name, "")] or source_order(len(graph.values[name].shape)) for name in names}


def _input(lowerer: Lowerer, name: str, layout: Layout) -> Tensor:
    tensor = Tensor(name, arrange(lowerer.shape(name), layout), lowerer.dtype(name))
    lowerer.place(name, tensor, layout)
    return tensor


def _output(lowerer: Lowerer, name: str, layout: Layout, taken: Sequence[Tensor]) -> Tensor:
    """The tensor of an output, which bears its name and is no input, no constant and no other output."""
    lowerer.name_after(name)
    tensor = lowerer.tensor(name, layout)
    if tensor in taken or tensor.data is not None:
        tensor = lowerer.copy(tensor)
    lowerer.place(name, tensor, layout)
    tensor.name = name
    return tensor


def _make_names_unique(result: TfliteGraph, lowerer: Lowerer) -> None:
    """The model's inputs and outputs keep their names, then the tensors of source values, then all others."""
    tensors = dict.fromkeys((*result.inputs, *result.outputs))
    tensors.update(dict.fromkeys(tensor for tensor in result.tensors() if lowerer.holds_value(tensor)))
    tensors.update(dict.fromkeys(result.tensors()))
    taken: set[str] = set()
    counters: dict[str, int] = defaultdict(int)
    for tensor in tensors:
        wanted = tensor.name
        while tensor.name in taken:
            counters[wanted] += 1
            tensor.name = f"{wanted}/{counters[wanted]}"
        taken.add(tensor.name)


def _spec(name: str, tensor: Tensor, layouts: Mapping[str, str]) -> TensorSpec:
    return TensorSpec(name, tensor.name, tensor.shape, tensor.dtype.name, layouts.get(name, ""))


def _tensor_map(lowerer: Lowerer, result: TfliteGraph) -> dict[str, TensorRef]:
    live = {tensor for tensor in result.tensors() if tensor.data is None}
    return {
        name: TensorRef(
            placed.tensor.name, None if placed.layout == source_order(len(placed.layout)) else placed.layout
        )
        for name, placed in lowerer.placed.items()
        if placed.tensor in live
    }
