"""The hand-made app as a bundle."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from litebundle.bundle import Identity, Manifest, describe_stage, record_golden, write_bundle
from litebundle.run import LiteRTModel


@pytest.fixture
def bundle_parts(app) -> tuple[Manifest, dict[str, bytes]]:
    models = {name: LiteRTModel.from_buffer(data, name=name) for name, data in app.models.items()}
    tolerance = {name: {tensor.name: 1e-5 for tensor in model.outputs} for name, model in models.items()}
    golden = record_golden(
        app.graph, models, app.labels, [app.photo], stage_tolerance=tolerance, field_tolerance={"score": 1e-6, "box": 0.01}
    )
    stages = [describe_stage(i, name, data, "none") for i, (name, data) in enumerate(app.models.items())]
    identity = Identity(name="colours", version="1.2.0", summary="coloured cells and their numbers", licence="Apache-2.0")
    document = {"identity": identity, "stages": tuple(stages), "graph": app.graph.to_json(), "golden": golden.index}
    files = {stage.file: app.models[stage.name] for stage in stages}
    files |= {name: json.dumps(list(labels)).encode() for name, labels in app.labels.items()}
    return Manifest.model_validate(document, strict=False), files | dict(golden.files)


@pytest.fixture
def write(bundle_parts) -> Callable[[Path], Path]:
    def build(path: Path) -> Path:
        write_bundle(path, *bundle_parts)
        return path

    return build


@pytest.fixture
def bundle_path(write, tmp_path) -> Path:
    return write(tmp_path / "colours-1.2.0.litebundle")
