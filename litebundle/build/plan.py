"""The keys of everything a build makes, known from its inputs before anything runs.

A key is the digest of all that can change the artefact: sources, settings, data, the code of the rooms that
make it and the versions of the libraries below. So a second build finds everything, a change to one stage
finds all but that stage and what depends on it, and no build ever finds something stale.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from litebundle.build.digests import digest_of, digest_of_code, digest_of_modules, digest_of_onnx, tool_versions
from litebundle.data import DataSet, load_dataset
from litebundle.files import digest_file
from litebundle.graph import STAGE_OPS, Graph, Node
from litebundle.pipeline import Pipeline, Stage, compile_graph, foldable_normalize

LIBRARIES = ("numpy", "onnx", "onnxruntime", "ai-edge-litert", "ai-edge-quantizer", "flatbuffers", "pillow")
REPORT_LIBRARIES = ("jinja2", "pydantic", "rapidfuzz")
TORCH_LIBRARIES = ("torch", "onnxscript", "onnx-ir", "safetensors")
INTEGER_IO = ("uint8", "int8")


@dataclass(frozen=True)
class Plan:
    """Graphs, data and keys of one build; a mapping's key is the stage's name."""

    pipeline: Pipeline
    float_graph: Graph
    graph: Graph
    calibrate: DataSet
    validate: DataSet
    source: Mapping[str, str]
    convert: Mapping[str, str]
    parity: Mapping[str, str]
    ranges: Mapping[str, str]
    quantized: Mapping[str, str]
    drift: Mapping[str, str]
    cascade: str
    whole: str


def make_plan(pipeline: Pipeline) -> Plan:
    """Read the data sets' manifests, digest every input, derive every key."""
    calibrate = load_dataset(pipeline.data.calibrate)
    validate = load_dataset(pipeline.data.validate)
    calibrate_digest, validate_digest = digest_of_data(calibrate), digest_of_data(validate)
    float_graph = compile_graph(pipeline)
    graph = compile_graph(pipeline, folded=folded_stages(pipeline))
    libraries = tool_versions(*LIBRARIES)
    labels = {name: digest_file(path) for name, path in pipeline.labels().items()}
    converting = digest_of_code("converter")
    quantizing = digest_of_code("quantize")
    rooms = ("glue", "run", "data", "build", "pipeline", "graph.py")
    running = digest_of_code(*(f"litebundle/{room}" for room in rooms))

    source = {stage.name: _source_key(stage, pipeline) for stage in pipeline.stages}
    convert = {
        stage.name: digest_of(converting, source[stage.name], _signature(stage), stage.parity_tolerance, libraries)
        for stage in pipeline.stages
    }

    def fed_by(name: str, data: str) -> str:
        before = upstream(float_graph, [name])
        stages = sorted({node.stage for node in before if node.stage})
        return digest_of([n.to_json() for n in before], {s: convert[s] for s in stages}, data, running)

    parity, ranges, quantized, drift = {}, {}, {}, {}
    for stage in pipeline.stages:
        name, settings = stage.name, stage.quantize.model_dump(mode="json")
        fed = fed_by(name, calibrate_digest)
        parity[name] = digest_of(fed, convert[name], stage.parity_tolerance)
        ranges[name] = digest_of(quantizing, fed, stage.quantize.calibration, stage.quantize.percentile)
        quantized[name] = digest_of(
            quantizing,
            digest_of_code("litebundle/pipeline/folding.py"),
            convert[name],
            ranges[name] if needs_ranges(stage) else None,
            settings,
            name in folded_stages(pipeline),
        )
        drift[name] = digest_of(quantized[name], fed_by(name, validate_digest))
    cascade = digest_of(
        quantized,
        float_graph.to_json(),
        graph.to_json(),
        labels,
        validate_digest,
        running,
        digest_of_code("litebundle/metrics"),
    )
    whole = digest_of(
        cascade,
        parity,
        drift,
        json.loads(pipeline.model_dump_json(exclude={"root"})),
        digest_of_code("litebundle"),
        tool_versions(*REPORT_LIBRARIES),
    )
    return Plan(
        pipeline, float_graph, graph, calibrate, validate,
        source, convert, parity, ranges, quantized, drift, cascade, whole,
    )  # fmt: skip


def folded_stages(pipeline: Pipeline) -> frozenset[str]:
    """Stages whose pixels go into an integer input as they are, their normalisation in scale and zero point."""
    return frozenset(
        stage.name
        for stage in pipeline.stages
        if stage.quantize.scheme == "int8" and stage.quantize.io.input in INTEGER_IO and foldable_normalize(stage)
    )


def needs_ranges(stage: Stage) -> bool:
    """Whether quantizing the stage takes the ranges of its tensors, and so calibration pictures."""
    return stage.quantize.scheme == "int8"


def upstream(graph: Graph, stages: Collection[str]) -> tuple[Node, ...]:
    """All nodes whose values reach the models of the stages, in run order, those models' own nodes included."""
    wanted: set[str] = set()
    found: list[Node] = []
    for node in reversed(graph.nodes):
        own = node.stage in stages and node.op in STAGE_OPS
        if own or wanted & set(node.outputs):
            wanted |= set(node.inputs)
            found.append(node)
    return tuple(reversed(found))


def digest_of_data(data: DataSet) -> str:
    """Digest of the samples' names, kinds, answers and file contents."""
    return digest_of(
        [
            (s.path.relative_to(data.folder).as_posix(), s.kind, s.answer.model_dump(mode="json"), digest_file(s.path))
            for s in data.samples
        ]
    )


def _source_key(stage: Stage, pipeline: Pipeline) -> str:
    if not stage.is_torch:
        return digest_of_onnx(pipeline.path(stage.target))
    code = digest_of_code("converter/torch_worker.py", "converter/onnx_tidy.py")
    package = stage.target.partition(":")[0].partition(".")[0]
    modules = digest_of_modules(package, pipeline.root)
    weights = digest_file(pipeline.path(stage.weights)) if stage.weights else None
    inputs = [tensor.model_dump(mode="json") for tensor in stage.inputs]
    return digest_of(code, stage.target, modules, weights, inputs, stage.outputs, tool_versions(*TORCH_LIBRARIES))


def _signature(stage: Stage) -> list[Any]:
    return [[(tensor.name, tensor.shape) for tensor in stage.inputs], dict(stage.layouts)]
