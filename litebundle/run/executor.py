"""Running one node of a graph: a glue operation, a model, or a token loop around a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Any

import numpy as np

from litebundle.errors import LitebundleError
from litebundle.glue import OPERATIONS
from litebundle.glue.autoregressive_decode import AutoregressiveDecodeAttributes, decode
from litebundle.graph import FAN_OUT, Node
from litebundle.run.boundary import enter_model, leave_model, plain
from litebundle.run.model import Array, LiteRTModel, Tensor

Tap = Callable[[str, dict[str, Array], dict[str, Array]], None]
"""Called after each run of a model: stage, inputs as they were before quantization, real outputs."""


@dataclass
class Trace:
    """What one run of a graph leaves behind: time per stage and in glue. The tap watches the models."""

    tap: Tap | None = None
    stage_ns: dict[str, int] = field(default_factory=dict)
    glue_ns: int = 0


NodeCall = Callable[[Sequence[Any], Trace], tuple[Any, ...]]


def execute_node(
    node: Node,
    values: Mapping[str, Any],
    models: Mapping[str, LiteRTModel],
    labels: Mapping[str, tuple[str, ...]],
) -> dict[str, Any]:
    """Run one node on its inputs in `values`; the outputs, by value name, own their memory.

    Raises:
        LitebundleError: The node's model or labels are missing, or its inputs do not fit.
    """
    outputs = prepare(node, models, labels, keep=True)([values[name] for name in node.inputs], Trace())
    return dict(zip(node.outputs, outputs, strict=True))


def prepare(
    node: Node, models: Mapping[str, LiteRTModel], labels: Mapping[str, tuple[str, ...]], keep: bool
) -> NodeCall:
    """Check a node once, so that calling it costs nothing but its work.

    With `keep` a model's outputs are copied; without, they are views that its next run overwrites.
    """
    if node.op == "model":
        call = _model_call(node, models, keep or node.each)
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
        rows = [
            call([value[i] if isinstance(value, list) else value for value in inputs], trace)
            for i in range(sizes.pop())
        ]
        return tuple([row[k] for row in rows] for k in range(len(node.outputs)))

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
        return (list(outputs[0]), *outputs[1:]) if node.op == FAN_OUT else outputs

    return glue


def _labels(node: Node, labels: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    name = node.attributes["labels"]
    if not isinstance(name, str) or name not in labels:
        raise LitebundleError(f"node {node.name!r}: labels {name!r} are missing; there are {sorted(labels)}")
    return labels[name]


def _model_call(node: Node, models: Mapping[str, LiteRTModel], keep: bool) -> NodeCall:
    stage, model = _stage_model(node, models)
    if (len(node.inputs), len(node.outputs)) != (len(model.inputs), len(model.outputs)):
        raise LitebundleError(
            f"stage {stage!r}: the graph gives {len(node.inputs)} inputs and takes {len(node.outputs)} "
            f"outputs, the model has {len(model.inputs)} and {len(model.outputs)}"
        )

    def run_model(inputs: Sequence[Any], trace: Trace) -> tuple[Any, ...]:
        return tuple(_run_stage(stage, model, inputs, trace, keep))

    return run_model


def _run_stage(stage: str, model: LiteRTModel, inputs: Sequence[Any], trace: Trace, keep: bool) -> list[Any]:
    raw = [enter_model(value, tensor, stage) for value, tensor in zip(inputs, model.inputs, strict=True)]
    return _run_raw(stage, model, inputs, raw, trace, keep)


def _run_raw(
    stage: str, model: LiteRTModel, inputs: Sequence[Any], raw: Sequence[Array], trace: Trace, keep: bool
) -> list[Any]:
    """Run on `raw`; `inputs` are the same as values, for the tap."""
    start = perf_counter_ns()
    outputs = model.run(raw)
    trace.stage_ns[stage] = trace.stage_ns.get(stage, 0) + perf_counter_ns() - start
    if keep or trace.tap is not None:
        outputs = [array.copy() for array in outputs]
    values = [leave_model(array, tensor) for array, tensor in zip(outputs, model.outputs, strict=True)]
    if trace.tap is not None:
        trace.tap(stage, _by_name(model.inputs, inputs), _by_name(model.outputs, values))
    return values


def _by_name(tensors: Sequence[Tensor], values: Sequence[Any]) -> dict[str, Array]:
    return {tensor.name: np.asarray(plain(value)) for tensor, value in zip(tensors, values, strict=True)}


def _loop_call(node: Node, models: Mapping[str, LiteRTModel]) -> NodeCall:
    stage, model = _stage_model(node, models)
    attributes = AutoregressiveDecodeAttributes.model_validate(dict(node.attributes))
    inputs = {tensor.name: tensor for tensor in model.inputs}
    outputs = [tensor.name for tensor in model.outputs]
    fed = [attributes.token, *attributes.constants, *attributes.state]
    if sorted(fed) != sorted(inputs):
        raise LitebundleError(f"stage {stage!r}: its loop feeds {fed}, the model takes {sorted(inputs)}")
    for wanted in (attributes.logits, *attributes.state.values()):
        if wanted not in outputs:
            raise LitebundleError(f"stage {stage!r}: its loop reads {wanted!r}, the model gives {outputs}")
    if len(node.inputs) != len(attributes.constants):
        raise LitebundleError(
            f"stage {stage!r}: its loop names {len(attributes.constants)} constants, the graph gives {len(node.inputs)}"
        )
    state_tensors = tuple(inputs[name] for name in attributes.state)
    zero_states = tuple(_zeros(tensor) for tensor in state_tensors)
    next_states = tuple(outputs.index(name) for name in attributes.state.values())
    logits = outputs.index(attributes.logits)
    order = [fed.index(tensor.name) for tensor in model.inputs]
    token_tensor = inputs[attributes.token]
    # One hypothesis reads its state before the next run overwrites it; of several, a state must outlive runs.
    keep = attributes.beam > 1

    def loop(constants: Sequence[Any], trace: Trace) -> tuple[Any, ...]:
        step_ns = 0
        named = zip(attributes.constants, constants, strict=True)
        raw_constants = [enter_model(value, inputs[name], stage) for name, value in named]

        def step(token: int, states: tuple[Any, ...]) -> tuple[Array, tuple[Any, ...]]:
            nonlocal step_ns
            start = perf_counter_ns()
            fed_token = np.full(token_tensor.shape, token, token_tensor.dtype)
            paired = zip(states, state_tensors, strict=True)
            fed_states = [enter_model(value, tensor, stage) for value, tensor in paired]
            given = (fed_token, *constants, *states)
            raw = (fed_token, *raw_constants, *fed_states)
            values = _run_raw(stage, model, [given[i] for i in order], [raw[i] for i in order], trace, keep)
            found = np.ravel(plain(values[logits])), tuple(values[i] for i in next_states)
            step_ns += perf_counter_ns() - start
            return found

        begin = perf_counter_ns()
        decoded = decode(
            step,
            zero_states,
            start=attributes.start,
            end=attributes.end,
            max_tokens=attributes.max_tokens,
            beam=attributes.beam,
        )
        trace.glue_ns += perf_counter_ns() - begin - step_ns
        return decoded.tokens, decoded.score

    return loop


def _zeros(tensor: Tensor) -> Any:
    """The state before the first token: real zero, in the tensor's own raw form."""
    raw = np.full(tensor.shape, tensor.zero_point or 0, tensor.dtype)
    return leave_model(raw, tensor)


def _stage_model(node: Node, models: Mapping[str, LiteRTModel]) -> tuple[str, LiteRTModel]:
    if node.stage is None or node.stage not in models:
        raise LitebundleError(f"node {node.name!r}: there is no model for stage {node.stage!r}")
    return node.stage, models[node.stage]
