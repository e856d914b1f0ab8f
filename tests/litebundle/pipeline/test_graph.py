from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from litebundle.errors import LitebundleError
from litebundle.glue import OPERATIONS
from litebundle.graph import Graph
from litebundle.pipeline import compile_graph, load_pipeline


@pytest.fixture
def document(scanner: Path) -> dict[str, Any]:
    return compile_graph(load_pipeline(scanner)).to_json()


def test_a_graph_survives_json(scanner: Path) -> None:
    graph = compile_graph(load_pipeline(scanner))
    again = Graph.from_json(json.loads(json.dumps(graph.to_json())), OPERATIONS)
    assert again == graph


def node(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(item for item in document["nodes"] if item["name"] == name)


def swap(document: dict[str, Any]) -> None:
    document["nodes"].reverse()


DAMAGE: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no nodes": (lambda d: d.pop("nodes"), "graph lacks nodes"),
    "nodes are text": (lambda d: d.update(nodes="x"), "graph.nodes must be a list"),
    "node without op": (lambda d: d["nodes"][0].pop("op"), r"graph.nodes\[0\] lacks op"),
    "unknown op": (lambda d: node(d, "orient/resize").update(op="rezise"), "unknown operation 'rezise'"),
    "each is no bool": (lambda d: node(d, "orient/resize").update(each=1), "must be true or false"),
    "inputs are numbers": (lambda d: node(d, "orient/resize").update(inputs=[1]), "must be a name"),
    "attributes are a list": (lambda d: node(d, "orient/resize").update(attributes=[]), "must be an object"),
    "read before made": (swap, "before any node has made it"),
    "written twice": (
        lambda d: node(d, "orient/resize").update(outputs=["locate/letterbox"]),
        "writes 'locate/letterbox' a second time",
    ),
    "the photo is overwritten": (
        lambda d: node(d, "orient/resize").update(outputs=["photo"]),
        "writes 'photo' a second time",
    ),
    "no outputs": (lambda d: node(d, "decode/detokenize").update(outputs=[]), "makes no value"),
    "same name": (lambda d: node(d, "orient/resize").update(name="orient/model"), "there twice"),
    "model without a stage": (lambda d: node(d, "orient/model").update(stage=None), "must name its stage"),
    "each without a list": (lambda d: node(d, "locate/model").update(each=True), "reads no list"),
    "list without each": (lambda d: node(d, "orient/model").update(each=False), "must have 'each'"),
    "result of nothing": (lambda d: d["results"][0].update(value="x/y"), "made by no node"),
    "field twice": (lambda d: d["results"].append(d["results"][0]), "given twice"),
    "result without a field": (lambda d: d["results"][0].pop("field"), "lacks field"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_graph_is_refused(case: str, document: dict[str, Any]) -> None:
    damage, message = DAMAGE[case]
    damaged = copy.deepcopy(document)
    damage(damaged)
    with pytest.raises(LitebundleError, match=message):
        Graph.from_json(damaged, OPERATIONS)


@pytest.mark.parametrize("junk", [None, 1, "x", [], {}])
def test_what_is_no_graph_is_refused(junk: object) -> None:
    with pytest.raises(LitebundleError, match="graph"):
        Graph.from_json(junk, OPERATIONS)
