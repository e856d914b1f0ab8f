"""From models and measurements to the files of a bundle and its manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from litebundle import __version__
from litebundle.build.digests import digest_of, tool_versions
from litebundle.build.golden import record_golden
from litebundle.build.plan import LIBRARIES, Plan, digest_of_data
from litebundle.build.steps import Steps
from litebundle.bundle import Identity, Manifest, Verdict, describe_stage
from litebundle.bundle.manifest import Accelerators, GraphDocument
from litebundle.data import DataSample
from litebundle.files import digest_file
from litebundle.pipeline import Stage
from litebundle.run import read_image
from quantize import Range

GOLDEN_PHOTOS = 2
# Another device's kernels may round a neighbour of a heat map's peak, or a token's probability, differently.
FIELD_TOLERANCE = {"box": 2.0, "score": 0.1}


def bundle_files(
    steps: Steps, verdicts: Sequence[Verdict], records: Mapping[str, Any]
) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest and every other file of the bundle.

    Args:
        steps: The build, its models made.
        verdicts: On requirements and budgets; nothing measured in time.
        records: File name -> JSON-able document (`drift.json`, `preflight.json`, …).
    """
    plan = steps.plan
    golden = record_golden(
        plan.graph,
        steps.models,
        steps.labels,
        (read_image(sample.path) for sample in golden_candidates(plan)),
        GOLDEN_PHOTOS,
        stage_tolerance={
            name: {output.name: output.max_abs for output in drift.outputs} for name, drift in steps.drifts.items()
        },
        field_tolerance=FIELD_TOLERANCE,
    )
    stages = [_stage(index, stage, steps) for index, stage in enumerate(plan.pipeline.stages)]
    files = {described.file: steps.quantized[described.name].tflite for described in stages}
    files |= dict(golden.files)
    files |= {name: _json(list(entries)) for name, entries in steps.labels.items()}
    files |= {name: _json(document) for name, document in records.items()}
    manifest = Manifest(
        identity=_identity(plan),
        stages=tuple(stages),
        graph=GraphDocument.model_validate_json(json.dumps(plan.graph.to_json())),
        requirements=json.loads(plan.pipeline.requirements.model_dump_json(exclude_none=True)),
        verdicts=tuple(verdicts),
        golden=golden.index,
    )
    return manifest, files


def golden_candidates(plan: Plan) -> list[DataSample]:
    """The smallest photo of each kind, then all others by size: a device should not spend its storage on them."""
    by_size = sorted(plan.validate.samples, key=lambda s: (s.path.stat().st_size, s.path.name))
    first = {sample.kind: sample for sample in reversed(by_size)}.values()
    ahead = sorted(first, key=by_size.index)
    return [*ahead, *(sample for sample in by_size if sample not in ahead)]


def _stage(index: int, stage: Stage, steps: Steps) -> Any:
    conversion = steps.conversions[stage.name]
    tensors = (*conversion.inputs, *conversion.outputs)
    ranges: Mapping[str, Range] = steps.ranges[stage.name].tensors if stage.name in steps.ranges else {}
    observed = {t.onnx_name: ranges[t.tflite_name] for t in tensors if t.tflite_name in ranges}
    return describe_stage(
        index,
        stage.name,
        steps.quantized[stage.name].tflite,
        stage.quantize.scheme,
        layouts={tensor.onnx_name: tensor.layout for tensor in tensors},
        value_ranges={name: (seen.min, seen.max) for name, seen in observed.items()},
        accelerators=Accelerators(
            order=stage.accelerators, policy="allow_fallback" if "cpu" in stage.accelerators else "strict"
        ),
    )


def _identity(plan: Plan) -> Identity:
    pipeline = plan.pipeline
    return Identity(
        name=pipeline.name,
        version=pipeline.version,
        summary=pipeline.summary,
        licence=pipeline.licence,
        tools={"litebundle": __version__, **tool_versions(*LIBRARIES)},
        configuration=digest_of(json.loads(pipeline.model_dump_json(exclude={"root"}))),
        weights={stage.name: _weights(stage, plan) for stage in pipeline.stages},
        data_sets={"calibrate": digest_of_data(plan.calibrate), "validate": digest_of_data(plan.validate)},
    )


def _weights(stage: Stage, plan: Plan) -> str:
    """Digest of the weights' file; of all that the model is made from where they have no file of their own."""
    if stage.weights:
        return digest_file(plan.pipeline.path(stage.weights))
    return plan.source[stage.name]


def _json(document: Any) -> bytes:
    return f"{json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True)}\n".encode()
