"""The result as a graph of TFLite operators, before it becomes a flatbuffer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.graph import Array

TENSOR_TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.bool_): schema.TensorType.BOOL,
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.uint8): schema.TensorType.UINT8,
}


@dataclass(eq=False)
class Tensor:
    """A TFLite tensor with its true static shape; ``data`` makes it a constant."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    data: Array | None = None


@dataclass(eq=False)
class Operator:
    """One TFLite operator: ``code`` is a BuiltinOperator, ``options`` its ``...OptionsT`` of the schema."""

    code: int
    inputs: list[Tensor | None]
    outputs: list[Tensor]
    options: Any = None


@dataclass(eq=False)
class TfliteGraph:
    """Operators in execution order; ``inputs`` and ``outputs`` are the model's."""

    operators: list[Operator]
    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]

    def producers(self) -> dict[Tensor, Operator]:
        """Tensor -> the operator that writes it."""
        return {tensor: operator for operator in self.operators for tensor in operator.outputs}

    def use_counts(self) -> dict[Tensor, int]:
        """Tensor -> how often it is read, a graph output counting as one reading."""
        counts: dict[Tensor, int] = defaultdict(int)
        for operator in self.operators:
            for tensor in operator.inputs:
                if tensor is not None:
                    counts[tensor] += 1
        for tensor in self.outputs:
            counts[tensor] += 1
        return counts

    def remove_dead_operators(self) -> None:
        """Drop every operator whose results reach no output."""
        needed = set(self.outputs)
        kept: list[Operator] = []
        for operator in reversed(self.operators):
            if needed.intersection(operator.outputs):
                kept.append(operator)
                needed.update(tensor for tensor in operator.inputs if tensor is not None)
        self.operators = kept[::-1]

    def tensors(self) -> list[Tensor]:
        """All tensors that are read or written, inputs first, then in order of execution."""
        found = dict.fromkeys(self.inputs)
        for operator in self.operators:
            found.update(dict.fromkeys(tensor for tensor in operator.inputs if tensor is not None))
            found.update(dict.fromkeys(operator.outputs))
        found.update(dict.fromkeys(self.outputs))
        return list(found)
