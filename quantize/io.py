"""The types of a quantized model's inputs and outputs.

The engine leaves float32 at every boundary, with a QUANTIZE after each input and a DEQUANTIZE before each output.
Here the boundary moves inwards: int8 makes the quantized tensor itself the model's; uint8 puts a QUANTIZE between
uint8 and int8 of the same scale, which is exact (the zero points differ by 128).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from quantize.errors import QuantizationError
from quantize.model_file import add_tensor, new_op, op_name, text
from quantize.observers import Range
from quantize.schemes import Scheme

_TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
}
_LOWEST = {"float32": -128, "int8": -128, "uint8": 0}
_STEPS = 255
_OP = schema.BuiltinOperator


@dataclass(frozen=True)
class Io:
    """The type of one input or output: real = (q - zero_point) * scale for "int8" and "uint8".

    scale and zero_point, given together, are imposed on an *input* instead of the calibrated ones. So a normalisation
    (pixel - mean) / std folds into a uint8 input with scale 1 / std and zero_point mean. Imposed on a "float32"
    input, they are those of the int8 tensor that it is quantized to.
    """

    dtype: str = "float32"
    scale: float | None = None
    zero_point: int | None = None

    def imposed_range(self) -> tuple[float, float]:
        """Real values of the lowest and highest integer."""
        assert self.scale is not None and self.zero_point is not None
        lowest = (_LOWEST[self.dtype] - self.zero_point) * self.scale
        return lowest, lowest + _STEPS * self.scale


def check_io(tree: Any, scheme: Scheme, inputs: Mapping[str, Io], outputs: Mapping[str, Io]) -> None:
    """Raises QuantizationError for an unknown tensor, a type that the scheme or tensor cannot have, a bad scale."""
    graph = tree.subgraphs[0]
    input_names = {text(graph.tensors[i].name) for i in graph.inputs}
    for side, wishes, indices in (("input", inputs, graph.inputs), ("output", outputs, graph.outputs)):
        tensors = {text(graph.tensors[i].name): graph.tensors[i] for i in indices}
        for name, wish in wishes.items():
            if name not in tensors:
                raise QuantizationError(f"the model has no {side} '{name}'; it has {', '.join(sorted(tensors))}")
            _check_wish(f"{side} '{name}'", wish, tensors[name], scheme)
            if side == "output" and name in input_names and wish != inputs.get(name, Io()):
                raise QuantizationError(f"'{name}' is an input that is also an output: give both the same type")
            if side == "output" and wish.scale is not None:
                raise QuantizationError(f"output '{name}': scale and zero point are calibrated, not given")


def _check_wish(what: str, wish: Io, tensor: Any, scheme: Scheme) -> None:
    if wish.dtype not in _TYPES:
        raise QuantizationError(f"{what}: type '{wish.dtype}' is not one of {', '.join(_TYPES)}")
    if wish.dtype != "float32" and tensor.type != schema.TensorType.FLOAT32:
        raise QuantizationError(f"{what} is not float32 in the model and keeps its type; ask for 'float32'")
    if wish.dtype != "float32" and scheme.arithmetic != "int8":
        raise QuantizationError(f"{what}: type '{wish.dtype}' needs scheme 'int8', not '{scheme.name}'")
    if (wish.scale is None) != (wish.zero_point is None):
        raise QuantizationError(f"{what}: give scale and zero point together, or neither")
    if wish.scale is None or wish.zero_point is None:
        return
    if scheme.arithmetic != "int8":
        raise QuantizationError(f"{what}: scale and zero point need scheme 'int8', not '{scheme.name}'")
    lowest = _LOWEST[wish.dtype]
    if not (np.isfinite(wish.scale) and wish.scale > 0 and lowest <= wish.zero_point <= lowest + _STEPS):
        raise QuantizationError(
            f"{what}: scale {wish.scale} must be positive and zero point {wish.zero_point} within"
            f" {lowest}..{lowest + _STEPS}"
        )


def set_boundaries(
    tree: Any, float_tree: Any, inputs: Mapping[str, Io], outputs: Mapping[str, Io], ranges: Mapping[str, Range]
) -> None:
    """Gives the engine's result `tree` the wished types and the float model's names and signatures, in place."""
    graph, source = tree.subgraphs[0], float_tree.subgraphs[0]
    index_of = {text(tensor.name): index for index, tensor in enumerate(graph.tensors)}
    names_in = [text(source.tensors[i].name) for i in source.inputs]
    names_out = [text(source.tensors[i].name) for i in source.outputs]
    read = {name: _set_input(tree, index_of[name], inputs.get(name, Io()), ranges) for name in names_in}
    written = dict(read)
    for index, name in zip(source.outputs, names_out, strict=True):
        if name not in written and source.tensors[index].type == schema.TensorType.FLOAT32:
            written[name] = _set_output(tree, index_of[name], outputs.get(name, Io()), ranges)
    graph.inputs = [read[name] for name in names_in]
    graph.outputs = [written.get(name, index_of[name]) for name in names_out]
    _name_boundaries(graph, written)
    tree.signatureDefs = _signatures(graph, float_tree)


def _set_input(tree: Any, index: int, wish: Io, ranges: Mapping[str, Range]) -> int:
    """Index of the tensor that is the model's input instead of float tensor `index`."""
    if wish.dtype == "float32":
        return index
    graph = tree.subgraphs[0]
    quantizers = [op for op in graph.operators if op_name(tree, op) == "QUANTIZE" and op.inputs[0] == index]
    if quantizers:
        integer = int(quantizers[0].outputs[0])
        for op in quantizers:
            op.inputs = [integer]
        graph.operators.remove(quantizers[0])
    else:
        integer = _add_quantized(tree, index, ranges)
    if any(index in op.inputs for op in graph.operators):
        graph.operators.insert(0, new_op(tree, _OP.DEQUANTIZE, [integer], [index]))
    if wish.dtype == "int8":
        return integer
    unsigned = _add_unsigned(tree, integer)
    graph.operators.insert(0, new_op(tree, _OP.QUANTIZE, [unsigned], [integer]))
    return unsigned


