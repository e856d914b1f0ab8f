"""ONNX's tensors, types and attributes as numpy and Python values."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import AttributeProto, NodeProto, TensorProto, helper, numpy_helper

from converter.errors import ConversionError
from converter.graph import Array, Node

NARROWED = {TensorProto.FLOAT16: TensorProto.FLOAT, TensorProto.DOUBLE: TensorProto.FLOAT}


def numpy_dtype(elem_type: int, what: str) -> np.dtype[Any]:
    """The dtype of the values of an ONNX element type; ``what`` names their owner in an error."""
    elem_type = NARROWED.get(elem_type, elem_type)
    try:
        dtype: np.dtype[Any] = np.dtype(helper.tensor_dtype_to_np_dtype(elem_type))
    except KeyError as error:
        raise ConversionError(f"{what} has an unknown element type {elem_type}; export the model again") from error
    if dtype.kind not in "fiub":
        raise ConversionError(
            f"{what} is of type {TensorProto.DataType.Name(elem_type)}, which has no TFLite form here; "
            "cast it to float32 or int32 in the source model"
        )
    return dtype


def read_initializer(tensor: TensorProto) -> Array:
    """A weight, refused when it holds NaN or, being more than one number, infinities."""
    what = f"initializer '{tensor.name}'"
    data = read_array(tensor, what)
    if data.dtype.kind == "f" and not np.isfinite(data).all() and (data.size > 1 or np.isnan(data).any()):
        raise ConversionError(
            f"{what} holds NaN or infinite values; train or export the model again "
            "(for a mask write a large finite number such as -1e9)"
        )
    return data


def read_array(tensor: TensorProto, what: str) -> Array:
    """The data of a tensor; ``what`` names it in an error."""
    try:
        return np.array(numpy_helper.to_array(tensor))
    except Exception as error:  # malformed tensors fail in many ways inside numpy_helper
        raise ConversionError(f"{what} cannot be read: {first_line(error)}; export the model again") from error


def read_constant(proto: NodeProto, node: Node) -> Array:
    """What a Constant node holds."""
    for entry in proto.attribute:
        if entry.name == "value":
            return read_array(entry.t, node.label())
        if entry.name in ("value_float", "value_floats"):
            return np.array(helper.get_attribute_value(entry), np.float32)
        if entry.name in ("value_int", "value_ints"):
            return np.array(helper.get_attribute_value(entry), np.int64)
    raise ConversionError(f"{node.label()} holds neither a tensor nor numbers; export the model again")


def read_attribute(entry: AttributeProto, node: Node) -> Any:
    """An attribute as a number, text, list of these, or array; a subgraph is refused."""
    if entry.ref_attr_name:
        raise ConversionError(f"{node.label()} refers to an attribute of a function; export it inlined")
    if entry.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS):
        raise ConversionError(f"{node.label()} runs a subgraph, which has no TFLite form here; unroll it")
    try:
        value = helper.get_attribute_value(entry)
    except ValueError as error:
        raise ConversionError(f"{node.label()} has an unreadable attribute '{entry.name}'") from error
    if entry.type == AttributeProto.TENSOR:
        return read_array(value, node.label())
    if entry.type == AttributeProto.STRING:
        return value.decode("utf-8", "replace")
    if entry.type == AttributeProto.STRINGS:
        return [text.decode("utf-8", "replace") for text in value]
    return list(value) if entry.type in (AttributeProto.INTS, AttributeProto.FLOATS) else value


def narrowed(data: Array) -> Array:
    """float16 and float64 as float32, all else as it is."""
    return data.astype(np.float32) if data.dtype in (np.float16, np.float64) else data


def first_line(error: Exception) -> str:
    """The line of a foreign error that says what is wrong."""
    return (str(error).strip() or type(error).__name__).splitlines()[-1]
