"""The ONNX model of each stage: a file as it is, a PyTorch module through the export worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from converter import ConversionError, InputSpec, TorchExport, TorchModel, export_many
from litebundle.build.cache import Cache
from litebundle.build.plan import Plan
from litebundle.build.progress import Progress
from litebundle.pipeline import Stage

SOURCE = "source"
MODEL = "model.onnx"


def sources(plan: Plan, cache: Cache, progress: Progress) -> Mapping[str, bytes | Path]:
    """Each stage's ONNX model; torch is started once for all the modules that changed, or not at all.

    Raises:
        ConversionError: A module did not export. What the others gave is kept.
    """
    missing = [s for s in plan.pipeline.stages if s.is_torch and cache.get(SOURCE, plan.source[s.name]) is None]
    if missing:
        names = ", ".join(stage.name for stage in missing)
        with progress.step(f"export {names} from PyTorch"):
            exports = export_many([_module(stage, plan) for stage in missing], root=plan.pipeline.root)
        _keep(missing, exports, plan, cache)
    return {stage.name: _source(stage, plan, cache) for stage in plan.pipeline.stages}


def _keep(stages: Sequence[Stage], exports: Sequence[TorchExport | ConversionError], plan: Plan, cache: Cache) -> None:
    failures = []
    for stage, export in zip(stages, exports, strict=True):
        if isinstance(export, ConversionError):
            failures.append(f"stage {stage.name!r}: {export}")
        else:
            cache.put(SOURCE, plan.source[stage.name], {MODEL: export.onnx})
    if failures:
        raise ConversionError("\n".join(failures))


def _source(stage: Stage, plan: Plan, cache: Cache) -> bytes | Path:
    if not stage.is_torch:
        return plan.pipeline.path(stage.target)
    artefact = cache.get(SOURCE, plan.source[stage.name])
    assert artefact is not None
    return artefact.read(MODEL)


def _module(stage: Stage, plan: Plan) -> TorchModel:
    return TorchModel(
        factory=stage.target,
        weights=plan.pipeline.path(stage.weights) if stage.weights else None,
        inputs=tuple(InputSpec(tensor.name, tensor.shape, tensor.dtype) for tensor in stage.inputs),
        outputs=stage.outputs,
    )
