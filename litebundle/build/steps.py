"""The steps from sources to quantized models, each run only when the cache has not what it makes."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from converter import Conversion, ConversionError, Parity, convert_onnx, prove
from litebundle.build import records
from litebundle.build.cache import Artefact, Cache
from litebundle.build.calibrate import Sample, stage_inputs
from litebundle.build.plan import Plan, folded_stages, needs_ranges, upstream
from litebundle.build.progress import Advance, Progress
from litebundle.build.sources import sources
from litebundle.data import DataSample
from litebundle.errors import LitebundleError
from litebundle.graph import Graph
from litebundle.pipeline import Stage, check_shapes, foldable_normalize
from litebundle.pipeline.compile import JoinError
from litebundle.run import LiteRTModel
from quantize import Drift, Io, QuantizationError, Quantized, Ranges, calibrate, drift, quantize

PARITY_SAMPLES = 8
DRIFT_SAMPLES = 48
TFLITE = "model.tflite"


@dataclass(frozen=True)
class Steps:
    """One build's steps; every property is a mapping by stage name, in the pipeline's order."""

    plan: Plan
    cache: Cache
    progress: Progress

    @cached_property
    def conversions(self) -> Mapping[str, Conversion]:
        """Float models, each equal to its source, whose shapes fit together."""
        made = {stage.name: self._conversion(stage) for stage in self.plan.pipeline.stages}
        self._check_joins(made)
        return made

    @cached_property
    def parities(self) -> Mapping[str, Parity]:
        """Proof of equality on inputs that calibration pictures bring to each stage."""
        found, missing = self._cached("parity", self.plan.parity, self.plan.pipeline.stages)
        if missing:
            inputs = self._inputs(missing, spread(self.plan.calibrate.samples, PARITY_SAMPLES), PARITY_SAMPLES)
            for stage in missing:
                with self._step(stage, "compare with its source"):
                    parity = prove(
                        self._sources[stage.name],
                        self.conversions[stage.name],
                        inputs[stage.name],
                        tolerance=stage.parity_tolerance,
                    )
                files = {"parity.json": records.to_bytes(parity)}
                found[stage.name] = self.cache.put("parity", self.plan.parity[stage.name], files)
        return {name: records.from_bytes(Parity, _whole(found[name]).read("parity.json")) for name in found}

    @cached_property
    def ranges(self) -> Mapping[str, Ranges]:
        """Ranges of the tensors of the stages whose scheme needs them."""
        needy = [stage for stage in self.plan.pipeline.stages if needs_ranges(stage)]
        found, missing = self._cached("ranges", self.plan.ranges, needy)
        if missing:
            for name, observed in self._observe(missing).items():
                files = {"ranges.json": observed.to_json().encode()}
                found[name] = self.cache.put("ranges", self.plan.ranges[name], files)
        return {name: Ranges.from_json(_whole(found[name]).read("ranges.json").decode()) for name in found}

    @cached_property
    def quantized(self) -> Mapping[str, Quantized]:
        """The models that go into the bundle."""
        return {stage.name: self._quantized(stage) for stage in self.plan.pipeline.stages}

    @cached_property
    def drifts(self) -> Mapping[str, Drift]:
        """Float against quantized, tensor by tensor, on inputs that validation pictures bring to each stage."""
        found, missing = self._cached("drift", self.plan.drift, self.plan.pipeline.stages)
        if missing:
            inputs = self._inputs(missing, spread(self.plan.validate.samples, DRIFT_SAMPLES), DRIFT_SAMPLES)
            for stage in missing:
                with self._step(stage, "measure the drift of its tensors", DRIFT_SAMPLES) as advance:
                    measured = drift(
                        self.conversions[stage.name].tflite,
                        self.quantized[stage.name].tflite,
                        inputs[stage.name],
                        progress=lambda _done: advance(1),
                    )
                files = {"drift.json": records.to_bytes(measured)}
                found[stage.name] = self.cache.put("drift", self.plan.drift[stage.name], files)
        return {name: records.from_bytes(Drift, _whole(found[name]).read("drift.json")) for name in found}

    @cached_property
    def float_models(self) -> Mapping[str, LiteRTModel]:
        return {name: LiteRTModel.from_buffer(c.tflite, name=name) for name, c in self.conversions.items()}

    @cached_property
    def models(self) -> Mapping[str, LiteRTModel]:
        return {name: LiteRTModel.from_buffer(q.tflite, name=name) for name, q in self.quantized.items()}

    @cached_property
    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """Asset name -> the strings in it."""
        paths = self.plan.pipeline.labels()
        return {name: tuple(json.loads(path.read_text(encoding="utf-8"))) for name, path in paths.items()}

    @cached_property
    def _sources(self) -> Mapping[str, Any]:
        return sources(self.plan, self.cache, self.progress)

    def _conversion(self, stage: Stage) -> Conversion:
        key = self.plan.convert[stage.name]
        artefact = self.cache.get("convert", key)
        if artefact is None:
            source = self._sources[stage.name]
            with self._step(stage, "convert"):
                conversion = convert_onnx(
                    source,
                    shapes={tensor.name: tensor.shape for tensor in stage.inputs},
                    layouts=stage.layouts,
                    tolerance=stage.parity_tolerance,
                )
            facts = records.to_bytes(records.without(conversion, "tflite"))
            artefact = self.cache.put("convert", key, {TFLITE: conversion.tflite, "conversion.json": facts})
        return records.from_bytes(Conversion, artefact.read("conversion.json"), tflite=artefact.read(TFLITE))

    def _check_joins(self, made: Mapping[str, Conversion]) -> None:
        outputs = {f"{name}/{t.onnx_name}": t.shape for name, model in made.items() for t in model.outputs}
        try:
            check_shapes(self.plan.pipeline, self.plan.float_graph, outputs)
        except JoinError as error:
            stage = self.plan.pipeline.stages[int(error.loc[1])]
            raise LitebundleError(f"stage {stage.name!r}: {error}") from error

    def _quantized(self, stage: Stage) -> Quantized:
        key = self.plan.quantized[stage.name]
        artefact = self.cache.get("quantize", key)
        if artefact is None:
            ranges = self.ranges.get(stage.name)
            with self._step(stage, f"quantize to {stage.quantize.scheme}"):
                made = quantize(
                    self.conversions[stage.name].tflite,
                    scheme=stage.quantize.scheme,
                    ranges=ranges,
                    inputs=self._input_types(stage),
                    outputs=self._output_types(stage),
                    full_integer=stage.quantize.full_integer,
                )
            facts = records.to_bytes(records.without(made, "tflite"))
            artefact = self.cache.put("quantize", key, {TFLITE: made.tflite, "quantized.json": facts})
        return records.from_bytes(Quantized, artefact.read("quantized.json"), tflite=artefact.read(TFLITE))

    def _input_types(self, stage: Stage) -> dict[str, Io]:
        folded = stage.name in folded_stages(self.plan.pipeline)
        types = {}
        for tensor in self.float_models[stage.name].inputs:
            declared = next((i for i in stage.inputs if i.name == tensor.name), None)
            if tensor.dtype != "float32":
                continue
            affine = foldable_normalize(stage) if folded and declared and declared.from_ is None else None
            dtype = stage.quantize.io.input
            if affine is None:
                types[tensor.name] = Io(dtype)
            else:
                zero_point = affine.zero_point - (128 if dtype == "int8" else 0)
                types[tensor.name] = Io(dtype, affine.scale, zero_point)
        return types

    def _output_types(self, stage: Stage) -> dict[str, Io]:
        outputs = self.float_models[stage.name].outputs
        return {tensor.name: Io(stage.quantize.io.output) for tensor in outputs if tensor.dtype == "float32"}

    def _observe(self, stages: list[Stage]) -> dict[str, Ranges]:
        """Ranges of the stages' tensors over the whole calibration set, chunk by chunk."""
        observed: dict[str, Ranges] = {}
        names = [stage.name for stage in stages]
        settings = {stage.name: stage.quantize for stage in stages}
        title = f"calibrate {', '.join(names)}"
        with self.progress.step(title, len(self.plan.calibrate.samples)) as advance:
            for chunk in self._recorded(stages, self.plan.calibrate.samples, advance):
                for name, inputs in chunk.items():
                    with of_stage(name):
                        seen = calibrate(
                            self.conversions[name].tflite,
                            inputs,
                            method=settings[name].calibration,
                            percentile=settings[name].percentile,
                        )
                    observed[name] = observed[name].merge(seen) if name in observed else seen
        return observed

    def _inputs(self, stages: Sequence[Stage], samples: list[DataSample], limit: int) -> dict[str, list[Sample]]:
        """Up to `limit` inputs of each stage, spread over what the float pipeline sees on the samples."""
        found: dict[str, list[Sample]] = {stage.name: [] for stage in stages}
        for chunk in self._recorded(stages, samples):
            for name, inputs in chunk.items():
                found[name] += spread(inputs, limit)
        return {name: spread(inputs, limit) for name, inputs in found.items()}

    def _recorded(
        self, stages: Sequence[Stage], samples: Collection[DataSample], advance: Advance = lambda count: None
    ) -> Iterator[Mapping[str, list[Sample]]]:
        """Inputs of the stages in the float pipeline, of which only what leads to them runs."""
        names = [stage.name for stage in stages]
        graph = Graph(upstream(self.plan.float_graph, names), ())
        return stage_inputs(graph, self.float_models, self.labels, samples, names, advance=advance)

    def _cached(
        self, step: str, keys: Mapping[str, str], stages: Sequence[Stage]
    ) -> tuple[dict[str, Artefact | None], list[Stage]]:
        """What the cache has of the step by stage name, and the stages of which it has nothing."""
        found = {stage.name: self.cache.get(step, keys[stage.name]) for stage in stages}
        return found, [stage for stage in stages if found[stage.name] is None]

    @contextmanager
    def _step(self, stage: Stage, title: str, total: int | None = None) -> Iterator[Any]:
        with of_stage(stage.name), self.progress.step(f"{stage.name}: {title}", total) as advance:
            yield advance


@contextmanager
def of_stage(name: str) -> Iterator[None]:
    """Errors from inside say which stage they are about."""
    try:
        yield
    except (ConversionError, QuantizationError) as error:
        raise type(error)(f"stage {name!r}: {error}") from error


def spread(items: Any, limit: int) -> list[Any]:
    """At most `limit` items at even distances, the first among them."""
    items = list(items)
    step = max(1, -(-len(items) // limit))
    return list(islice(items, 0, None, step))


def _whole(artefact: Artefact | None) -> Artefact:
    assert artefact is not None
    return artefact
