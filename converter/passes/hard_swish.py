"""x * relu6(x + 3) / 6, in the spellings exporters use, is one HardSwish."""

from __future__ import annotations

from converter.graph import Graph, Node
from converter.passes.patterns import is_close, operand_and_scalar, replace, scalar


def recognise_hard_swish(graph: Graph) -> None:
    """Rewrites the last node of the pattern in place."""
    producers = graph.producers()
    for node in graph.nodes:
        source = _scaled_product(graph, node, producers) or _product(graph, node, producers, 1.0)
        if source:
            replace(node, "HardSwish", [source])


def _scaled_product(graph: Graph, node: Node, producers: dict[str, Node]) -> str | None:
    """(x * relu6(x + 3)) / 6: the value x."""
    if node.op == "Div":
        operand, divisor = node.inputs[0], scalar(graph, node.inputs[1])
        factor = 1 / divisor if divisor else None
    elif node.op == "Mul":
        pair = operand_and_scalar(graph, node)
        operand, factor = pair or ("", None)
    else:
        return None
    product = producers.get(operand)
    return _product(graph, product, producers, factor) if product and factor else None


def _product(graph: Graph, node: Node, producers: dict[str, Node], scale: float) -> str | None:
    """The value x of a product x * gate where scale * gate is relu6(x + 3) / 6."""
    if node.op != "Mul":
        return None
    for value, gate in (node.inputs, node.inputs[::-1]):
        source = _gate(graph, gate, producers)
        if source is not None and source[0] == value and is_close(source[1] * scale, 1.0):
            return value
    return None


def _gate(graph: Graph, name: str, producers: dict[str, Node]) -> tuple[str, float] | None:
    """(x, f) where the value is f * relu6(x + 3) / 6."""
    node = producers.get(name)
    if node is None:
        return None
    if node.op == "HardSigmoid":
        alpha, beta = node.attributes.get("alpha", 0.2), node.attributes.get("beta", 0.5)
        return (node.inputs[0], 1.0) if is_close(alpha, 1 / 6) and is_close(beta, 0.5) else None
    if node.op == "Div" and (divisor := scalar(graph, node.inputs[1])):
        inner = _gate(graph, node.inputs[0], producers)
        return (inner[0], inner[1] / divisor) if inner else None
    if node.op == "Mul" and (pair := operand_and_scalar(graph, node)):
        inner = _gate(graph, pair[0], producers)
        return (inner[0], inner[1] * pair[1]) if inner else None
    if node.op == "Clip" and _bounds(graph, node) == (0.0, 6.0):
        add = producers.get(node.inputs[0])
        shifted = operand_and_scalar(graph, add) if add is not None and add.op == "Add" else None
        return (shifted[0], 6.0) if shifted and shifted[1] == 3.0 else None
    return None


def _bounds(graph: Graph, node: Node) -> tuple[float | None, float | None]:
    if node.input(1) or node.input(2):
        return scalar(graph, node.input(1)), scalar(graph, node.input(2))
    return node.attributes.get("min"), node.attributes.get("max")
