"""Nodes that hand their input on are bypassed, so that patterns see through them."""

from __future__ import annotations

from converter.graph import Graph, Node


def bypass_identities(graph: Graph) -> None:
    """Readers of an Identity or of a Dropout at rest read its input instead; outputs of the graph keep theirs."""
    source: dict[str, str] = {}
    for node in graph.nodes:
        node.inputs = [source.get(name, name) for name in node.inputs]
        if _hands_on(graph, node):
            source[node.outputs[0]] = node.inputs[0]


def _hands_on(graph: Graph, node: Node) -> bool:
    if node.op == "Identity":
        return True
    training = graph.constant(node.input(2)) if node.op == "Dropout" else None
    return node.op == "Dropout" and not any(node.outputs[1:]) and (training is None or not training.item())
