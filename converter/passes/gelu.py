"""x * (1 + erf(x / sqrt 2)) / 2, as exporters spell it, is one Gelu."""

from __future__ import annotations

import math

from converter.graph import Graph, Node
from converter.passes.patterns import is_close, operand_and_scalar, replace, scalar


def recognise_gelu(graph: Graph) -> None:
    """Rewrites the last product of the pattern in place, in whatever order its factors come."""
    producers = graph.producers()
    for node in graph.nodes:
        if node.op == "Mul":
            factors, number = _factors(graph, node, producers)
            source = _gelu_source(graph, factors, number, producers)
            if source:
                replace(node, "Gelu", [source])


def _factors(graph: Graph, node: Node, producers: dict[str, Node]) -> tuple[list[str], float]:
    """The varying factors of a product of products, and the constant one."""
    pair = operand_and_scalar(graph, node)
    operands, number = ([pair[0]], pair[1]) if pair else (node.inputs, 1.0)
    factors: list[str] = []
    for operand in operands:
        inner = producers.get(operand)
        if inner is not None and inner.op == "Mul":
            inner_factors, inner_number = _factors(graph, inner, producers)
            factors, number = factors + inner_factors, number * inner_number
        else:
            factors.append(operand)
    return factors, number


def _gelu_source(graph: Graph, factors: list[str], number: float, producers: dict[str, Node]) -> str | None:
    if len(factors) != 2 or not is_close(number, 0.5):
        return None
    for value, gate in (factors, factors[::-1]):
        if _erf_source(graph, gate, producers) == value:
            return value
    return None


def _erf_source(graph: Graph, name: str, producers: dict[str, Node]) -> str | None:
    """x where the value is 1 + erf(x / sqrt 2)."""
    add = producers.get(name)
    shifted = operand_and_scalar(graph, add) if add is not None and add.op == "Add" else None
    erf = producers.get(shifted[0]) if shifted and shifted[1] == 1.0 else None
    scaled = producers.get(erf.inputs[0]) if erf is not None and erf.op == "Erf" else None
    if scaled is None:
        return None
    if scaled.op == "Div" and (divisor := scalar(graph, scaled.inputs[1])):
        return scaled.inputs[0] if is_close(divisor, math.sqrt(2)) else None
    pair = operand_and_scalar(graph, scaled) if scaled.op == "Mul" else None
    return pair[0] if pair and is_close(pair[1], math.sqrt(0.5)) else None
