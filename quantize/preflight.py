"""What a scheme will do to each operator of a model, before it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from quantize.interpreter import read_sound_model
from quantize.io import Io
from quantize.lint import always_zero, clipped_inputs, mixed_ranges
from quantize.model_file import constant, op_name, text
from quantize.observers import Ranges
from quantize.schemes import DATA_MOVEMENT, INT8_OPS, RECURRENT, WEIGHTED, Scheme, find_scheme

_FLOAT = schema.TensorType.FLOAT32


@dataclass(frozen=True)
class PreflightRow:
    """One operator: `index` in run order, `op` its TFLite name, `name` its first output tensor.

    verdict: "int8" (integer arithmetic), "weights" (int8 weights), "fp16" (float16 weights), "float", "data" (moves
    float values, computes none) or "integer" (touches no float tensor). reason says why.
    """

    index: int
    op: str
    name: str
    verdict: str
    reason: str


@dataclass(frozen=True)
class Preflight:
    """islands: groups of adjacent float operators that cut an int8 model, each paid for with DEQUANTIZE and QUANTIZE.

    warnings: one line per finding that costs accuracy, such as a concatenation of very different ranges.
    """

    scheme: str
    rows: tuple[PreflightRow, ...]
    islands: int
    warnings: tuple[str, ...] = ()


def preflight(model: bytes, scheme: str, *, ranges: Ranges | None = None) -> Preflight:
    """The table for `model` (a float `.tflite`) under `scheme`; `ranges` adds the warnings that need them.

    Raises QuantizationError for an unknown scheme or a file that is no float model.
    """
    return preflight_tree(read_sound_model(model), find_scheme(scheme), ranges, {})


def preflight_tree(tree: Any, scheme: Scheme, ranges: Ranges | None, inputs: Mapping[str, Io]) -> Preflight:
    """As `preflight`, for a model that has been read; scales imposed on `inputs` are compared with `ranges`."""
    rows = tuple(_row(tree, scheme, index, op) for index, op in enumerate(tree.subgraphs[0].operators))
    islands = _count_islands(tree, rows) if scheme.arithmetic == "int8" else 0
    return Preflight(scheme.name, rows, islands, _warnings(tree, ranges, inputs) if ranges else ())


def _warnings(tree: Any, ranges: Ranges, inputs: Mapping[str, Io]) -> tuple[str, ...]:
    known = ranges.tensors
    return (*mixed_ranges(tree, known), *always_zero(known), *clipped_inputs(inputs, known))


def _row(tree: Any, scheme: Scheme, index: int, op: Any) -> PreflightRow:
    name = op_name(tree, op)
    verdict, reason = _judge(tree, scheme, op, name)
    return PreflightRow(index, name, text(tree.subgraphs[0].tensors[op.outputs[0]].name), verdict, reason)


def _judge(tree: Any, scheme: Scheme, op: Any, name: str) -> tuple[str, str]:
    if not any(tree.subgraphs[0].tensors[i].type == _FLOAT for i in [*op.inputs, *op.outputs] if i >= 0):
        return "integer", "touches no float tensor"
    if scheme.arithmetic == "int8":
        return _judge_static(name)
    if scheme.weights == "int8" and name in WEIGHTED and has_constant_weights(tree, op, name):
        how = "activations quantized by the kernel" if scheme.arithmetic == "dynamic" else "float arithmetic"
        return "weights", f"int8 weights per channel, {how}"
    if scheme.weights == "float16" and any(is_float16_candidate(tree, i) for i in op.inputs if i >= 0):
        return "fp16", "float16 constants, float arithmetic"
    if name in DATA_MOVEMENT:
        return "data", "moves values, computes none"
    return "float", _why_float(scheme, name)


def _judge_static(name: str) -> tuple[str, str]:
    if name in INT8_OPS:
        return "int8", "integer arithmetic"
    if name == "EMBEDDING_LOOKUP":
        return "weights", "int8 table, float rows"
    if name in RECURRENT:
        return "float", "recurrent operators stay float: the engine has no integer form of them"
    return "float", f"the engine has no int8 form of {name}"


def _why_float(scheme: Scheme, name: str) -> str:
    if scheme.weights == "float32":
        return "the scheme leaves everything in float"
    if name in RECURRENT:
        return "recurrent operators keep float weights: the engine has no int8 form of them"
    return "no constant weights"


def has_constant_weights(tree: Any, op: Any, name: str) -> bool:
    return constant(tree, tree.subgraphs[0].tensors[op.inputs[WEIGHTED[name].weights]]) is not None


def is_float16_candidate(tree: Any, index: int) -> bool:
    """Whether tensor `index` is a float32 constant worth storing as float16."""
    tensor = tree.subgraphs[0].tensors[index]
    value = constant(tree, tensor) if tensor.type == _FLOAT else None
    return value is not None and value.size >= 64


def _count_islands(tree: Any, rows: tuple[PreflightRow, ...]) -> int:
    """Connected groups of float operators, joined through the tensors between them."""
    operators = tree.subgraphs[0].operators
    island_of_tensor: dict[int, int] = {}
    parent: list[int] = []

    def root(island: int) -> int:
        while parent[island] != island:
            island = parent[island]
        return island

    for row in rows:
        if row.verdict != "float":
            continue
        op = operators[row.index]
        joined = {root(island_of_tensor[i]) for i in op.inputs if i in island_of_tensor}
        island = min(joined) if joined else len(parent)
        if not joined:
            parent.append(island)
        for other in joined:
            parent[other] = island
        island_of_tensor |= dict.fromkeys(op.outputs, island)
    return len({root(island) for island in range(len(parent))})
