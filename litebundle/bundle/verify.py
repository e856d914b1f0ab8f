"""Running a bundle's golden vectors on this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from litebundle.bundle.container import Container
from litebundle.bundle.golden import decode_array, decode_items, decode_photo
from litebundle.bundle.manifest import Manifest, PipelineVector, Stage, StageGolden, StageVector, TensorInfo
from litebundle.errors import LitebundleError
from litebundle.glue.boundary import dequantize
from litebundle.run.model import Array, LiteRTModel, Tensor
from litebundle.run.runner import Runner


@dataclass(frozen=True)
class VectorCheck:
    """One golden vector: `max_abs` and `tolerance` by output tensor or result field, in real units.

    `name` is the stage, or "pipeline", and the vector's number; `fault` says what differs, empty if nothing does.
    """

    name: str
    max_abs: Mapping[str, float]
    tolerance: Mapping[str, float]
    fault: str

    @property
    def passed(self) -> bool:
        return not self.fault


@dataclass(frozen=True)
class Verification:
    """All golden vectors of a bundle on this machine."""

    vectors: tuple[VectorCheck, ...]

    @property
    def passed(self) -> bool:
        return all(vector.passed for vector in self.vectors)

    @property
    def faults(self) -> tuple[str, ...]:
        return tuple(f"{vector.name}: {vector.fault}" for vector in self.vectors if vector.fault)

    def to_json(self) -> dict[str, Any]:
        vectors = [asdict(vector) | {"passed": vector.passed} for vector in self.vectors]
        return {"passed": self.passed, "vectors": vectors}


def verify_golden(
    container: Container, manifest: Manifest, models: Mapping[str, LiteRTModel], runner: Runner
) -> Verification:
    """Run every golden vector of every stage, then every photo end to end.

    Raises:
        LitebundleError: A vector is not one that its stage could take; that is damage, not drift.
    """
    stages = {stage.name: stage for stage in manifest.stages}
    checks = []
    for golden in manifest.golden.stages:
        if golden.stage not in stages:
            raise LitebundleError(f"golden vectors of a stage {golden.stage!r} that the bundle does not have")
        for i, vector in enumerate(golden.vectors):
            name = f"{golden.stage}/{i}"
            checks.append(_check_stage(container, stages[golden.stage], models[golden.stage], golden, vector, name))
    tolerance = manifest.golden.pipeline.tolerance
    for i, photo in enumerate(manifest.golden.pipeline.vectors):
        checks.append(_check_pipeline(container, photo, runner, tolerance, f"pipeline/{i}"))
    return Verification(tuple(checks))


def _check_stage(
    container: Container,
    stage: Stage,
    model: LiteRTModel,
    golden: StageGolden,
    vector: StageVector,
    name: str,
) -> VectorCheck:
    inputs = [_array(container, vector.inputs, info) for info in stage.inputs]
    expected = [_array(container, vector.outputs, info) for info in stage.outputs]
    try:
        found = model.run(inputs)
    except LitebundleError as error:
        return VectorCheck(name, {}, golden.tolerance, str(error))
    max_abs = {
        tensor.name: _max_abs(_real(a, tensor), _real(b, tensor))
        for tensor, a, b in zip(model.outputs, found, expected, strict=True)
    }
    limits = {name: golden.tolerance.get(name, 0.0) for name in max_abs}
    # A NaN is not within any tolerance, and no comparison with it is true.
    faults = [
        f"output {name!r} is off by {error:.6g}, allowed is {limits[name]:.6g}"
        for name, error in max_abs.items()
        if not error <= limits[name]
    ]
    return VectorCheck(name, max_abs, limits, "; ".join(faults))


def _array(container: Container, files: Mapping[str, str], info: TensorInfo) -> Array:
    name = files.get(info.name)
    if name is None or name not in container.names:
        raise LitebundleError(f"a golden vector lacks a file for tensor {info.name!r}")
    return decode_array(container.read(name), info, name)


def _real(raw: Array, tensor: Tensor) -> Array:
    real = raw if tensor.quantization is None else dequantize(raw, tensor.quantization)
    return real.astype(np.float64)


def _max_abs(a: Array, b: Array) -> float:
    return float(np.max(np.abs(a - b), initial=0.0))


def _check_pipeline(
    container: Container, vector: PipelineVector, runner: Runner, tolerance: Mapping[str, float], name: str
) -> VectorCheck:
    for file in (vector.photo, vector.items):
        if file not in container.names:
            raise LitebundleError(f"file {file!r} of a golden vector is missing")
    expected = decode_items(container.read(vector.items), vector.items)
    photo = decode_photo(container.read(vector.photo), vector.photo)
    try:
        found = json.loads(json.dumps(runner.run(photo).to_json()["items"]))
    except LitebundleError as error:
        return VectorCheck(name, {}, tolerance, str(error))
    if len(found) != len(expected):
        return VectorCheck(name, {}, tolerance, f"{len(found)} items were found, expected are {len(expected)}")
    max_abs: dict[str, float] = {}
    faults = []
    for i, (one, other) in enumerate(zip(found, expected, strict=True)):
        for field in sorted({*one, *other}):
            off_by = _difference(one.get(field), other.get(field), numeric=field in tolerance)
            max_abs[field] = max(max_abs.get(field, 0.0), off_by)
            if not off_by <= tolerance.get(field, 0.0):
                faults.append(f"item {i}: {field} is {one.get(field)!r}, expected is {other.get(field)!r}")
    return VectorCheck(name, max_abs, tolerance, "; ".join(faults))


def _difference(found: Any, expected: Any, numeric: bool) -> float:
    """0 if equal; the largest absolute difference of numbers, where the field has a tolerance; else infinity."""
    if found == expected:
        return 0.0
    if not numeric:
        return float("inf")
    try:
        a, b = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    except (TypeError, ValueError):
        return float("inf")
    return _max_abs(a, b) if a.shape == b.shape else float("inf")
