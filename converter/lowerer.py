"""What a lowering rule works with: source values in, TFLite operators out, axis orders looked after."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.errors import ConversionError
from converter.graph import Array, Graph, Node
from converter.layout import Layout, arrange, relative, same_order, source_order
from converter.tflite_graph import Operator, Tensor

Op = schema.BuiltinOperator
INT32 = np.dtype(np.int32)
FLOAT32 = np.dtype(np.float32)
BOOL = np.dtype(np.bool_)
TENSOR_DTYPES = {
    np.dtype(np.float32): FLOAT32,
    np.dtype(np.int64): INT32,
    INT32: INT32,
    BOOL: BOOL,
    np.dtype(np.int8): np.dtype(np.int8),
    np.dtype(np.uint8): np.dtype(np.uint8),
}


@dataclass(frozen=True)
class Placed:
    """A source value in a tensor: tensor axis ``i`` is source axis ``layout[i]``."""

    tensor: Tensor
    layout: Layout


class Lowerer:
    """Collects TFLite operators while rules lower one node after the other."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.producers = graph.producers()
        self.operators: list[Operator] = []
        self.placed: dict[str, Placed] = {}
        self._named: set[Tensor] = set()
        self._reordered: dict[tuple[Tensor, Layout], Tensor] = {}
        self._constants: dict[tuple[str, Layout], Tensor] = {}
        self._index_constants: dict[tuple[int, ...], Tensor] = {}
        self._prefix = "graph"

    # what a rule asks about the source

    def shape(self, name: str) -> tuple[int, ...]:
        """The source's shape of a value."""
        return self.graph.values[name].shape

    def rank(self, name: str) -> int:
        """The number of axes of a value."""
        return len(self.shape(name))

    def dtype(self, name: str) -> np.dtype[Any]:
        """The dtype of the tensor that holds a value."""
        dtype = self.graph.values[name].dtype
        if dtype not in TENSOR_DTYPES:
            raise ConversionError(
                f"value '{name}' is of type {dtype}, which TFLite operators do not compute with; "
                "cast it to float32 or int32 in the source model"
            )
        return TENSOR_DTYPES[dtype]

    def constant(self, name: str) -> Array | None:
        """The data of a constant; None for other values and for an absent input."""
        return self.graph.constant(name)

    def required_constant(self, node: Node, index: int, what: str) -> Array:
        """The data of input ``index``, refused when it is only known while the model runs."""
        data = self.graph.constant(node.input(index))
        if data is None:
            raise self.refusal(node, f"{what} that is computed while the model runs", "make it a constant")
        return data

    def integers(self, node: Node, attribute: str, index: int) -> list[int] | None:
        """Whole numbers that older opsets hold in an attribute and newer ones in input ``index``."""
        if attribute in node.attributes:
            value = node.attributes[attribute]
            return list(value) if isinstance(value, list) else [value]
        if not node.input(index):
            return None
        return [int(value) for value in self.required_constant(node, index, f"an input '{attribute}'").reshape(-1)]

    @staticmethod
    def refusal(node: Node, what: str, way_out: str) -> ConversionError:
        """The error for a node that no TFLite operator expresses."""
        return ConversionError(f"{node.label()} has {what}, which no TFLite operator expresses; {way_out}")

    # tensors in the wanted order of axes

    def current(self, name: str) -> Placed:
        """The value as it lies; a constant lies in source order."""
        if name not in self.placed:
            return Placed(self._constant_tensor(name, source_order(self.rank(name))), source_order(self.rank(name)))
        return self.placed[name]

    def tensor(self, name: str, layout: Layout | None = None) -> Tensor:
        """The value with its axes in ``layout`` (default: source order), transposed only if it has to be."""
        layout = source_order(self.rank(name)) if layout is None else layout
        if name not in self.placed:
            return self._constant_tensor(name, layout)
        placed = self.placed[name]
        if placed.layout == layout:
            return placed.tensor
        return self.reordered(placed, self.shape(name), layout)

    def reordered(self, placed: Placed, shape: tuple[int, ...], layout: Layout) -> Tensor:
        """The tensor of a value of ``shape`` with its axes in ``layout``; asked twice, written once."""
        permutation = relative(placed.layout, layout)
        key = (placed.tensor, permutation)
        if key not in self._reordered:
            if same_order(shape, placed.layout, layout):
                self._reordered[key] = self.reshape(placed.tensor, arrange(shape, layout))
            else:
                self._reordered[key] = self.transpose(placed.tensor, permutation)
        return self._reordered[key]

    def _constant_tensor(self, name: str, layout: Layout) -> Tensor:
        key = (name, layout)
        if key not in self._constants:
            data = self.graph.values[name].data
            assert data is not None, name
            self._constants[key] = self.new_constant(np.transpose(data, layout), name)
        return self._constants[key]

    def new_constant(self, data: Array, name: str) -> Tensor:
        """A constant tensor; whole numbers become int32, which they have to fit."""
        if data.dtype not in TENSOR_DTYPES:
            raise ConversionError(
                f"constant '{name}' is of type {data.dtype}, which TFLite operators do not compute with; "
                "cast it to float32 or int32 in the source model"
            )
        wanted = TENSOR_DTYPES[data.dtype]
        if data.dtype == np.int64 and data.size:
            limits = np.iinfo(np.int32)
            if data.min() < limits.min or data.max() > limits.max:
                raise ConversionError(
                    f"constant '{name}' holds whole numbers beyond 32 bits ({data.min()} to {data.max()}), "
                    "TFLite index tensors are int32; use smaller ones in the source model"
                )
        if data.dtype.kind == "f" and np.isnan(data).any():
            raise ConversionError(f"constant '{name}' holds NaN; train or export the model again")
        data = np.ascontiguousarray(data, wanted).reshape(data.shape)
        return Tensor(name, data.shape, wanted, data)

    def index_constant(self, values: Sequence[int], name: str) -> Tensor:
        """An int32 vector such as TFLite operators take for axes and shapes; equal ones are one tensor."""
        key = tuple(values)
        if key not in self._index_constants:
            self._index_constants[key] = self.new_constant(np.array(key, np.int64), f"{self._prefix}/{name}")
        return self._index_constants[key]

    # operators

    def name_after(self, name: str) -> None:
        """Name new tensors after the value ``name`` from here on."""
        self._prefix = name

    def emit(
        self,
        code: int,
        inputs: Sequence[Tensor | None],
        shape: Sequence[int],
        *,
        dtype: np.dtype[Any] | None = None,
        options: Any = None,
        suffix: str = "",
    ) -> Tensor:
        """Append an operator with one output; its dtype defaults to that of the first input."""
        return self.emit_many(code, inputs, [tuple(shape)], dtype=dtype, options=options, suffix=suffix)[0]

    def emit_many(
        self,
        code: int,
        inputs: Sequence[Tensor | None],
        shapes: Sequence[tuple[int, ...]],
        *,
        dtype: np.dtype[Any] | None = None,
        options: Any = None,
        suffix: str = "",
    ) -> list[Tensor]:
        """Append an operator with several outputs of one dtype."""
        first = inputs[0]
        assert first is not None
        name = f"{self._prefix}/{suffix or OPERATOR_NAMES[code].lower()}"
        outputs = [Tensor(name, shape, dtype or first.dtype) for shape in shapes]
        self.operators.append(Operator(code, list(inputs), list(outputs), options))
        return outputs

    def place(self, name: str, tensor: Tensor, layout: Layout | None = None) -> None:
        """Declare that ``tensor`` holds the value ``name``; the first value a tensor holds names it."""
        layout = source_order(len(tensor.shape)) if layout is None else layout
        if arrange(self.shape(name), layout) != tensor.shape:
            raise ValueError(f"'{name}' of shape {list(self.shape(name))} comes out as {list(tensor.shape)}")
        self.placed[name] = Placed(tensor, layout)
        if tensor not in self._named:
            self._named.add(tensor)
            tensor.name = name

    def holds_value(self, tensor: Tensor) -> bool:
        """Whether ``tensor`` is some value of the source, not only a step towards one."""
        return tensor in self._named

    # the operators that every family needs

    def reshape(self, tensor: Tensor, shape: Sequence[int]) -> Tensor:
        """``tensor`` in another shape, itself when it has that shape already."""
        if tuple(shape) == tensor.shape:
            return tensor
        if math.prod(shape) != math.prod(tensor.shape):
            raise ValueError(f"{list(tensor.shape)} cannot become {list(shape)}")
        if tensor.data is not None:
            return self.new_constant(tensor.data.reshape(shape), tensor.name)
        return self._reshape(tensor, shape)

    def _reshape(self, tensor: Tensor, shape: Sequence[int]) -> Tensor:
        options = schema.ReshapeOptionsT()
        options.newShape = list(shape)
        return self.emit(Op.RESHAPE, [tensor, self.index_constant(shape, "shape")], shape, options=options)

    def copy(self, tensor: Tensor) -> Tensor:
        """The same elements in a tensor of their own."""
        return self._reshape(tensor, tensor.shape)

    def transpose(self, tensor: Tensor, permutation: Sequence[int]) -> Tensor:
        """Output axis ``i`` is input axis ``permutation[i]``."""
        if tuple(permutation) == source_order(len(tensor.shape)):
            return tensor
        if tensor.data is not None:
            return self.new_constant(np.transpose(tensor.data, permutation), tensor.name)
        shape = arrange(tensor.shape, tuple(permutation))
        return self.emit(
            Op.TRANSPOSE, [tensor, self.index_constant(permutation, "permutation")], shape,
            options=schema.TransposeOptionsT(),
        )  # fmt: skip

    def slice(self, tensor: Tensor, begin: Sequence[int], size: Sequence[int]) -> Tensor:
        """The part of ``tensor`` from ``begin`` on, itself when that is all of it."""
        if tuple(size) == tensor.shape:
            return tensor
        inputs = [tensor, self.index_constant(begin, "begin"), self.index_constant(size, "size")]
        return self.emit(Op.SLICE, inputs, size, options=schema.SliceOptionsT())

    def binary(self, code: int, first: Tensor, second: Tensor, *, dtype: np.dtype[Any] | None = None) -> Tensor:
        """An elementwise operator on two tensors whose shapes broadcast as they are."""
        shape = np.broadcast_shapes(first.shape, second.shape)
        options = BINARY_OPTIONS.get(code, lambda: None)()
        return self.emit(code, [first, second], shape, dtype=dtype, options=options)

    def unary(self, code: int, tensor: Tensor) -> Tensor:
        """An elementwise operator on one tensor."""
        options = UNARY_OPTIONS.get(code, lambda: None)()
        return self.emit(code, [tensor], tensor.shape, options=options)

    def scalar(self, value: float, like: Tensor) -> Tensor:
        """A constant of rank 0 in the dtype of ``like``."""
        return self.new_constant(np.array(value, like.dtype), f"{self._prefix}/scalar")


