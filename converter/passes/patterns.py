"""Small questions that pattern rewrites ask."""

from __future__ import annotations

from converter.graph import Graph, Node


def scalar(graph: Graph, name: str) -> float | None:
    """The one number that a constant holds, None for anything else."""
    data = graph.constant(name)
    return float(data.reshape(-1)[0]) if data is not None and data.size == 1 else None


def operand_and_scalar(graph: Graph, node: Node) -> tuple[str, float] | None:
    """(the operand that varies, the constant number) of a commutative node, None when it has no such pair."""
    for operand, other in (node.inputs, node.inputs[::-1]):
        number = scalar(graph, other)
        if number is not None and graph.values[operand].shape == graph.values[node.outputs[0]].shape:
            return operand, number
    return None


def replace(node: Node, op: str, inputs: list[str]) -> None:
    """Turn ``node`` into ``op``, keeping its outputs; what only it read is dead afterwards."""
    node.op, node.inputs, node.attributes = op, inputs, {}


def is_close(value: float, wanted: float) -> bool:
    """Equal as float32 constants written with some rounding."""
    return abs(value - wanted) <= 1e-5 * abs(wanted)
