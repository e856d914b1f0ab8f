"""The inputs on which a model and its conversion are compared: the caller's, random ones and edge values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.generic]
Feed: TypeAlias = Mapping[str, Array]

LARGE = 10.0  # ten standard deviations of normalised data, and far beyond any gated state
KEEPS_VALUES = frozenset({"Cast", "Expand", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"})


@dataclass(frozen=True)
class ParityInput:
    """One feed: every input by ONNX name, in the source's layout; `edge` for values no data would have."""

    label: str
    feed: Feed
    edge: bool


@dataclass(frozen=True)
class _Input:
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    low: int
    high: int  # integers are drawn from low to high, both included


def parity_inputs(
    model: onnx.ModelProto, shapes: Mapping[str, Sequence[int]], samples: Iterable[Feed]
) -> list[ParityInput]:
    """The caller's samples, then seeded random feeds, then edge values; the same for the same model.

    `shapes` are the inputs' static shapes in the source's layout. Integers that index a table (Gather) stay
    within it; 8-bit integers span their type; other integers are 0 or 1.
    """
    inputs = [_describe(model, name, tuple(shape)) for name, shape in shapes.items()]
    rng = np.random.default_rng(0)
    feeds = [ParityInput(f"sample {index}", feed, edge=False) for index, feed in enumerate(samples)]
    feeds += [
        ParityInput("normal", {each.name: _random(each, rng.standard_normal, rng) for each in inputs}, False),
        ParityInput("uniform", {each.name: _random(each, rng.random, rng) for each in inputs}, False),
    ]
    edges = {"zeros": 0.0, "ones": 1.0, "large": LARGE, "large negative": -LARGE}
    for label, value in edges.items():
        feeds.append(ParityInput(label, {each.name: _constant(each, value) for each in inputs}, True))
    return feeds


def _describe(model: onnx.ModelProto, name: str, shape: tuple[int, ...]) -> _Input:
    (value,) = (each for each in model.graph.input if each.name == name)
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type))
    if dtype.itemsize == 1 and dtype.kind in "iu":
        low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    else:
        low, high = 0, _table_rows(model.graph, name) - 1
    return _Input(name, shape, dtype, low, high)


def _table_rows(graph: onnx.GraphProto, name: str) -> int:
    """The length of the shortest table that the integers called `name` index; 2 where they index none."""
    lengths = {each.name: list(each.dims) for each in graph.initializer}
    lengths |= {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in [*graph.value_info, *graph.input]
    }
    names, rows = {name}, []
    for node in graph.node:
        if node.op_type in KEEPS_VALUES and node.input[0] in names:
            names.add(node.output[0])
        elif node.op_type in ("Gather", "GatherElements") and node.input[1] in names:
            axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
            table = lengths.get(node.input[0], [])
            if axis < len(table) and table[axis] > 0:
                rows.append(table[axis])
    return min(rows, default=2)


def _random(each: _Input, draw: Callable[[tuple[int, ...]], Array], rng: np.random.Generator) -> Array:
    if each.dtype.kind == "f":
        return np.asarray(draw(each.shape)).astype(each.dtype)
    return rng.integers(each.low, each.high, each.shape, endpoint=True).astype(each.dtype)


def _constant(each: _Input, value: float) -> Array:
    if each.dtype.kind == "f":
        return np.full(each.shape, value, each.dtype)
    return np.full(each.shape, min(max(int(value), each.low), each.high), each.dtype)
