"""Golden vectors: what each stage and the whole pipeline computed where the bundle was built."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image

from litebundle.bundle.manifest import Golden, PipelineGolden, PipelineVector, StageGolden, StageVector
from litebundle.errors import LitebundleError
from litebundle.graph import Graph
from litebundle.run import LiteRTModel, Runner, enter_model
from litebundle.run.model import Array, Tensor

# Share of an output's largest number that another device's order of float sums may change, drift or none.
ROUNDING = 1e-4

_Call = tuple[Mapping[str, Array], Mapping[str, Array]]


@dataclass(frozen=True)
class RecordedGolden:
    """The manifest's index of golden vectors, and the files it names."""

    index: Golden
    files: Mapping[str, bytes]


def record_golden(
    graph: Graph,
    models: Mapping[str, LiteRTModel],
    labels: Mapping[str, tuple[str, ...]],
    photos: Iterable[Array],
    count: int,
    *,
    stage_tolerance: Mapping[str, Mapping[str, float]],
    field_tolerance: Mapping[str, float],
) -> RecordedGolden:
    """Run the pipeline on photos and keep what it computed: all items, and each stage's last run on each photo.

    Args:
        graph: The bundle's graph.
        models: Stage name -> the bundle's model.
        labels: Asset name -> its strings.
        photos: uint8 [H, W, 3] RGB, the best first; each is stored whole, so small ones do.
        count: How many to keep, of those on which every stage runs.
        stage_tolerance: Stage -> output tensor -> largest absolute difference another machine may show, real units;
            raised to what float rounding may cost.
        field_tolerance: Result field -> largest absolute difference of its numbers; other fields must be equal.

    Raises:
        LitebundleError: On none of the photos every stage ran.
    """
    runner = Runner(graph, models, labels)
    files: dict[str, bytes] = {}
    stages: dict[str, list[StageVector]] = {name: [] for name in models}
    tolerance = {name: dict(stage_tolerance[name]) for name in models}
    pipeline: list[PipelineVector] = []
    for photo in photos:
        last: dict[str, _Call] = {}
        items = runner.run(photo, tap=partial(_remember, last)).items
        if len(last) < len(models):
            continue
        i = len(pipeline)
        vector = PipelineVector(photo=f"golden/pipeline/{i:02d}/photo.png", items=f"golden/pipeline/{i:02d}/items.json")
        files[vector.photo] = _png(photo)
        files[vector.items] = json.dumps([dict(item) for item in items], ensure_ascii=False, sort_keys=True).encode()
        pipeline.append(vector)
        for stage, (inputs, outputs) in last.items():
            folder = f"golden/stages/{stage}/{i:02d}"
            into = _store(files, f"{folder}/input", stage, models[stage].inputs, inputs)
            out = _store(files, f"{folder}/output", stage, models[stage].outputs, outputs)
            stages[stage].append(StageVector(inputs=into, outputs=out))
            for name, values in outputs.items():
                largest = float(np.max(np.abs(values), initial=0))
                tolerance[stage][name] = max(tolerance[stage][name], ROUNDING * largest)
        if len(pipeline) == count:
            break
    if not pipeline:
        raise LitebundleError(
            "there is no validation photo on which every stage of the quantized pipeline runs, so it has no golden "
            "vectors: look at the drift of the stages that find something, or add photos on which they do"
        )
    recorded = tuple(
        StageGolden(stage=stage, tolerance=tolerance[stage], vectors=tuple(vectors))
        for stage, vectors in stages.items()
    )
    whole = PipelineGolden(tolerance=dict(field_tolerance), vectors=tuple(pipeline))
    return RecordedGolden(Golden(stages=recorded, pipeline=whole), files)


def _remember(last: dict[str, _Call], stage: str, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> None:
    last[stage] = (inputs, outputs)


def _png(photo: Array) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _store(
    files: dict[str, bytes], prefix: str, stage: str, tensors: Sequence[Tensor], values: Mapping[str, Array]
) -> dict[str, str]:
    names = {}
    for k, tensor in enumerate(tensors):
        raw = enter_model(values[tensor.name], tensor, stage)
        names[tensor.name] = f"{prefix}-{k}.bin"
        files[names[tensor.name]] = raw.astype(raw.dtype.newbyteorder("<"), copy=False).tobytes()
    return names