def _set_output(tree: Any, index: int, wish: Io, ranges: Mapping[str, Range]) -> int:
    """Index of the tensor that is the model's output instead of float or int8 tensor `index`."""
    graph = tree.subgraphs[0]
    tensor = graph.tensors[index]
    if tensor.type == schema.TensorType.FLOAT32:
        if wish.dtype == "float32":
            return index
        integer = _add_quantized(tree, index, ranges)
        graph.operators.append(new_op(tree, _OP.QUANTIZE, [index], [integer]))
    else:
        integer = index
    if wish.dtype == "int8":
        return integer
    if wish.dtype == "uint8":
        unsigned = _add_unsigned(tree, integer)
        graph.operators.append(new_op(tree, _OP.QUANTIZE, [integer], [unsigned]))
        return unsigned
    real = add_tensor(tree, f"{text(tensor.name)}_float32", tensor, dtype=schema.TensorType.FLOAT32)
    graph.operators.append(new_op(tree, _OP.DEQUANTIZE, [integer], [real]))
    return real


def _add_quantized(tree: Any, index: int, ranges: Mapping[str, Range]) -> int:
    """An int8 twin of float tensor `index`, for a boundary that only float operators touch."""
    tensor = tree.subgraphs[0].tensors[index]
    name = text(tensor.name)
    low, high = min(0.0, ranges[name].min), max(0.0, ranges[name].max)
    scale = (high - low) / _STEPS
    twin = add_tensor(tree, f"{name}_int8", tensor, dtype=schema.TensorType.INT8)
    _set_quantization(tree.subgraphs[0].tensors[twin], scale, int(np.rint(-128 - low / scale)))
    return twin


def _add_unsigned(tree: Any, index: int) -> int:
    tensor = tree.subgraphs[0].tensors[index]
    twin = add_tensor(tree, f"{text(tensor.name)}_uint8", tensor, dtype=schema.TensorType.UINT8)
    known = tensor.quantization
    _set_quantization(tree.subgraphs[0].tensors[twin], float(known.scale[0]), int(known.zeroPoint[0]) + 128)
    return twin


def _set_quantization(tensor: Any, scale: float, zero_point: int) -> None:
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale = [scale]
    tensor.quantization.zeroPoint = [zero_point]


def _name_boundaries(graph: Any, chosen: Mapping[str, int]) -> None:
    """Each tensor of `chosen` takes its name; another tensor of that name steps aside."""
    for index, tensor in enumerate(graph.tensors):
        name = text(tensor.name)
        if chosen.get(name, index) != index:
            tensor.name = f"{name}_inner".encode()
    for name, index in chosen.items():
        graph.tensors[index].name = name.encode()


def _signatures(graph: Any, float_tree: Any) -> Any:
    by_name = {text(tensor.name): index for index, tensor in enumerate(graph.tensors)}
    tensors = float_tree.subgraphs[0].tensors
    for signature in float_tree.signatureDefs or []:
        for entry in [*signature.inputs, *signature.outputs]:
            entry.tensorIndex = by_name[text(tensors[entry.tensorIndex].name)]
    return float_tree.signatureDefs