OPERATOR_NAMES = {code: name for name, code in vars(Op).items() if not name.startswith("_")}
BINARY_OPTIONS: dict[int, Any] = {
    Op.ADD: schema.AddOptionsT,
    Op.SUB: schema.SubOptionsT,
    Op.MUL: schema.MulOptionsT,
    Op.DIV: schema.DivOptionsT,
    Op.POW: schema.PowOptionsT,
    Op.MAXIMUM: schema.MaximumMinimumOptionsT,
    Op.MINIMUM: schema.MaximumMinimumOptionsT,
    Op.FLOOR_MOD: schema.FloorModOptionsT,
    Op.SQUARED_DIFFERENCE: schema.SquaredDifferenceOptionsT,
    Op.EQUAL: schema.EqualOptionsT,
    Op.NOT_EQUAL: schema.NotEqualOptionsT,
    Op.LESS: schema.LessOptionsT,
    Op.LESS_EQUAL: schema.LessEqualOptionsT,
    Op.GREATER: schema.GreaterOptionsT,
    Op.GREATER_EQUAL: schema.GreaterEqualOptionsT,
    Op.LOGICAL_AND: schema.LogicalAndOptionsT,
    Op.LOGICAL_OR: schema.LogicalOrOptionsT,
}
UNARY_OPTIONS: dict[int, Any] = {
    Op.EXP: schema.ExpOptionsT,
    Op.NEG: schema.NegOptionsT,
    Op.ABS: schema.AbsOptionsT,
    Op.SQUARE: schema.SquareOptionsT,
    Op.COS: schema.CosOptionsT,
    Op.LOGICAL_NOT: schema.LogicalNotOptionsT,
    Op.HARD_SWISH: schema.HardSwishOptionsT,
    Op.SIGN: schema.SignOptionsT,
}
