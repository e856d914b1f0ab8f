"""The whole way from a float model to a quantized one that has been run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from quantize.bias import BiasRepair, find_overflows, joint_bounds
from quantize.errors import QuantizationError
from quantize.float16 import to_float16
from quantize.interpreter import read_sound_model
from quantize.io import Io, check_io, set_boundaries
from quantize.model_file import constant, op_name, read_model, stored_output_shapes, text, write_model
from quantize.observers import Range, Ranges
from quantize.preflight import Preflight, preflight_tree
from quantize.prune import prune
from quantize.scales import prepare_ranges
from quantize.schemes import INT8_OPS, Scheme, find_scheme
from quantize.verify import verify

# Kernels that quantize a constant with their output's scale: minus infinity saturates there, as it should.
_TAKES_INFINITY = frozenset({"MAXIMUM", "PADV2", "SELECT", "SELECT_V2"})
_TYPE = schema.TensorType
_QUANTIZED_TYPES = (_TYPE.INT4, _TYPE.INT8, _TYPE.UINT8, _TYPE.INT16)


@dataclass(frozen=True)
class Quantized:
    """A quantized model, what was done to each operator, and the channels whose bias had to be made to fit."""

    tflite: bytes
    scheme: str
    preflight: Preflight
    bias_repairs: tuple[BiasRepair, ...] = ()


def quantize(
    model: bytes,
    *,
    scheme: str,
    ranges: Ranges | None = None,
    inputs: Mapping[str, Io] | None = None,
    outputs: Mapping[str, Io] | None = None,
    full_integer: bool = False,
) -> Quantized:
    """Quantizes float `.tflite` `model`; equal arguments give equal bytes.

    scheme: a key of SCHEMES. "none" returns the model as it is. "int8" needs `ranges` of this model (see `calibrate`).
    inputs, outputs: the type of each by name, float32 where not named; integer inputs stay as they are.
    full_integer: refuse the model when an operator would stay in float.

    Names and signatures of inputs and outputs stay. The result has been loaded and run before it is returned.

    Raises QuantizationError: unknown scheme or tensor; ranges missing or of another model; a NaN constant; a float
    operator under full_integer; a bias that cannot be made to fit; a result that is not finite
    where the float model is.
    """
    chosen, wishes_in, wishes_out = find_scheme(scheme), inputs or {}, outputs or {}
    tree = read_sound_model(model)
    _refuse_quantized(tree)
    _refuse_not_finite(tree, chosen)
    check_io(tree, chosen, wishes_in, wishes_out)
    table = preflight_tree(tree, chosen, ranges, wishes_in)
    if full_integer:
        _refuse_floats(chosen, table)
    if chosen.weights == "float32" or all(row.verdict == "integer" for row in table.rows):
        return Quantized(_settled(model, model, {}), scheme, table)
    if chosen.weights == "float16":
        return Quantized(_settled(to_float16(tree), model, {}), scheme, table)
    if chosen.arithmetic != "int8":
        return Quantized(_settled(_int8_weights(tree, chosen), model, {}), scheme, table)
    if ranges is None:
        raise QuantizationError("scheme 'int8' needs the ranges of calibration samples; run `calibrate` first")
    known = prepare_ranges(tree, ranges, wishes_in)
    result, repairs = _static_int8(tree, known)
    set_boundaries(result, tree, wishes_in, wishes_out, known)
    prune(result)
    return Quantized(_settled(write_model(result), model, known), scheme, table, repairs)


def _int8_weights(tree: Any, scheme: Scheme) -> bytes:
    from quantize import engine  # 1.5 s, needed by the int8 schemes alone

    result = engine.int8_weights(tree, dynamic=scheme.arithmetic == "dynamic")
    set_boundaries(result, tree, {}, {}, {})
    prune(result)
    return write_model(result)


def _static_int8(tree: Any, ranges: Mapping[str, Range]) -> tuple[Any, tuple[BiasRepair, ...]]:
    from quantize import engine

    limits = {name: (known.min, known.max) for name, known in ranges.items()}
    result = engine.static_int8(tree, limits, {})
    widenings = find_overflows(tree, result)
    if widenings:
        result = engine.static_int8(tree, limits, joint_bounds(widenings))
        if left := find_overflows(tree, result):
            raise QuantizationError(f"the bias of '{left[0].repairs[0].name}' does not fit int32 even after widening")
    return result, tuple(repair for widening in widenings for repair in widening.repairs)


def _settled(model: bytes, reference: bytes, ranges: Mapping[str, Range]) -> bytes:
    """`model` once it has run, with the output shapes that it really has (a stale one crashes CompiledModel)."""
    shapes = verify(model, reference, ranges)
    if shapes == stored_output_shapes(model):
        return model
    tree = read_model(model)
    for index, shape in zip(tree.subgraphs[0].outputs, shapes, strict=True):
        tensor = tree.subgraphs[0].tensors[index]
        tensor.shape, tensor.shapeSignature = list(shape), None
    return write_model(tree)


def _refuse_quantized(tree: Any) -> None:
    for tensor in tree.subgraphs[0].tensors:
        if (
            tensor.type in _QUANTIZED_TYPES
            and tensor.quantization is not None
            and tensor.quantization.scale is not None
        ):
            raise QuantizationError(f"tensor '{text(tensor.name)}' is quantized already; give the float model")


def _refuse_not_finite(tree: Any, scheme: Scheme) -> None:
    graph = tree.subgraphs[0]
    for op in graph.operators:
        name = op_name(tree, op)
        finite_only = scheme.arithmetic == "int8" and name in INT8_OPS - _TAKES_INFINITY
        for index in [i for i in op.inputs if i >= 0]:
            value = constant(tree, graph.tensors[index])
            if value is None or value.dtype.kind != "f":
                continue
            if np.isnan(value).any():
                raise QuantizationError(
                    f"constant '{text(graph.tensors[index].name)}' of {name} holds NaN;"
                    " correct the source model's weights"
                )
            if finite_only and np.isinf(value).any():
                raise QuantizationError(
                    f"constant '{text(graph.tensors[index].name)}' of {name} is infinite, which int8 cannot express;"
                    " use a large finite number in the source model"
                )


def _refuse_floats(scheme: Scheme, table: Preflight) -> None:
    if scheme.arithmetic != "int8":
        raise QuantizationError(f"full_integer needs scheme 'int8', not '{scheme.name}'")
    floats = [f"{row.op} '{row.name}'" for row in table.rows if row.verdict in ("float", "weights")]
    if floats:
        raise QuantizationError(
            f"{len(floats)} operators would stay in float: {', '.join(floats)}; replace them in the source model,"
            " or allow them with full_integer = false"
        )
