"""The kind of every value of a graph, found before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from litebundle.errors import LitebundleError
from litebundle.glue import OPERATIONS, Kind
from litebundle.graph import PHOTO, Graph, Node


def value_kinds(graph: Graph) -> Mapping[str, Kind]:
    """Value name -> its kind; of a list, the kind of its items.

    Raises:
        LitebundleError: A node has more or fewer inputs or outputs than its operation, or an input of another kind.
    """
    kinds: dict[str, Kind] = {PHOTO: "image"}
    for node in graph.nodes:
        inputs, outputs = _ports(node)
        if (len(node.inputs), len(node.outputs)) != (len(inputs), len(outputs)):
            raise LitebundleError(
                f"node {node.name!r}: {node.op} takes {len(inputs)} inputs and makes {len(outputs)} outputs, "
                f"the graph gives {len(node.inputs)} and {len(node.outputs)}"
            )
        for value, kind in zip(node.inputs, inputs, strict=True):
            if kinds[value] != kind:
                raise LitebundleError(
                    f"node {node.name!r}: {node.op} takes a {kind}, but {value!r} is a {kinds[value]}"
                )
        kinds.update(zip(node.outputs, outputs, strict=True))
    return kinds


def _ports(node: Node) -> tuple[Sequence[Kind], Sequence[Kind]]:
    """Kinds of the inputs and outputs that the node's operation has."""
    if node.op == "model":
        return ["tensor"] * len(node.inputs), ["tensor"] * len(node.outputs)
    if node.op == "autoregressive_decode":
        return ["tensor"] * len(node.inputs), ["tokens", "score"]
    operation = OPERATIONS[node.op]
    item: Mapping[Kind, Kind] = {"images": "image"}
    return [port.kind for port in operation.inputs], [item.get(port.kind, port.kind) for port in operation.outputs]
