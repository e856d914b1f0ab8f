"""Running one node of a graph: a glue operation, a model, or a token loop around a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from time import perf_counter_ns
from typing import Any

from litebundle.errors import LitebundleError
from litebundle.glue import OPERATIONS
from litebundle.graph import Node
from litebundle.run.boundary import plain
from litebundle.run.loop import TokenLoop
from litebundle.run.model import LiteRTModel
from litebundle.run.stage import Trace, run_stage, stage_model

NodeCall = Callable[[Sequence[Any], Trace], tuple[Any, ...]]


def execute_node(
    node: Node,
    values: Mapping[str, Any],
    models: Mapping[str, LiteRTModel],
    labels: Mapping[str, tuple[str, ...]],
) -> dict[str, Any]:
    """Run one node on its inputs in `values` and give its outputs by value name.

    Raises:
        LitebundleError: The node's model or labels are missing, or its inputs do not fit.
    """
    outputs = prepare(node, models, labels)([values[name] for name in node.inputs], Trace())
    return dict(zip(node.outputs, outputs, strict=True))


def prepare(node: Node, models: Mapping[str, LiteRTModel], labels: Mapping[str, tuple[str, ...]]) -> NodeCall:
    """Check a node once, so that calling it costs nothing but its work."""
    if node.op == "model":
        call = _model_call(node, models)
    elif node.op == "autoregressive_decode":
        call = _loop_call(node, models)
    else:
        call = _glue_call(node, labels)
    return _map_over_items(node, call) if node.each else call


def _map_over_items(node: Node, call: NodeCall) -> NodeCall:
    def each(inputs: Sequence[Any], trace: Trace) -> tuple[Any, ...]:
        sizes = {len(value) for value in inputs if isinstance(value, list)}
        if len(sizes) != 1:
            raise LitebundleError(f"node {node.name!r}: its lists have different lengths {sorted(sizes)}")
        columns = [value if isinstance(value, list) else repeat(value) for value in inputs]
        rows = [call(row, trace) for row in zip(*columns, strict=False)]
        return tuple(map(list, zip(*rows, strict=True))) if rows else tuple([] for _ in node.outputs)

    return each


def _glue_call(node: Node, labels: Mapping[str, tuple[str, ...]]) -> NodeCall:
    operation = OPERATIONS[node.op]
    attributes = dict(node.attributes)
    if "labels" in attributes:
        attributes["labels"] = _labels(node, labels)
    checked = operation.attributes.model_validate(attributes)

    def glue(inputs: Sequence[Any], trace: Trace) -> tuple[Any, ...]:
        given = [plain(value) for value in inputs]
        start = perf_counter_ns()
        outputs = operation.run(checked, *given)
        trace.glue_ns += perf_counter_ns() - start
        return outputs

    return glue


def _labels(node: Node, labels: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    name = node.attributes["labels"]
    if not isinstance(name, str) or name not in labels:
        raise LitebundleError(f"node {node.name!r}: labels {name!r} are missing; there are {sorted(labels)}")
    return labels[name]


def _model_call(node: Node, models: Mapping[str, LiteRTModel]) -> NodeCall:
    stage, model = stage_model(node, models)
    if (len(node.inputs), len(node.outputs)) != (len(model.inputs), len(model.outputs)):
        raise LitebundleError(
            f"stage {stage!r}: the graph gives {len(node.inputs)} inputs and takes {len(node.outputs)} "
            f"outputs, the model has {len(model.inputs)} and {len(model.outputs)}"
        )

    def run_model(inputs: Sequence[Any], trace: Trace) -> tuple[Any, ...]:
        return tuple(run_stage(stage, model, inputs, trace))

    return run_model


def _loop_call(node: Node, models: Mapping[str, LiteRTModel]) -> NodeCall:
    loop = TokenLoop(node, models)

    def run_loop(inputs: Sequence[Any], trace: Trace) -> tuple[Any, ...]:
        decoded = loop.run(inputs, trace)
        return decoded.tokens, decoded.score

    return run_loop
