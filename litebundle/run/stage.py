"""Running the model of one stage on values: in over its border, timed, watched, and out again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Any

import numpy as np

from litebundle.errors import LitebundleError
from litebundle.graph import Node
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


def stage_model(node: Node, models: Mapping[str, LiteRTModel]) -> tuple[str, LiteRTModel]:
    """The node's stage and its model; `LitebundleError` where there is none."""
    if node.stage is None or node.stage not in models:
        raise LitebundleError(f"node {node.name!r}: there is no model for stage {node.stage!r}")
    return node.stage, models[node.stage]


def run_stage(
    stage: str, model: LiteRTModel, inputs: Sequence[Any], trace: Trace, unchanged: frozenset[int] = frozenset()
) -> list[Any]:
    """Run a model once; `inputs` and outputs are values, in the order of its tensors.

    The inputs at the places in `unchanged` are the ones of the model's previous run.

    Raises:
        LitebundleError: A value fits not its tensor, or the model fails.
    """
    raw = [enter_model(value, tensor, stage) for value, tensor in zip(inputs, model.inputs, strict=True)]
    start = perf_counter_ns()
    outputs = model.run(raw, unchanged)
    trace.stage_ns[stage] = trace.stage_ns.get(stage, 0) + perf_counter_ns() - start
    values = [leave_model(array, tensor) for array, tensor in zip(outputs, model.outputs, strict=True)]
    if trace.tap is not None:
        trace.tap(stage, _by_name(model.inputs, inputs), _by_name(model.outputs, values))
    return values


def _by_name(tensors: Sequence[Tensor], values: Sequence[Any]) -> dict[str, Array]:
    return {tensor.name: np.asarray(plain(value)) for tensor, value in zip(tensors, values, strict=True)}
