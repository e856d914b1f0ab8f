"""TFLite graph -> flatbuffer, the same bytes for the same graph."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.tflite_graph import TENSOR_TYPES, Operator, Tensor, TfliteGraph
from converter.tflite_versions import operator_version

SCHEMA_VERSION = 3
FILE_IDENTIFIER = b"TFL3"
BUFFER_ALIGNMENT = 16
SIGNATURE = "serving_default"


class _AlignedBuilder(flatbuffers.Builder):  # type: ignore[misc]
    """Puts raw bytes, the weights, where vector instructions and delegates want them."""

    def CreateNumpyVector(self, x: Any) -> Any:  # noqa: N802 (the name is flatbuffers')
        if x.dtype != np.uint8:
            return super().CreateNumpyVector(x)
        self.StartVector(1, x.size, BUFFER_ALIGNMENT)
        self.head -= x.size
        self.Bytes[self.head : self.head + x.size] = x.tobytes()
        return self.EndVector()


def write(graph: TfliteGraph) -> bytes:
    """Serialise ``graph``; its tensors must have distinct names. Equal constants share one buffer."""
    model = schema.ModelT()
    model.version = SCHEMA_VERSION
    model.description = "litebundle"
    writer = _Writer(graph)
    model.operatorCodes = writer.operator_codes
    model.buffers = writer.buffers
    model.subgraphs = [writer.subgraph()]
    model.signatureDefs = [writer.signature()]
    size = sum(buffer.data.size for buffer in writer.buffers if buffer.data is not None)
    builder = _AlignedBuilder(size + (1 << 16))
    builder.Finish(model.Pack(builder), file_identifier=FILE_IDENTIFIER)
    return bytes(builder.Output())


class _Writer:
    def __init__(self, graph: TfliteGraph) -> None:
        self.graph = graph
        self.tensors = graph.tensors()
        self.index = {tensor: number for number, tensor in enumerate(self.tensors)}
        self.operator_codes: list[Any] = []
        self.buffers = [schema.BufferT()]  # buffer 0 is the empty one of tensors without data
        self._code_index: dict[tuple[int, int], int] = {}
        self._buffer_index: dict[bytes, int] = {}

    def subgraph(self) -> Any:
        subgraph = schema.SubGraphT()
        subgraph.name = "main"
        subgraph.tensors = [self._tensor(tensor) for tensor in self.tensors]
        subgraph.inputs = [self.index[tensor] for tensor in self.graph.inputs]
        subgraph.outputs = [self.index[tensor] for tensor in self.graph.outputs]
        subgraph.operators = [self._operator(operator) for operator in self.graph.operators]
        return subgraph

    def _tensor(self, tensor: Tensor) -> Any:
        written = schema.TensorT()
        written.name = tensor.name
        written.shape = list(tensor.shape)
        written.type = TENSOR_TYPES[tensor.dtype]
        written.buffer = 0 if tensor.data is None else self._buffer(tensor.data.tobytes())
        written.hasRank = True
        return written

    def _buffer(self, content: bytes) -> int:
        if content not in self._buffer_index:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(content, np.uint8)
            self._buffer_index[content] = len(self.buffers)
            self.buffers.append(buffer)
        return self._buffer_index[content]

    def _operator(self, operator: Operator) -> Any:
        written = schema.OperatorT()
        written.opcodeIndex = self._operator_code(operator)
        written.inputs = [-1 if tensor is None else self.index[tensor] for tensor in operator.inputs]
        written.outputs = [self.index[tensor] for tensor in operator.outputs]
        if operator.options is not None:
            written.builtinOptions = operator.options
            table = type(operator.options).__name__.removesuffix("T")
            written.builtinOptionsType = getattr(schema.BuiltinOptions, table)
        return written

    def _operator_code(self, operator: Operator) -> int:
        key = (operator.code, operator_version(operator))
        if key not in self._code_index:
            code = schema.OperatorCodeT()
            code.builtinCode, code.version = key
            code.deprecatedBuiltinCode = min(operator.code, 127)
            self._code_index[key] = len(self.operator_codes)
            self.operator_codes.append(code)
        return self._code_index[key]

    def signature(self) -> Any:
        signature = schema.SignatureDefT()
        signature.signatureKey = SIGNATURE
        signature.subgraphIndex = 0
        signature.inputs = [self._signature_entry(tensor) for tensor in self.graph.inputs]
        signature.outputs = [self._signature_entry(tensor) for tensor in self.graph.outputs]
        return signature

    def _signature_entry(self, tensor: Tensor) -> Any:
        entry = schema.TensorMapT()
        entry.name = tensor.name
        entry.tensorIndex = self.index[tensor]
        return entry
