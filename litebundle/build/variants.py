"""One sample through every variant of a pipeline, nothing computed twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from litebundle.errors import LitebundleError
from litebundle.graph import PHOTO, STAGE_OPS, Graph, Node
from litebundle.run import LiteRTModel, QuantizedValue, Runner
from litebundle.run.boundary import plain
from litebundle.run.executor import NodeCall, prepare
from litebundle.run.stage import Trace

FLOAT = "float"
QUANTIZED = "quantized"

Items = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Job:
    """A pipeline in float and quantized: two graphs that differ at most in how stages are fed, `.tflite` by
    stage.
    """

    float_graph: Graph
    graph: Graph
    float_models: Mapping[str, bytes]
    models: Mapping[str, bytes]
    labels: Mapping[str, tuple[str, ...]]

    @property
    def quantized_stages(self) -> tuple[str, ...]:
        """Stages whose model quantizing changed, in the graph's order."""
        stages = dict.fromkeys(node.stage for node in self.graph.nodes if node.op in STAGE_OPS and node.stage)
        return tuple(name for name in stages if self.models[name] != self.float_models[name])

    @property
    def variants(self) -> Mapping[str, frozenset[str]]:
        """Variant -> its quantized stages: none of them, all, and each alone (under the stage's name)."""
        stages = self.quantized_stages
        alone = {name: frozenset([name]) for name in stages}
        return {FLOAT: frozenset(), QUANTIZED: frozenset(stages), **alone}


@dataclass(frozen=True)
class StageOutput:
    """One output of a stage's model in one sample: as the float model computed it and as the quantized one
    did on the same inputs; one array per run.
    """

    stage: str
    tensor: str
    reference: tuple[np.ndarray[Any, Any], ...]
    test: tuple[np.ndarray[Any, Any], ...]


@dataclass(frozen=True)
class Handle:
    """The ``version``-th distinct value that some variants give to the value of that name."""

    name: str
    version: int


class Evaluator:
    """The variants' nodes, prepared once. Not thread-safe: one per thread."""

    def __init__(self, job: Job) -> None:
        self.variants = job.variants
        quantized = frozenset(job.quantized_stages)
        sides = {
            FLOAT: (job.float_graph, job.float_models, frozenset(job.float_models)),
            QUANTIZED: (job.graph, job.models, quantized),
        }
        loaded = {
            side: {name: LiteRTModel.from_buffer(models[name], name=name) for name in stages}
            for side, (_, models, stages) in sides.items()
        }
        loaded[QUANTIZED] = loaded[FLOAT] | loaded[QUANTIZED]
        self._steps = {
            side: [_Step(node, side, prepare(node, loaded[side], job.labels)) for node in graph.nodes]
            for side, (graph, _, _) in sides.items()
        }
        self._quantized = quantized
        self._items = Runner(job.float_graph, loaded[FLOAT], job.labels).items

    def evaluate(self, photo: np.ndarray[Any, Any]) -> Evaluation:
        """Runs every variant on a photo, uint8 [H, W, 3].

        Raises:
            LitebundleError: A stage does not fit its inputs, or a value is not finite.
        """
        memo = _Memo(photo)
        values = {name: self._run(memo, stages) for name, stages in self.variants.items()}
        items = {
            name: self._items({value: memo.value(handle) for value, handle in handles.items()})
            for name, handles in values.items()
        }
        return Evaluation(items, tuple(self._stage_outputs(memo, values)))

    def _run(self, memo: _Memo, quantized: frozenset[str]) -> dict[str, Handle]:
        values = {PHOTO: Handle(PHOTO, 0)}
        for plain_step, other in zip(*self._steps.values(), strict=True):
            # A step that is the same in both graphs counts as float, so that all variants share it.
            differs = other.node != plain_step.node or plain_step.node.op in STAGE_OPS
            step = other if differs and plain_step.node.stage in quantized else plain_step
            outputs = memo.run(step, tuple(values[name] for name in step.node.inputs))
            values.update(zip(step.node.outputs, outputs, strict=True))
        return values

    def _stage_outputs(self, memo: _Memo, values: Mapping[str, Mapping[str, Handle]]) -> Iterator[StageOutput]:
        for step in self._steps[FLOAT]:
            stage = step.node.stage
            if step.node.op != "model" or stage not in self._quantized:
                continue
            for name in step.node.outputs:
                reference, test = (_arrays(memo.value(values[v][name])) for v in (FLOAT, str(stage)))
                yield StageOutput(str(stage), name.partition("/")[2], reference, test)


@dataclass(frozen=True)
class Evaluation:
    """Result items by variant, and what each quantized stage made of the float pipeline's inputs."""

    items: Mapping[str, Items]
    stage_outputs: tuple[StageOutput, ...]


@dataclass(frozen=True)
class _Step:
    node: Node
    side: str
    call: NodeCall


class _Memo:
    """Values of one sample: a step runs once per distinct inputs, and equal outputs count as one value.

    So variants share what lies before their first quantized stage, and again what lies behind a stage whose
    quantized form came to the same result.
    """

    def __init__(self, photo: np.ndarray[Any, Any]) -> None:
        self._versions: dict[str, list[Any]] = {PHOTO: [photo]}
        self._done: dict[tuple[str, str, tuple[Handle, ...]], tuple[Handle, ...]] = {}

    def value(self, handle: Handle) -> Any:
        return self._versions[handle.name][handle.version]

    def run(self, step: _Step, inputs: tuple[Handle, ...]) -> tuple[Handle, ...]:
        key = (step.node.name, step.side, inputs)
        if key not in self._done:
            outputs = step.call([self.value(handle) for handle in inputs], Trace())
            for name, value in zip(step.node.outputs, outputs, strict=True):
                _refuse_non_finite(step, name, value)
            self._done[key] = tuple(map(self._intern, step.node.outputs, outputs))
        return self._done[key]

    def _intern(self, name: str, value: Any) -> Handle:
        versions = self._versions.setdefault(name, [])
        for version, known in enumerate(versions):
            if _equal(known, value):
                return Handle(name, version)
        versions.append(value)
        return Handle(name, len(versions) - 1)


def _equal(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(_equal, a, b))
    if isinstance(a, QuantizedValue):
        return a.quantization == b.quantization and _equal(a.raw, b.raw)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return bool(a == b)


def _refuse_non_finite(step: _Step, name: str, value: Any) -> None:
    for entry in value if isinstance(value, list) else [value]:
        is_real = isinstance(entry, float) or (isinstance(entry, np.ndarray) and entry.dtype.kind == "f")
        if is_real and not np.isfinite(entry).all():
            model = f"{step.side} model of stage" if step.node.op in STAGE_OPS else "glue of stage"
            raise LitebundleError(
                f"value '{name}' holds NaN or infinity: the {model} '{step.node.stage}' computed it (node"
                f" '{step.node.name}'); look at that stage's own drift, which names the first bad tensor inside"
            )


def _arrays(value: Any) -> tuple[np.ndarray[Any, Any], ...]:
    entries: Sequence[Any] = value if isinstance(value, list) else [value]
    return tuple(plain(entry) for entry in entries)
