"""Reading and writing `.tflite` files as the schema's object classes."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from quantize.errors import QuantizationError

OP_NAMES: dict[int, str] = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
NUMPY_TYPES: dict[int, np.dtype[Any]] = {
    schema.TensorType.FLOAT32: np.dtype(np.float32),
    schema.TensorType.FLOAT16: np.dtype(np.float16),
    schema.TensorType.INT32: np.dtype(np.int32),
    schema.TensorType.UINT8: np.dtype(np.uint8),
    schema.TensorType.INT64: np.dtype(np.int64),
    schema.TensorType.BOOL: np.dtype(np.bool_),
    schema.TensorType.INT16: np.dtype(np.int16),
    schema.TensorType.INT8: np.dtype(np.int8),
    schema.TensorType.FLOAT64: np.dtype(np.float64),
}
_BUFFER_ALIGNMENT_BYTES = 16  # `force_align` of Buffer.data in the TFLite schema
_SIGNATURE = b"TFL3"


class _AlignedBuffer(schema.BufferT):  # type: ignore[misc]
    """A buffer whose bytes land on the alignment that the schema asks for."""

    def Pack(self, builder: Any) -> Any:  # noqa: N802
        vector = None
        if self.data is not None and len(self.data):
            data = np.ascontiguousarray(self.data, dtype=np.uint8)
            builder.StartVector(1, data.size, _BUFFER_ALIGNMENT_BYTES)
            builder.head -= data.size
            builder.Bytes[builder.head : builder.head + data.size] = data.tobytes()
            vector = builder.EndVector()
        schema.BufferStart(builder)
        if vector is not None:
            schema.BufferAddData(builder, vector)
        return schema.BufferEnd(builder)


def read_model(model: bytes) -> Any:
    """The schema's `ModelT` of a `.tflite` file with one subgraph and distinct tensor names.

    Raises QuantizationError when `model` is no such file.
    """
    tree = parse_model(model)
    for index, name in duplicates(tree):
        raise QuantizationError(
            f"tensor name '{name}' is used twice (tensor {index} is one); ranges are kept by name:"
            " give every tensor of the model its own name"
        )
    return tree


def parse_model(model: bytes) -> Any:
    """As `read_model`, whatever the tensors are called."""
    if bytes(model[4:8]) != _SIGNATURE:
        raise QuantizationError("the model is not a .tflite file: identifier 'TFL3' is missing at byte 4")
    try:
        tree = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    except Exception as fault:
        raise QuantizationError(f"the model is a damaged .tflite file ({fault}); convert it again") from fault
    if not tree.subgraphs or not tree.operatorCodes or not tree.buffers or not tree.subgraphs[0].operators:
        raise QuantizationError("the model has no operators; give a converted .tflite")
    if len(tree.subgraphs) != 1:
        raise QuantizationError(
            f"the model has {len(tree.subgraphs)} subgraphs; only models without control flow (one subgraph)"
            " can be quantized: unroll IF and WHILE in the source model"
        )
    if not _is_sound(tree):
        raise QuantizationError("the model is a damaged .tflite file (references point nowhere); convert it again")
    for code in tree.operatorCodes:
        # Files older than schema 3a carry the operator in the one-byte field alone; readers of the new field see ADD.
        code.builtinCode = max(code.builtinCode, code.deprecatedBuiltinCode)
    _embed_external_buffers(tree, model)
    _list_indices(tree.subgraphs[0])
    return tree


def duplicates(tree: Any) -> list[tuple[int, str]]:
    """Index and name of every tensor whose name an earlier tensor has."""
    first: dict[str, int] = {}
    names = [text(tensor.name) for tensor in tree.subgraphs[0].tensors]
    return [(index, name) for index, name in enumerate(names) if first.setdefault(name, index) != index]


def write_model(tree: Any) -> bytes:
    """Serializes `tree`; equal trees give equal bytes."""
    tree.buffers = [_aligned(buffer) for buffer in tree.buffers]
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(tree.Pack(builder), _SIGNATURE)
    return bytes(builder.Output())


def stored_output_shapes(model: bytes) -> tuple[tuple[int, ...], ...]:
    """The output shapes that a `.tflite` file claims, read without unpacking it."""
    graph = schema.Model.GetRootAs(model, 0).Subgraphs(0)
    outputs = [graph.Tensors(graph.Outputs(k)) for k in range(graph.OutputsLength())]
    return tuple(tuple(tensor.Shape(k) for k in range(tensor.ShapeLength())) for tensor in outputs)


def text(name: bytes | str | None) -> str:
    return name.decode() if isinstance(name, bytes) else name or ""


def op_name(tree: Any, op: Any) -> str:
    code = tree.operatorCodes[op.opcodeIndex]
    return text(code.customCode) if code.customCode else OP_NAMES[code.builtinCode]


def constant(tree: Any, tensor: Any) -> np.ndarray[Any, Any] | None:
    """The stored value of `tensor` in its shape and dtype, or None when it is computed."""
    data = tree.buffers[tensor.buffer].data
    if tensor.buffer == 0 or data is None or tensor.type not in NUMPY_TYPES:
        return None
    values = np.asarray(data, np.uint8).view(NUMPY_TYPES[tensor.type])
    return values.reshape(tensor.shape)


def require_constant(tree: Any, tensor: Any) -> np.ndarray[Any, Any]:
    """As `constant`, for a tensor that has to have a stored value."""
    value = constant(tree, tensor)
    if value is None:
        raise QuantizationError(f"tensor '{text(tensor.name)}' must be a constant of the model, and is computed")
    return value


def is_float_activation(tree: Any, tensor: Any) -> bool:
    """Whether `tensor` is a float32 value computed at run time (no constant, no variable)."""
    return tensor.type == schema.TensorType.FLOAT32 and not tensor.isVariable and constant(tree, tensor) is None


def add_op_code(tree: Any, code: int) -> int:
    """Index of operator `code` in the model's table, added when absent."""
    for index, known in enumerate(tree.operatorCodes):
        if known.builtinCode == code:
            return index
    entry = schema.OperatorCodeT()
    entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = code, min(code, 127), 1
    tree.operatorCodes.append(entry)
    return len(tree.operatorCodes) - 1


