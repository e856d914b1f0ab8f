"""Sliding windows: how ONNX's pads become TFLite's SAME, VALID or an explicit PAD."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.graph import Node
from converter.layout import NHWC, Layout
from converter.lowerer import Lowerer, Op
from converter.tflite_graph import Tensor

Padding = schema.Padding
SIGNAL: Layout = (0, 2, 1)  # one spatial axis, channels last


@dataclass(frozen=True)
class Window:
    """A window along one spatial axis; ``begin`` and ``end`` are the padding that it reaches."""

    input: int
    output: int
    kernel: int
    stride: int
    dilation: int
    begin: int

    @property
    def extent(self) -> int:
        """How many elements one window spans."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def end(self) -> int:
        """The padding after the last element that some window reads."""
        return max(0, (self.output - 1) * self.stride + self.extent - self.input - self.begin)

    def is_same(self) -> bool:
        """Whether TFLite's SAME places every window as here."""
        total = max(0, (self.output - 1) * self.stride + self.extent - self.input)
        return self.output == -(-self.input // self.stride) and self.begin == total // 2

    def is_valid(self) -> bool:
        """Whether TFLite's VALID places every window as here."""
        return self.begin == 0 and self.output == (self.input - self.extent) // self.stride + 1


def windows(lower: Lowerer, node: Node, kernel: Sequence[int]) -> tuple[Window, ...]:
    """One window per spatial axis of a convolution or pooling node."""
    source, target = lower.shape(node.inputs[0])[2:], lower.shape(node.outputs[0])[2:]
    rank = len(kernel)
    strides = node.attributes.get("strides", [1] * rank)
    dilations = node.attributes.get("dilations", [1] * rank)
    begins = _begins(node, source, kernel, strides, dilations)
    return tuple(Window(*row) for row in zip(source, target, kernel, strides, dilations, begins, strict=True))


def _begins(
    node: Node, source: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> list[int]:
    mode = node.attributes.get("auto_pad", "NOTSET")
    if mode in ("NOTSET", "VALID", ""):
        given = node.attributes.get("pads", [0] * 2 * len(kernel)) if mode != "VALID" else [0] * len(kernel)
        return list(given[: len(kernel)])
    begins = []
    for size, length, stride, dilation in zip(source, kernel, strides, dilations, strict=True):
        total = max(0, (-(-size // stride) - 1) * stride + (length - 1) * dilation + 1 - size)
        begins.append((total + 1) // 2 if mode == "SAME_LOWER" else total // 2)
    return begins


def padded(lower: Lowerer, tensor: Tensor, axes: Sequence[Window], fill: float | None = None) -> tuple[Tensor, int]:
    """The NHWC ``tensor``, padded by ``fill`` (default zero) where it must be, and the padding scheme to use."""
    if all(axis.is_same() for axis in axes):
        return tensor, Padding.SAME
    if all(axis.is_valid() for axis in axes):
        return tensor, Padding.VALID
    pads = [(0, 0), *((axis.begin, axis.end) for axis in axes), (0, 0)]
    return pad(lower, tensor, pads, fill), Padding.VALID


def pad(lower: Lowerer, tensor: Tensor, pads: Sequence[tuple[int, int]], fill: float | None = None) -> Tensor:
    """``tensor`` with (before, after) elements added on each axis."""
    shape = _padded_shape(tensor, pads)
    table = lower.new_constant(np.array(pads, np.int32), f"{tensor.name}/pads")
    if fill is None:
        return lower.emit(Op.PAD, [tensor, table], shape, options=schema.PadOptionsT())
    inputs = [tensor, table, lower.scalar(fill, tensor)]
    return lower.emit(Op.PADV2, inputs, shape, options=schema.PadV2OptionsT())


def mirrored(lower: Lowerer, tensor: Tensor, pads: Sequence[tuple[int, int]], mode: int) -> Tensor:
    """``tensor`` with its own elements mirrored around it; ``mode`` is a MirrorPadMode."""
    options = schema.MirrorPadOptionsT()
    options.mode = mode
    table = lower.new_constant(np.array(pads, np.int32), f"{tensor.name}/pads")
    return lower.emit(Op.MIRROR_PAD, [tensor, table], _padded_shape(tensor, pads), options=options)


def _padded_shape(tensor: Tensor, pads: Sequence[tuple[int, int]]) -> list[int]:
    """The shape of ``tensor`` with (before, after) elements more on each axis."""
    return [size + before + after for size, (before, after) in zip(tensor.shape, pads, strict=True)]


def as_picture(lower: Lowerer, node: Node, axes: tuple[Window, ...]) -> tuple[Tensor, tuple[Window, Window]]:
    """The node's first input in NHWC with its two windows; a signal becomes a picture one row high."""
    name = node.inputs[0]
    if len(axes) == 2:
        return lower.tensor(name, NHWC), (axes[0], axes[1])
    if len(axes) != 1:
        raise lower.refusal(node, f"{len(axes)} spatial axes", "use at most two in the source model")
    tensor = lower.tensor(name, SIGNAL)
    batch, length, channels = tensor.shape
    return lower.reshape(tensor, (batch, 1, length, channels)), (Window(1, 1, 1, 1, 1, 0), axes[0])


def place_picture(lower: Lowerer, node: Node, picture: Tensor) -> None:
    """The NHWC ``picture`` is the node's first output; where that is a signal, its one row is taken off."""
    if lower.rank(node.outputs[0]) == 4:
        lower.place(node.outputs[0], picture, NHWC)
        return
    batch, _, length, channels = picture.shape
    lower.place(node.outputs[0], lower.reshape(picture, (batch, length, channels)), SIGNAL)
