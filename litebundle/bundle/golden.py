"""Golden vectors: what each stage and the whole pipeline computed where the bundle was built."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from litebundle.bundle.manifest import (
    Golden,
    PipelineGolden,
    PipelineVector,
    StageGolden,
    StageVector,
    TensorInfo,
)
from litebundle.errors import LitebundleError
from litebundle.graph import Graph
from litebundle.run.boundary import enter_model
from litebundle.run.model import Array, LiteRTModel, Tensor
from litebundle.run.runner import Runner

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
    photos: Sequence[Array],
    *,
    stage_tolerance: Mapping[str, Mapping[str, float]],
    field_tolerance: Mapping[str, float],
) -> RecordedGolden:
    """Run the pipeline on photos and keep what it computed: all items, and each stage's last run on each photo.

    Args:
        graph: The bundle's graph.
        models: Stage name -> the bundle's model.
        labels: Asset name -> its strings.
        photos: uint8 [H, W, 3] RGB; each is stored whole, so small ones do.
        stage_tolerance: Stage -> output tensor -> largest absolute difference another machine may show, real units.
        field_tolerance: Result field -> largest absolute difference of its numbers; other fields must be equal.

    Raises:
        LitebundleError: A stage ran on none of the photos, or has an output without a tolerance.
    """
    runner = Runner(graph, models, labels)
    files: dict[str, bytes] = {}
    stages: dict[str, list[StageVector]] = {name: [] for name in models}
    pipeline: list[PipelineVector] = []
    for i, photo in enumerate(photos):
        last: dict[str, _Call] = {}

        def remember(
            stage: str,
            inputs: Mapping[str, Array],
            outputs: Mapping[str, Array],
            last: dict[str, _Call] = last,
        ) -> None:
            last[stage] = (inputs, outputs)

        items = runner.run(photo, tap=remember).items
        vector = PipelineVector(photo=f"golden/pipeline/{i:02d}/photo.png", items=f"golden/pipeline/{i:02d}/items.json")
        files[vector.photo] = encode_png(photo)
        files[vector.items] = _json([dict(item) for item in items])
        pipeline.append(vector)
        for stage, (inputs, outputs) in last.items():
            folder = f"golden/stages/{stage}/{i:02d}"
            model = models[stage]
            into = _store(files, f"{folder}/input", stage, model.inputs, inputs)
            out = _store(files, f"{folder}/output", stage, model.outputs, outputs)
            stages[stage].append(StageVector(inputs=into, outputs=out))
    recorded = tuple(
        StageGolden(stage=stage, tolerance=_tolerance(stage, models[stage], stage_tolerance), vectors=tuple(vectors))
        for stage, vectors in stages.items()
    )
    for golden in recorded:
        if not golden.vectors:
            raise LitebundleError(
                f"stage {golden.stage!r} ran on none of {len(photos)} golden photos; give one on which the stages "
                "before it find something"
            )
    whole = PipelineGolden(tolerance=dict(field_tolerance), vectors=tuple(pipeline))
    return RecordedGolden(Golden(stages=recorded, pipeline=whole), files)


def encode_png(photo: Array) -> bytes:
    """uint8 [H, W, 3] RGB as PNG: 8 bits per channel, no colour profile, no gamma."""
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def decode_array(data: memoryview, tensor: TensorInfo, name: str) -> Array:
    """The raw values in a golden file, as an array of the tensor's dtype and shape.

    Raises:
        LitebundleError: The file's size is not the tensor's.
    """
    dtype = np.dtype(tensor.dtype)
    size = dtype.itemsize * int(np.prod(tensor.shape, dtype=np.int64))
    if len(data) != size:
        raise LitebundleError(
            f"file {name!r} has {len(data)} bytes, but tensor {tensor.name!r}, {tensor.dtype} {list(tensor.shape)}, "
            f"takes {size}"
        )
    return np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(tensor.shape)


def _store(
    files: dict[str, bytes], prefix: str, stage: str, tensors: Sequence[Tensor], values: Mapping[str, Array]
) -> dict[str, str]:
    names = {}
    for k, tensor in enumerate(tensors):
        raw = enter_model(values[tensor.name], tensor, stage)
        names[tensor.name] = f"{prefix}-{k}.bin"
        files[names[tensor.name]] = raw.astype(raw.dtype.newbyteorder("<"), copy=False).tobytes()
    return names


def _tolerance(
    stage: str, model: LiteRTModel, stage_tolerance: Mapping[str, Mapping[str, float]]
) -> Mapping[str, float]:
    given = stage_tolerance.get(stage, {})
    for tensor in model.outputs:
        if tensor.name not in given:
            raise LitebundleError(
                f"stage {stage!r}: output {tensor.name!r} has no golden tolerance; give the drift that was measured"
            )
    return {tensor.name: given[tensor.name] for tensor in model.outputs}


def _json(document: object) -> bytes:
    return f"{json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2, sort_keys=True)}\n".encode()
