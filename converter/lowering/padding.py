"""Borders around a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.graph import Node
from converter.lowerer import Lowerer
from converter.lowering.gathering import gathered
from converter.lowering.registry import lowers
from converter.lowering.window import mirrored, pad
from converter.tflite_graph import Tensor


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
