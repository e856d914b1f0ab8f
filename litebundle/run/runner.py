"""Running a whole graph on a photo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any

import numpy as np

from litebundle.errors import LitebundleError
from litebundle.graph import PHOTO, Graph
from litebundle.run.boundary import plain
from litebundle.run.executor import prepare
from litebundle.run.kinds import value_kinds
from litebundle.run.model import Array, LiteRTModel
from litebundle.run.stage import Tap, Trace


@dataclass(frozen=True)
class Result:
    """What a pipeline found in one photo, and how long it took.

    Attributes:
        items: One mapping of result fields per found thing; one in all where the pipeline finds no boxes.
        stage_ms: Time in each stage's model, summed over its runs.
        glue_ms: Time in the operations between the models.
        total_ms: Time of the whole run.
    """

    items: tuple[Mapping[str, Any], ...]
    stage_ms: Mapping[str, float]
    glue_ms: float
    total_ms: float

    def to_json(self) -> dict[str, Any]:
        return {
            "items": [dict(item) for item in self.items],
            "stage_ms": dict(self.stage_ms),
            "glue_ms": self.glue_ms,
            "total_ms": self.total_ms,
        }


class Runner:
    """A graph with its models, checked once and run many times. Not thread-safe: one runner per thread."""

    def __init__(self, graph: Graph, models: Mapping[str, LiteRTModel], labels: Mapping[str, tuple[str, ...]]) -> None:
        """
        Args:
            graph: What to run.
            models: Stage name -> model.
            labels: Asset name, as the nodes' `labels` attributes give it, -> its entries.

        Raises:
            LitebundleError: A stage has no model, labels are missing, or a node fits not its model or its inputs.
        """
        self._graph = graph
        self._kinds = value_kinds(graph)
        self._calls = tuple((node, prepare(node, models, labels)) for node in graph.nodes)

    def run(self, image: Array, *, tap: Tap | None = None) -> Result:
        """Run the pipeline on a photo, uint8 [H, W, 3] RGB (see `read_image`).

        Args:
            image: The photo.
            tap: Called after each run of a model with (stage, inputs by tensor name as they were before
                quantization, real outputs by tensor name). It may keep the arrays but not change them;
                one that several runs share is the same object.

        Raises:
            LitebundleError: Not such a photo, or a stage's values do not fit its model.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
            raise LitebundleError(f"the photo must be uint8 [H, W, 3], not {image.dtype} {list(image.shape)}")
        trace = Trace(tap)
        start = perf_counter_ns()
        values: dict[str, Any] = {PHOTO: image}
        for node, call in self._calls:
            outputs = call([values[name] for name in node.inputs], trace)
            values.update(zip(node.outputs, outputs, strict=True))
        items = self.items(values)
        total_ns = perf_counter_ns() - start
        stage_ms = {stage: ns / 1e6 for stage, ns in trace.stage_ns.items()}
        return Result(items, stage_ms, trace.glue_ns / 1e6, total_ns / 1e6)

    def items(self, values: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
        """The result items of a run that left `values` behind: value name -> value, as the graph names them."""
        columns: dict[str, list[Any]] = {}
        shared: dict[str, Any] = {}
        for result in self._graph.results:
            value = values[result.value]
            if isinstance(value, list):
                columns[result.field] = [_to_python(entry) for entry in value]
            elif self._kinds[result.value] == "boxes":
                columns[result.field] = value[:, :4].tolist()
            else:
                shared[result.field] = _to_python(value)
        sizes = {field: len(column) for field, column in columns.items()}
        if len(set(sizes.values())) > 1:
            raise LitebundleError(f"the result fields differ in their number of items: {sizes}")
        count = next(iter(sizes.values()), 1)
        names = [result.field for result in self._graph.results]
        return tuple(
            {name: columns[name][i] if name in columns else shared[name] for name in names} for i in range(count)
        )


def _to_python(value: Any) -> Any:
    """JSON's own types for a result: numbers, text, nested lists."""
    value = plain(value)
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return value
