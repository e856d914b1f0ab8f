"""The ONNX model of each stage: a file as it is, a PyTorch module through the export worker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from converter import ExportRequest, InputSpec, export_many
from litebundle.build.cache import Cache
from litebundle.build.plan import Plan
from litebundle.build.progress import Progress
from litebundle.pipeline import Stage

SOURCE = "source"
MODEL = "model.onnx"


def sources(plan: Plan, cache: Cache, progress: Progress) -> Mapping[str, bytes | Path]:
    """Each stage's ONNX model; torch is started once for all the modules that changed, or not at all."""
    root = plan.pipeline.root
    torch_stages = [stage for stage in plan.pipeline.stages if stage.source.startswith("torch:")]
    missing = [s for s in torch_stages if cache.get(SOURCE, plan.source[s.name]) is None]
    if missing:
        names = ", ".join(stage.name for stage in missing)
        with progress.step(f"export {names} from PyTorch", len(missing)) as advance:
            for stage, exported in zip(
                missing, export_many([_request(s, root) for s in missing]), strict=True
            ):
                cache.put(SOURCE, plan.source[stage.name], {MODEL: exported.result()})
                advance(1)
    return {stage.name: _source(stage, plan, cache) for stage in plan.pipeline.stages}


def _source(stage: Stage, plan: Plan, cache: Cache) -> bytes | Path:
    door, _, where = stage.source.partition(":")
    if door == "onnx":
        return plan.pipeline.root / where
    artefact = cache.get(SOURCE, plan.source[stage.name])
    assert artefact is not None
    return artefact.read(MODEL)


def _request(stage: Stage, root: Path) -> ExportRequest:
    return ExportRequest(
        name=stage.name,
        factory=stage.source.removeprefix("torch:"),
        root=root,
        weights=root / stage.weights if stage.weights else None,
        inputs=tuple(InputSpec(t.name, t.shape, t.dtype) for t in stage.inputs),
        outputs=stage.outputs,
    )
