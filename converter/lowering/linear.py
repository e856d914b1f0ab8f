"""Matrix products."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.graph import Array, Node
from converter.layout import Layout, reshaped
from converter.lowerer import Lowerer, Op
from converter.lowering.registry import lowers
from converter.tflite_graph import Tensor


def fully_connected(lower: Lowerer, tensor: Tensor, weights: Tensor, bias: Tensor | None = None) -> Tensor:
    """``tensor`` [..., in] times the transpose of ``weights`` [out, in], plus ``bias`` [out]; both constants."""
    if weights.shape[1:] != tensor.shape[-1:] or (bias is not None and bias.shape != weights.shape[:1]):
        raise ValueError(f"weights of shape {list(weights.shape)} do not fit {list(tensor.shape)}")
    options = schema.FullyConnectedOptionsT()
    options.keepNumDims = len(tensor.shape) != 2
    inputs = [tensor, weights, *([] if bias is None else [bias])]
    return lower.emit(Op.FULLY_CONNECTED, inputs, (*tensor.shape[:-1], weights.shape[0]), options=options)


@lowers("MatMul")
def matmul(lower: Lowerer, node: Node) -> None:
    """FULLY_CONNECTED where one side is a constant matrix, else BATCH_MATMUL."""
    first, second = node.inputs
    right, left = lower.constant(second), lower.constant(first)
    if right is not None and right.ndim == 2:
        tensor, layout, weights = _meeting(lower, first, right.T)
        product = fully_connected(lower, tensor, lower.new_constant(weights, second))
        lower.place(node.outputs[0], product, layout)
    elif left is not None and left.ndim == 2 and lower.rank(second) >= 2:
        rank = lower.rank(second)
        swapped = (*range(rank - 2), rank - 1, rank - 2)
        tensor = lower.tensor(second, swapped)
        product = fully_connected(lower, tensor, lower.new_constant(left, first))
        lower.place(node.outputs[0], product, swapped)
    else:
        _batch_matmul(lower, node)


def _meeting(lower: Lowerer, name: str, weights: Array) -> tuple[Tensor, Layout, Array]:
    """The value with its last axis last, its layout, and ``weights`` [out, in] in the order of its columns.

    A flattened picture is taken as its tensor lies and the weights are reordered instead: they are constant.
    """
    reshape = lower.producers.get(name)
    if reshape is not None and reshape.op in ("Reshape", "Flatten") and lower.rank(name) == 2:
        source = reshape.inputs[0]
        shape, placed = lower.shape(source), lower.current(source)
        moves = reshaped(shape, lower.shape(name), placed.layout) is None
        if moves and placed.layout[0] == 0 and shape[0] == lower.shape(name)[0]:
            order = np.arange(weights.shape[1]).reshape(shape[1:]).transpose([axis - 1 for axis in placed.layout[1:]])
            return lower.reshape(placed.tensor, lower.shape(name)), (0, 1), weights[:, order.reshape(-1)]
    tensor, layout = _last_axis_last(lower, name)
    return tensor, layout, weights


def _last_axis_last(lower: Lowerer, name: str) -> tuple[Tensor, Layout]:
    """The value in any layout that ends with its last axis: the order of the others is free."""
    placed = lower.current(name)
    last = lower.rank(name) - 1
    if placed.layout[-1] == last:
        return placed.tensor, placed.layout
    layout = (*(axis for axis in placed.layout if axis != last), last)
    return lower.tensor(name, layout), layout


def _batch_matmul(lower: Lowerer, node: Node) -> None:
    rank = max(2, *(lower.rank(name) for name in node.inputs))
    left = _matrix_operand(lower, node.inputs[0], rank, row=True)
    options = schema.BatchMatMulOptionsT()
    second = node.inputs[1]
    swapped = (*range(rank - 2), rank - 1, rank - 2)
    if lower.rank(second) == rank and lower.current(second).layout == swapped:
        right = lower.tensor(second, swapped)
        options.adjY = True
        columns = right.shape[-2]
    else:
        right = _matrix_operand(lower, second, rank, row=False)
        columns = right.shape[-1]
    if left.shape[-1] != right.shape[-1 if options.adjY else -2]:
        raise ValueError(f"{list(left.shape)} does not meet {list(right.shape)}")
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    result = lower.emit(Op.BATCH_MATMUL, [left, right], (*batch, left.shape[-2], columns), options=options)
    lower.place(node.outputs[0], lower.reshape(result, lower.shape(node.outputs[0])))


def _matrix_operand(lower: Lowerer, name: str, rank: int, *, row: bool) -> Tensor:
    tensor = lower.tensor(name)
    if len(tensor.shape) == 1:
        tensor = lower.reshape(tensor, (1, *tensor.shape) if row else (*tensor.shape, 1))
    return lower.reshape(tensor, (1,) * (rank - len(tensor.shape)) + tensor.shape)


@lowers("Gemm")
def gemm(lower: Lowerer, node: Node) -> None:
    """alpha A' B' + beta C."""
    alpha, beta = node.attributes.get("alpha", 1.0), node.attributes.get("beta", 1.0)
    order = (1, 0) if node.attributes.get("transA", 0) else (0, 1)
    weights = lower.constant(node.inputs[1])
    addend = node.input(2)
    transposed = bool(node.attributes.get("transB", 0))
    if weights is None:
        result = _dynamic_product(lower, node, lower.tensor(node.inputs[0], order), transposed)
        if alpha != 1.0:
            result = lower.binary(Op.MUL, result, lower.scalar(alpha, result))
        bias = None
    else:
        columns = weights.shape[0] if transposed else weights.shape[1]
        scaled = (weights if transposed else weights.T) * np.float32(alpha)
        bias = _row_bias(lower, addend, columns, beta)
        if order == (0, 1):
            first, _, scaled = _meeting(lower, node.inputs[0], scaled)
        else:
            first = lower.tensor(node.inputs[0], order)
        result = fully_connected(lower, first, lower.new_constant(scaled, node.inputs[1]), bias)
    if addend and bias is None and beta != 0.0:
        term = lower.tensor(addend)
        if beta != 1.0:
            term = lower.binary(Op.MUL, term, lower.scalar(beta, term))
        result = lower.binary(Op.ADD, result, term)
    lower.place(node.outputs[0], result)


def _dynamic_product(lower: Lowerer, node: Node, first: Tensor, transposed: bool) -> Tensor:
    second = lower.tensor(node.inputs[1])
    options = schema.BatchMatMulOptionsT()
    options.adjY = transposed
    columns = second.shape[0] if transposed else second.shape[1]
    return lower.emit(Op.BATCH_MATMUL, [first, second], (first.shape[0], columns), options=options)


def _row_bias(lower: Lowerer, name: str, columns: int, beta: float) -> Tensor | None:
    """The addend as one bias per column, None when it is absent or more than that."""
    data = lower.constant(name)
    if data is None or (data.ndim == 2 and data.shape[0] != 1):
        return None
    return lower.new_constant(np.broadcast_to(data.reshape(-1) * np.float32(beta), (columns,)), name)


@lowers("Einsum")
def einsum(lower: Lowerer, node: Node) -> None:
    """Only the forms that are a batched matrix product with its axes in order."""
    equation = node.attributes["equation"].replace(" ", "")
    terms, _, result = equation.partition("->")
    sides = terms.split(",")
    if len(sides) != 2 or "." in equation or not result or not _is_matmul(sides[0], sides[1], result):
        raise lower.refusal(node, f"equation '{equation}'", "write it as transpositions and a MatMul")
    left, right = sides
    shared = next(letter for letter in left if letter in right and letter not in result)
    batch = [letter for letter in result if letter in left and letter in right]
    rows = next(letter for letter in left if letter not in batch and letter != shared)
    columns = next(letter for letter in right if letter not in batch and letter != shared)
    first = lower.tensor(node.inputs[0], tuple(left.index(letter) for letter in (*batch, rows, shared)))
    second = lower.tensor(node.inputs[1], tuple(right.index(letter) for letter in (*batch, shared, columns)))
    made = (*batch, rows, columns)
    if first.shape[:-2] != second.shape[:-2] or first.shape[-1] != second.shape[-2]:
        raise ValueError(f"{list(first.shape)} does not meet {list(second.shape)}")
    product = lower.emit(
        Op.BATCH_MATMUL, [first, second], (*first.shape[:-1], second.shape[-1]), options=schema.BatchMatMulOptionsT()
    )
    lower.place(node.outputs[0], product, tuple(result.index(letter) for letter in made))


def _is_matmul(left: str, right: str, result: str) -> bool:
    distinct = all(len(set(side)) == len(side) for side in (left, right, result))
    summed = [letter for letter in left if letter in right and letter not in result]
    batch = [letter for letter in result if letter in left and letter in right]
    free = len(left) == len(batch) + 2 and len(right) == len(batch) + 2 and len(result) == len(batch) + 2
    return distinct and len(summed) == 1 and free
