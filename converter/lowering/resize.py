"""Resizing pictures.

Each spatial axis is described by what it does: nearest by the source index of every result element, linear and
cubic by a matrix [out, in]. A built-in TFLite operator is used where one of its conventions does the same, else the
description itself becomes the operator: a GATHER, or a product with the matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.graph import Array, Node
from converter.layout import NHWC
from converter.lowerer import Lowerer, Op
from converter.lowering.gathering import gathered
from converter.lowering.linear import fully_connected
from converter.lowering.registry import lowers
from converter.tflite_graph import Tensor

MATRIX_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Axis:
    """One axis to be resized: its lengths and the scale that coordinates are computed with."""

    source: int
    target: int
    scale: np.float32

    def steps(self) -> Array:
        """The result's positions; runtimes compute coordinates in float32, and ties hang on that."""
        return np.arange(self.target, dtype=np.float32)


@dataclass(frozen=True)
class Convention:
    """How a TFLite resize operator reads coordinates."""

    align_corners: bool
    half_pixel: bool

    def _step(self, axis: Axis) -> np.float32:
        if self.align_corners and axis.target > 1:
            return np.float32(axis.source - 1) / np.float32(axis.target - 1)
        return np.float32(axis.source) / np.float32(axis.target)

    def coordinates(self, axis: Axis) -> Array:
        """Where the elements of an interpolated result lie in the source."""
        if self.half_pixel:
            return (axis.steps() + HALF) * self._step(axis) - HALF
        return axis.steps() * self._step(axis)

    def nearest(self, axis: Axis) -> Array:
        """The source index of each element of a nearest result."""
        position = (axis.steps() + (HALF if self.half_pixel else 0)) * self._step(axis)
        return _index(np.floor(position + HALF if self.align_corners else position), axis)


HALF = np.float32(0.5)
CONVENTIONS = (Convention(False, False), Convention(False, True), Convention(True, False))


@lowers("Resize", "Upsample")
def resize(lower: Lowerer, node: Node) -> None:
    """Nearest, linear or cubic, in any of ONNX's coordinate conventions but cropping."""
    axes = _axes(lower, node)
    mode = node.attributes.get("mode", "nearest")
    changed = {number: axis for number, axis in enumerate(axes) if axis.source != axis.target or axis.scale != 1}
    placed = lower.current(node.inputs[0])
    if not changed:
        lower.place(node.outputs[0], placed.tensor, placed.layout)
    elif mode == "nearest":
        _nearest(lower, node, changed)
    elif mode in ("linear", "cubic"):
        _interpolated(lower, node, changed, mode)
    else:
        raise lower.refusal(node, f"mode '{mode}'", "use nearest, linear or cubic")


def _axes(lower: Lowerer, node: Node) -> list[Axis]:
    source, target = lower.shape(node.inputs[0]), lower.shape(node.outputs[0])
    scales = [np.float32(after) / np.float32(before) for before, after in zip(source, target, strict=True)]
    given = _given_scales(lower, node)
    chosen = [axis % len(source) for axis in node.attributes.get("axes", range(len(source)))]
    if given is not None:
        for axis, scale in zip(chosen, given, strict=True):
            scales[axis] = np.float32(scale)
    return [Axis(*row) for row in zip(source, target, scales, strict=True)]


def _given_scales(lower: Lowerer, node: Node) -> Array | None:
    if "scales" in node.attributes:
        return np.array(node.attributes["scales"])
    index = 1 if node.op == "Upsample" or node.version < 11 else 2
    scales = lower.constant(node.input(index))
    return scales if scales is not None and scales.size else None


def _transform(lower: Lowerer, node: Node) -> Callable[[Axis], Array]:
    """ONNX's coordinate_transformation_mode as a function of an axis."""
    mode = node.attributes.get("coordinate_transformation_mode", "half_pixel")
    if node.op == "Upsample" or node.version < 11:
        mode = "asymmetric"
    if mode not in COORDINATES:
        raise lower.refusal(node, f"coordinate_transformation_mode '{mode}'", "use half_pixel or align_corners")
    return COORDINATES[mode]


def _half_pixel(axis: Axis) -> Array:
    return (axis.steps() + HALF) / axis.scale - HALF


def _pytorch_half_pixel(axis: Axis) -> Array:
    return _half_pixel(axis) if axis.target > 1 else np.zeros(1, np.float32)


def _half_pixel_symmetric(axis: Axis) -> Array:
    adjustment = np.float32(axis.target) / (axis.scale * axis.source)
    return np.float32(axis.source / 2) * (1 - adjustment) + _half_pixel(axis)


def _align_corners(axis: Axis) -> Array:
    if axis.target == 1:
        return np.zeros(1, np.float32)
    return axis.steps() * np.float32(axis.source - 1) / np.float32(axis.target - 1)


COORDINATES: dict[str, Callable[[Axis], Array]] = {
    "asymmetric": lambda axis: axis.steps() / axis.scale,
    "half_pixel": _half_pixel,
    "half_pixel_symmetric": _half_pixel_symmetric,
    "pytorch_half_pixel": _pytorch_half_pixel,
    "align_corners": _align_corners,
}


def _index(position: Array, axis: Axis) -> Array:
    return np.clip(position, 0, axis.source - 1).astype(int)


