"""Random graphs of operators that keep, move and mix axes, each against onnxruntime."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

import numpy as np
import onnx
import pytest
from onnx import helper

from converter.onnx_convert import lower
from tests.converter.against_onnxruntime import Array, assert_same, assert_tensor_map, floats, model_of

GRAPHS = 60
NODES_PER_GRAPH = 12
LARGEST = 4000


@dataclass
class Builder:
    """Grows a graph node by node; ``shapes`` are those of the values made so far."""

    source: random.Random
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    constants: dict[str, Array] = field(default_factory=dict)

    def constant(self, value: Array) -> str:
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return name

    def weights(self, *shape: int) -> str:
        return self.constant(floats(*shape, seed=len(self.constants)) * np.float32(0.5))

    def add(self, op: str, inputs: list[str], shapes: list[tuple[int, ...]], **attributes: object) -> None:
        names = [f"v{len(self.shapes) + number}" for number in range(len(shapes))]
        self.nodes.append(helper.make_node(op, inputs, names, **attributes))
        self.shapes.update(zip(names, shapes, strict=True))

    def grow(self) -> None:
        name = self.source.choice([*self.shapes][-4:])
        shape = self.shapes[name]
        step = self.source.choice(STEPS)
        step(self, name, shape)


def unary(b: Builder, name: str, shape: tuple[int, ...]) -> None:
    b.add(b.source.choice(["Relu", "Sigmoid", "Tanh", "Neg", "HardSwish", "Identity"]), [name], [shape])


def transpose(b: Builder, name: str, shape: tuple[int, ...]) -> None:
    order = list(range(len(shape)))
    b.source.shuffle(order)
    b.add("Transpose", [name], [tuple(shape[axis] for axis in order)], perm=order)


def convolution(b: Builder, name: str, shape: tuple[int, ...]) -> None:
    if len(shape) != 4:
        return
    filters = b.source.choice([1, 2, 3, 4])
    weights = b.weights(filters, shape[1], 3, 3)
    b.add("Conv", [name, weights], [(shape[0], filters, *shape[2:])], pads=[1, 1, 1, 1])


def pool(b: Builder, name: str, shape: tuple[int, ...]) -> None:
    if len(shape) == 4 and min(shape[2:]) >= 2:
        target = (*shape[:2], shape[2] // 2, shape[3] // 2)
        b.add("MaxPool", [name], [target], kernel_shape=[2, 2], strides=[2, 2])


def reshape(b: Builder, name: str, shape: tuple[int, ...]) -> None:
    axes = list(shape)
    while len(axes) > 1 and b.source.random() < 0.6:
        at = b.source.randrange(len(axes) - 1)
        axes[at : at + 2] = [axes[at] * axes[at + 1]]
    while len(axes) < 5 and b.source.random() < 0.6:
        at = b.source.randrange(len(axes))
        divisor = b.source.choice([size for size in range(1, axes[at] + 1) if axes[at] % size == 0])
        axes[at : at + 1] = [divisor, axes[at] // divisor]
    b.add("Reshape", [name, b.constant(np.array(axes))], [tuple(axes)])


def arithmetic(b: Builder, name: str, shape: tuple[int, ...]) -> None:
    partners = [other for other, size in b.shapes.items() if size == shape]
    kept = b.source.randint(0, len(shape))
    broadcast = tuple(b.source.choice([1, size]) for size in shape[len(shape) - kept :])
    other = b.source.choice([*partners, b.weights(*broadcast)])
    operands = [name, other] if b.source.random() < 0.5 else [other, name]
    b.add(b.source.choice(["Add", "Sub", "Mul"]), operands, [shape])


def broadcast_of_reduced(b: Builder, name: str, shape: tuple[int, ...]) -> None:
    axis = b.source.randrange(len(shape))
    reduced = tuple(1 if number == axis else size for number, size in enumerate(shape))
    b.add("ReduceMean", [name, b.constant(np.array([axis]))], [reduced])
    b.add("Mul", [[*b.shapes][-1], name], [shape])


def reduction(b: Builder, name: str, shape: tuple[int, ...]) -> None:
    if len(shape) > 1:
        axis = b.source.randrange(len(shape))
        target = tuple(size for number, size in enumerate(shape) if number != axis)
        operator = b.source.choice(["ReduceMean", "ReduceMax", "ReduceSum"])
        names = [name, b.constant(np.array([axis]))]
        b.add(operator, names, [target], keepdims=0)


def concat(b: Builder, name: str, shape: tuple[int, ...]) -> None:
    axis = b.source.randrange(len(shape))
    partners = [other for other, size in b.shapes.items() if size == shape]
    target = tuple(2 * size if number == axis else size for number, size in enumerate(shape))
    b.add("Concat", [name, b.source.choice(partners)], [target], axis=axis)


def split(b: Builder, name: str, shape: tuple[int, ...]) -> None:
    axis = b.source.randrange(len(shape))
    if shape[axis] > 1:
        first = b.source.randint(1, shape[axis] - 1)
        sizes = [first, shape[axis] - first]
        targets = [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes]
        b.add("Split", [name, b.constant(np.array(sizes))], targets, axis=axis)


def gather(b: Builder, name: str, shape: tuple[int, ...]) -> None:
    axis = b.source.randrange(len(shape))
    indices = np.array(b.source.choice([[0], [0, -1], [[0], [-1]]]))
    if len(shape) > 1 and b.source.random() < 0.3:
        indices = np.array(0)
    target = (*shape[:axis], *indices.shape, *shape[axis + 1 :])
    if len(target) <= 5:
        b.add("Gather", [name, b.constant(indices)], [target], axis=axis)


def softmax(b: Builder, name: str, shape: tuple[int, ...]) -> None:
    b.add("Softmax", [name], [shape], axis=b.source.randrange(len(shape)))


def pad(b: Builder, name: str, shape: tuple[int, ...]) -> None:
    pads = [b.source.randint(0, 1) for _ in range(2 * len(shape))]
    target = tuple(size + pads[axis] + pads[axis + len(shape)] for axis, size in enumerate(shape))
    b.add("Pad", [name, b.constant(np.array(pads))], [target])


def product(b: Builder, name: str, shape: tuple[int, ...]) -> None:
    columns = b.source.randint(1, 4)
    if len(shape) > 1:
        b.add("MatMul", [name, b.weights(shape[-1], columns)], [(*shape[:-1], columns)])


def self_attention(b: Builder, name: str, shape: tuple[int, ...]) -> None:
    if 2 <= len(shape) <= 4:
        order = [*range(len(shape) - 2), len(shape) - 1, len(shape) - 2]
        b.add("Transpose", [name], [tuple(shape[axis] for axis in order)], perm=order)
        b.add("MatMul", [name, [*b.shapes][-1]], [(*shape[:-1], shape[-2])])


STEPS = [
    unary, transpose, transpose, convolution, convolution, pool, reshape, reshape, arithmetic, arithmetic,
    broadcast_of_reduced, reduction, concat, split, gather, softmax, pad, product, self_attention,
]  # fmt: skip


@pytest.mark.parametrize("seed", range(GRAPHS))
def test_random_graph(seed):
    b = Builder(random.Random(seed), shapes={"x": (1 + seed % 2, 3, 6, 4)})
    while len(b.nodes) < NODES_PER_GRAPH:
        b.grow()
        if any(math.prod(shape) > LARGEST or len(shape) > 5 for shape in b.shapes.values()):
            break
    x = floats(*b.shapes["x"], seed=seed)
    read = {name for node in b.nodes for name in node.input}
    outputs = [name for name in b.shapes if name not in read] + [[*b.shapes][len(b.shapes) // 2]]
    outputs = [name for name in dict.fromkeys(outputs) if name != "x"]
    layouts = {name: "NHWC" for name in ("x", *outputs) if len(b.shapes[name]) == 4 and b.source.random() < 0.5}
    model = model_of(b.nodes, {"x": x}, outputs, b.constants)
    lowered = assert_same(model, {"x": x}, layouts=layouts, tolerance=2e-5)
    assert_tensor_map(model, lowered, {"x": x})
    assert lower(model, None, layouts).tflite == lowered.tflite
