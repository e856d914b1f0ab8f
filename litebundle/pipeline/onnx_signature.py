"""Names, shapes and dtypes of an ONNX model's inputs and outputs, read from the file without loading it.

The few fields needed are taken from the protobuf wire format (protobuf.dev/programming-guides/encoding, field
numbers of onnx.proto), so that reading a pipeline imports no model library.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from litebundle.errors import LitebundleError

_MODEL_GRAPH = 7
_GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT = 5, 11, 12
_TENSOR_NAME = 8
_VALUE_NAME, _VALUE_TYPE = 1, 2
_TYPE_TENSOR = 1
_TENSOR_TYPE_ELEMENT, _TENSOR_TYPE_SHAPE = 1, 2
_SHAPE_DIM = 1
_DIM_VALUE = 1

_DTYPES = {1: "float32", 2: "uint8", 6: "int32", 7: "int64", 9: "bool"}

Buffer = memoryview
Field = tuple[int, int | Buffer]


@dataclass(frozen=True)
class OnnxTensor:
    """An input or output as the file declares it; an axis of open length is None, so is a missing shape."""

    name: str
    dtype: str
    shape: tuple[int | None, ...] | None

    @property
    def fixed_shape(self) -> tuple[int, ...] | None:
        """The shape, if every axis has a length."""
        shape = self.shape or ()
        fixed = tuple(length for length in shape if length is not None)
        return fixed if self.shape is not None and len(fixed) == len(shape) else None


@dataclass(frozen=True)
class OnnxSignature:
    inputs: tuple[OnnxTensor, ...]
    outputs: tuple[OnnxTensor, ...]


def read_signature(path: Path) -> OnnxSignature:
    """Read the declared inputs (initializers left out) and outputs.

    Raises:
        LitebundleError: The file is not an ONNX model, or is cut short.
    """
    try:
        return _signature(memoryview(path.read_bytes()))
    except (ValueError, IndexError) as error:
        raise LitebundleError(f"{path}: not an ONNX model, or cut short ({error}); export it again") from error


def _signature(model: Buffer) -> OnnxSignature:
    graph = [value for number, value in _fields(model) if number == _MODEL_GRAPH]
    if not graph:
        raise ValueError("it holds no graph")
    initializers: set[str] = set()
    inputs: list[OnnxTensor] = []
    outputs: list[OnnxTensor] = []
    for number, value in _fields(_message(graph[-1])):
        if number == _GRAPH_INITIALIZER:
            initializers.add(_text(_last(_message(value), _TENSOR_NAME)))
        elif number == _GRAPH_INPUT:
            inputs.append(_tensor(_message(value)))
        elif number == _GRAPH_OUTPUT:
            outputs.append(_tensor(_message(value)))
    if not outputs:
        raise ValueError("its graph has no outputs")
    return OnnxSignature(tuple(item for item in inputs if item.name not in initializers), tuple(outputs))


def _tensor(info: Buffer) -> OnnxTensor:
    tensor_type = _message(_last(_message(_last(info, _VALUE_TYPE)), _TYPE_TENSOR))
    element = _last(tensor_type, _TENSOR_TYPE_ELEMENT)
    shapes = [value for number, value in _fields(tensor_type) if number == _TENSOR_TYPE_SHAPE]
    return OnnxTensor(
        name=_text(_last(info, _VALUE_NAME)),
        dtype=_DTYPES.get(element, f"ONNX type {element}") if isinstance(element, int) else "unknown",
        shape=_shape(_message(shapes[-1])) if shapes else None,
    )


def _shape(shape: Buffer) -> tuple[int | None, ...]:
    dims = [_message(value) for number, value in _fields(shape) if number == _SHAPE_DIM]
    lengths = [_last(dim, _DIM_VALUE) for dim in dims]
    # A negative length is a 64-bit two's complement varint: some exporters write -1 for an open axis.
    return tuple(length if isinstance(length, int) and 0 < length < 1 << 63 else None for length in lengths)


def _last(message: Buffer, number: int) -> int | Buffer:
    """The field's value (the last one wins, as protobuf has it), or an empty message."""
    value: int | Buffer = memoryview(b"")
    for found, candidate in _fields(message):
        if found == number:
            value = candidate
    return value


def _fields(message: Buffer) -> Iterator[Field]:
    """Field numbers with their varint, or the bytes of everything else."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == 2:
            size, at = _varint(message, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire} at byte {at}")
        if at + size > len(message):
            raise ValueError(f"a field ends {at + size - len(message)} bytes behind the end")
        yield number, message[at : at + size]
        at += size


def _varint(message: Buffer, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
    raise ValueError(f"a number of more than ten bytes at byte {at}")


def _message(value: int | Buffer) -> Buffer:
    if isinstance(value, int):
        raise ValueError("a number where a message belongs")
    return value


def _text(value: int | Buffer) -> str:
    return bytes(_message(value)).decode()