def add_tensor(tree: Any, name: str, like: Any = None, *, shape: Any = None, dtype: int | None = None) -> int:
    """Adds a computed tensor (shape and dtype as `like` unless given) and returns its index."""
    tensor = schema.TensorT()
    tensor.name = name.encode()
    tensor.shape = list(like.shape if shape is None else shape)
    tensor.type = like.type if dtype is None else dtype
    tensor.shapeSignature = like.shapeSignature if shape is None else None
    tensor.buffer = 0
    tree.subgraphs[0].tensors.append(tensor)
    return len(tree.subgraphs[0].tensors) - 1


def add_constant(tree: Any, name: str, value: np.ndarray[Any, Any], dtype: int) -> int:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(value.tobytes(), np.uint8)
    tree.buffers.append(buffer)
    index = add_tensor(tree, name, shape=value.shape, dtype=dtype)
    tree.subgraphs[0].tensors[index].buffer = len(tree.buffers) - 1
    return index


def new_op(tree: Any, code: int, inputs: list[int], outputs: list[int]) -> Any:
    op = schema.OperatorT()
    op.opcodeIndex = add_op_code(tree, code)
    op.inputs, op.outputs = inputs, outputs
    return op


def _aligned(buffer: Any) -> _AlignedBuffer:
    aligned = _AlignedBuffer()
    aligned.data = buffer.data
    return aligned


def _is_sound(tree: Any) -> bool:
    """Whether every index of the main graph points at something and every name is text."""
    graph = tree.subgraphs[0]
    lists = [graph.inputs, graph.outputs, *(part for op in graph.operators for part in (op.inputs, op.outputs))]
    try:
        for tensor in graph.tensors:
            text(tensor.name)
    except UnicodeDecodeError:
        return False
    return (
        all(-1 <= int(index) < len(graph.tensors) for indices in lists for index in _listed(indices))
        and all(tensor.buffer < len(tree.buffers) for tensor in graph.tensors)
        and all(op.opcodeIndex < len(tree.operatorCodes) for op in graph.operators)
        and all(len(op.outputs) for op in graph.operators if op.outputs is not None)
    )


def _list_indices(graph: Any) -> None:
    """Indices and shapes as lists of int instead of numpy arrays, which have no truth value and slow index types."""
    graph.inputs, graph.outputs = _listed(graph.inputs), _listed(graph.outputs)
    for op in graph.operators:
        op.inputs, op.outputs, op.intermediates = _listed(op.inputs), _listed(op.outputs), _listed(op.intermediates)
    for tensor in graph.tensors:
        tensor.shape = _listed(tensor.shape)


def _listed(values: Any) -> list[int]:
    return [] if values is None else [int(value) for value in values]


def _embed_external_buffers(tree: Any, model: bytes) -> None:
    """Large files may keep buffers after the flatbuffer (`offset` and `size`); bring them in."""
    for buffer in tree.buffers:
        if buffer.data is None and buffer.offset > 1:
            buffer.data = np.frombuffer(model, np.uint8, buffer.size, buffer.offset)
        buffer.offset = buffer.size = 0