def _nearest(lower: Lowerer, node: Node, changed: dict[int, Axis]) -> None:
    transform = _transform(lower, node)
    rounding = node.attributes.get("nearest_mode", "round_prefer_floor")
    if node.op == "Upsample" or node.version < 11:
        rounding = "floor"
    indices = {number: _index(ROUNDINGS[rounding](transform(axis)), axis) for number, axis in changed.items()}
    if lower.rank(node.inputs[0]) == 4 and set(changed) <= {2, 3}:
        for convention in CONVENTIONS:
            if all(np.array_equal(convention.nearest(changed[n]), indices[n]) for n in changed):
                _builtin(lower, node, Op.RESIZE_NEAREST_NEIGHBOR, convention)
                return
    placed = lower.current(node.inputs[0])
    tensor = placed.tensor
    for number, index in indices.items():
        tensor = gathered(lower, tensor, [int(value) for value in index], placed.layout.index(number))
    lower.place(node.outputs[0], tensor, placed.layout)


ROUNDINGS: dict[str, Callable[[Array], Array]] = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


def _interpolated(lower: Lowerer, node: Node, changed: dict[int, Axis], mode: str) -> None:
    transform = _transform(lower, node)
    matrices = {}
    for number, axis in changed.items():
        if node.attributes.get("antialias", 0) and axis.scale < 1:
            raise lower.refusal(node, "antialias=1", "resize outside the model or without antialias")
        matrices[number] = _matrix(transform(axis), axis, mode, node)
    if mode == "linear" and lower.rank(node.inputs[0]) == 4 and set(changed) <= {2, 3}:
        for convention in CONVENTIONS:
            if all(_agrees(convention, changed[n], matrices[n]) for n in changed):
                _builtin(lower, node, Op.RESIZE_BILINEAR, convention)
                return
    tensor, layout = lower.current(node.inputs[0]).tensor, lower.current(node.inputs[0]).layout
    for number, matrix in matrices.items():
        wanted = (*(axis for axis in layout if axis != number), number)
        tensor = lower.transpose(tensor, [layout.index(axis) for axis in wanted])
        weights = lower.new_constant(matrix.astype(np.float32), f"{node.outputs[0]}/weights")
        tensor = fully_connected(lower, tensor, weights)
        layout = wanted
    lower.place(node.outputs[0], tensor, layout)


def _agrees(convention: Convention, axis: Axis, matrix: Array) -> bool:
    own = _linear_matrix(convention.coordinates(axis), axis)
    return bool(np.max(np.abs(own - matrix)) < MATRIX_TOLERANCE)


def _matrix(coordinates: Array, axis: Axis, mode: str, node: Node) -> Array:
    if mode == "linear":
        return _linear_matrix(coordinates, axis)
    exclude = bool(node.attributes.get("exclude_outside", 0))
    return _cubic_matrix(coordinates, axis, node.attributes.get("cubic_coeff_a", -0.75), exclude)


def _linear_matrix(coordinates: Array, axis: Axis) -> Array:
    position = np.clip(coordinates.astype(np.float64), 0, axis.source - 1)
    low = np.floor(position).astype(int)
    high = np.minimum(low + 1, axis.source - 1)
    matrix = np.zeros((axis.target, axis.source))
    rows = np.arange(axis.target)
    np.add.at(matrix, (rows, low), 1 - (position - low))
    np.add.at(matrix, (rows, high), position - low)
    return matrix


def _cubic_matrix(coordinates: Array, axis: Axis, a: float, exclude_outside: bool) -> Array:
    """Keys' convolution kernel (1981) on the four neighbours, borders repeated."""
    low = np.floor(coordinates).astype(int)
    rows = np.arange(axis.target)
    matrix = np.zeros((axis.target, axis.source))
    for neighbour in range(-1, 3):
        distance = np.abs(coordinates - (low + neighbour))
        near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
        far = ((distance - 5) * distance + 8) * distance * a - 4 * a
        weight = np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))
        index = low + neighbour
        if exclude_outside:
            weight = np.where((index >= 0) & (index < axis.source), weight, 0.0)
        np.add.at(matrix, (rows, np.clip(index, 0, axis.source - 1)), weight)
    return matrix / matrix.sum(axis=1, keepdims=True) if exclude_outside else matrix


def _builtin(lower: Lowerer, node: Node, code: int, convention: Convention) -> None:
    tensor = lower.tensor(node.inputs[0], NHWC)
    height, width = lower.shape(node.outputs[0])[2:]
    nearest = code == Op.RESIZE_NEAREST_NEIGHBOR
    options = schema.ResizeNearestNeighborOptionsT() if nearest else schema.ResizeBilinearOptionsT()
    options.alignCorners, options.halfPixelCenters = convention.align_corners, convention.half_pixel
    result = _sized(lower, code, tensor, (height, width), options)
    lower.place(node.outputs[0], result, NHWC)


def _sized(lower: Lowerer, code: int, tensor: Tensor, size: Sequence[int], options: object) -> Tensor:
    shape = (tensor.shape[0], *size, tensor.shape[3])
    return lower.emit(code, [tensor, lower.index_constant(size, "size")], shape, options=options)
