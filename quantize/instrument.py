"""A copy of a model that also computes the smallest and largest value of chosen tensors.

REDUCE_MAX (and REDUCE_MIN where the lower bound is not known) follow each tensor's producer, where XNNPACK takes them
and the tensor is still in cache; one PACK collects the scalars, so that a run hands out a single short vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from quantize.model_file import add_constant, add_tensor, new_op, read_model, write_model
from quantize.range_plan import Look

_PREFIX = "litebundle/"
_OP = schema.BuiltinOperator


@dataclass(frozen=True)
class Instrumented:
    """`model` ends in one float32 vector output: maxima [M], then minima [N], then probes [P] for NaN.

    `maxima`, `minima` and `probes` name the tensor that each element belongs to.
    """

    model: bytes
    maxima: tuple[str, ...]
    minima: tuple[str, ...]
    probes: tuple[str, ...]


def instrument(model: bytes, looks: tuple[Look, ...]) -> Instrumented:
    """Adds the reductions of `looks`; the model's own outputs are dropped, its inputs stay."""
    tree = read_model(model)
    writer = _Writer(tree)
    graph = tree.subgraphs[0]
    by_index = {look.index: look for look in looks}
    ops = [reduction for i in graph.inputs if i in by_index for reduction in writer.reduce(by_index[i])]
    for op in graph.operators:
        ops.append(op)
        ops += [reduction for i in op.outputs if i in by_index for reduction in writer.reduce(by_index[i])]
    order = [*writer.scalars[_OP.REDUCE_MAX], *writer.scalars[_OP.REDUCE_MIN], *writer.scalars[_OP.SUM]]
    graph.operators = [*ops, writer.pack([index for _, index in order])]
    graph.outputs = [len(graph.tensors) - 1]
    tree.signatureDefs = None
    names = {code: tuple(name for name, _ in pairs) for code, pairs in writer.scalars.items()}
    return Instrumented(write_model(tree), names[_OP.REDUCE_MAX], names[_OP.REDUCE_MIN], names[_OP.SUM])


def expose(model: bytes, looks: tuple[Look, ...]) -> bytes:
    """A copy whose outputs are the tensors of `looks`, in order."""
    tree = read_model(model)
    tree.subgraphs[0].outputs = [look.index for look in looks]
    tree.signatureDefs = None
    return write_model(tree)


class _Writer:
    """Makes reduction ops and remembers the scalar that each one writes."""

    def __init__(self, tree: Any) -> None:
        self.tree = tree
        self.scalars: dict[int, list[tuple[str, int]]] = {_OP.REDUCE_MAX: [], _OP.REDUCE_MIN: [], _OP.SUM: []}
        self._axes: dict[int, int] = {}

    def reduce(self, look: Look) -> list[Any]:
        codes = [_OP.REDUCE_MAX]
        codes += [_OP.REDUCE_MIN] if look.needs_min else []
        codes += [_OP.SUM] if look.may_be_nan else []
        tensor = self.tree.subgraphs[0].tensors[look.index]
        rank = len(tensor.shape)
        if rank == 0:
            for code in codes:
                self.scalars[code].append((look.name, look.index))
            return []
        return [self._reduction(code, look, rank) for code in codes]

    def pack(self, scalars: list[int]) -> Any:
        vector = add_tensor(self.tree, f"{_PREFIX}ranges", shape=[len(scalars)], dtype=schema.TensorType.FLOAT32)
        op = new_op(self.tree, _OP.PACK, scalars, [vector])
        op.builtinOptionsType = schema.BuiltinOptions.PackOptions
        op.builtinOptions = schema.PackOptionsT()
        op.builtinOptions.valuesCount, op.builtinOptions.axis = len(scalars), 0
        return op

    def _reduction(self, code: int, look: Look, rank: int) -> Any:
        name = f"{_PREFIX}{code}/{look.name}"
        scalar = add_tensor(self.tree, name, shape=[], dtype=schema.TensorType.FLOAT32)
        self.scalars[code].append((look.name, scalar))
        op = new_op(self.tree, code, [look.index, self._all_axes(rank)], [scalar])
        op.builtinOptionsType = schema.BuiltinOptions.ReducerOptions
        op.builtinOptions = schema.ReducerOptionsT()
        op.builtinOptions.keepDims = False
        return op

    def _all_axes(self, rank: int) -> int:
        if rank not in self._axes:
            axes = np.arange(rank, dtype=np.int32)
            self._axes[rank] = add_constant(self.tree, f"{_PREFIX}axes{rank}", axes, schema.TensorType.INT32)
        return self._axes[rank]
