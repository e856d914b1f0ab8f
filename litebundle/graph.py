"""The graph of a pipeline: which operation makes which value, in an order that can be run as it stands.

Values are named `stage/what` and written once (static single assignment); the one value that comes from
outside is the photo. `FAN_OUT` is the one operation that makes a list: its first output has one item per box.
A node with `each` runs once per item of its list inputs, its other inputs are given to every item, and its
outputs are lists.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litebundle.errors import LitebundleError

PHOTO = "photo"
FAN_OUT = "crop_boxes"
STAGE_OPS = frozenset({"model", "autoregressive_decode"})


@dataclass(frozen=True)
class Node:
    """One operation; `inputs` and `outputs` are value names, `attributes` holds plain JSON values only.

    `stage` is the stage the node belongs to; for the operations in `STAGE_OPS` it is the stage whose model
    runs.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    stage: str | None
    each: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "op": self.op,
            "stage": self.stage,
            "each": self.each,
            "inputs": list(self.inputs),
            "outputs": list(self.outputs),
            "attributes": dict(self.attributes),
        }


@dataclass(frozen=True)
class ResultField:
    """A field of every result item and the value it is taken from.

    A list value gives each item its own; a value of kind `boxes` gives item i its row i; any other is the
    same in all.
    """

    field: str
    value: str


@dataclass(frozen=True)
class Graph:
    """Nodes in the order in which they run, and the fields of the result."""

    nodes: tuple[Node, ...]
    results: tuple[ResultField, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values: lists, dicts, strings, numbers, booleans, None."""
        return {
            "nodes": [node.to_json() for node in self.nodes],
            "results": [{"field": result.field, "value": result.value} for result in self.results],
        }

    @classmethod
    def from_json(cls, document: object, known_ops: Collection[str]) -> Graph:
        """Read what `to_json` wrote.

        Args:
            document: The parsed JSON.
            known_ops: Names of the glue operations this version can run; those of `STAGE_OPS` are always
                known.

        Raises:
            LitebundleError: A missing or mistyped key, an unknown operation, a value written twice or read
                before it is made, or `each` on a node without (or missing on a node with) list inputs.
        """
        top = _object(document, "graph", ("nodes", "results"))
        nodes = tuple(_node(item, f"graph.nodes[{i}]") for i, item in enumerate(_list(top["nodes"], "graph.nodes")))
        results = tuple(
            _result(item, f"graph.results[{i}]") for i, item in enumerate(_list(top["results"], "graph.results"))
        )
        graph = cls(nodes, results)
        graph.check(known_ops)
        return graph

    def check(self, known_ops: Collection[str]) -> None:
        """Raise `LitebundleError` unless the graph can be run from first node to last (see `from_json`)."""
        written = {PHOTO}
        lists: set[str] = set()
        names: set[str] = set()
        for node in self.nodes:
            _check_node(node, known_ops, names, written, lists)
            names.add(node.name)
            written.update(node.outputs)
            if node.each:
                lists.update(node.outputs)
            elif node.op == FAN_OUT:
                lists.add(node.outputs[0])
        fields = [result.field for result in self.results]
        for result in self.results:
            if result.value not in written:
                raise LitebundleError(f"result field {result.field!r}: value {result.value!r} is made by no node")
            if fields.count(result.field) > 1:
                raise LitebundleError(f"result field {result.field!r} is given twice; each field has one value")


def _check_node(
    node: Node,
    known_ops: Collection[str],
    names: Collection[str],
    written: Collection[str],
    lists: Collection[str],
) -> None:
    if node.op not in STAGE_OPS and node.op not in known_ops:
        raise LitebundleError(
            f"node {node.name!r}: unknown operation {node.op!r}; this version knows "
            f"{', '.join(sorted({*known_ops, *STAGE_OPS}))}"
        )
    if node.op in STAGE_OPS and node.stage is None:
        raise LitebundleError(f"node {node.name!r}: operation {node.op!r} runs a model and must name its stage")
    if node.name in names:
        raise LitebundleError(f"node {node.name!r} is there twice; node names are unique")
    for value in node.inputs:
        if value not in written:
            raise LitebundleError(f"node {node.name!r} reads {value!r} before any node has made it")
    for i, value in enumerate(node.outputs):
        if value in written or value in node.outputs[:i]:
            raise LitebundleError(f"node {node.name!r} writes {value!r} a second time; a value is written once")
    if not node.outputs:
        raise LitebundleError(f"node {node.name!r} makes no value")
    reads_list = any(value in lists for value in node.inputs)
    if reads_list != node.each:
        rule = "has 'each' but reads no list" if node.each else "reads a list and so must have 'each'"
        raise LitebundleError(f"node {node.name!r} {rule}; lists begin at {FAN_OUT}")
    if node.each and node.op == FAN_OUT:
        raise LitebundleError(f"node {node.name!r}: {FAN_OUT} inside a list of crops is not part of this version")


def _node(item: object, where: str) -> Node:
    fields = _object(item, where, ("name", "op", "stage", "each", "inputs", "outputs", "attributes"))
    stage = fields["stage"]
    if not isinstance(fields["each"], bool):
        raise LitebundleError(f"{where}.each must be true or false, not {fields['each']!r}")
    if not isinstance(fields["attributes"], Mapping):
        raise LitebundleError(f"{where}.attributes must be an object, not {fields['attributes']!r}")
    return Node(
        name=_string(fields["name"], f"{where}.name"),
        op=_string(fields["op"], f"{where}.op"),
        inputs=_strings(fields["inputs"], f"{where}.inputs"),
        outputs=_strings(fields["outputs"], f"{where}.outputs"),
        attributes=dict(fields["attributes"]),
        stage=None if stage is None else _string(stage, f"{where}.stage"),
        each=fields["each"],
    )


def _result(item: object, where: str) -> ResultField:
    fields = _object(item, where, ("field", "value"))
    return ResultField(_string(fields["field"], f"{where}.field"), _string(fields["value"], f"{where}.value"))


def _object(item: object, where: str, keys: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(item, Mapping):
        raise LitebundleError(f"{where} must be an object, not {item!r}")
    missing = [key for key in keys if key not in item]
    if missing:
        raise LitebundleError(f"{where} lacks {', '.join(missing)}")
    return item


def _list(item: object, where: str) -> Sequence[object]:
    if not isinstance(item, Sequence) or isinstance(item, str):
        raise LitebundleError(f"{where} must be a list, not {item!r}")
    return item


def _strings(item: object, where: str) -> tuple[str, ...]:
    return tuple(_string(text, f"{where}[{i}]") for i, text in enumerate(_list(item, where)))


def _string(item: object, where: str) -> str:
    if not isinstance(item, str) or not item:
        raise LitebundleError(f"{where} must be a name, not {item!r}")
    return item
