"""The manifest: what a bundle says of itself.

These models are the truth; docs/manifest.schema.json is made from them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, JsonValue, ValidationError, model_validator

from litebundle.bundle.json_text import parse_json
from litebundle.errors import LitebundleError
from litebundle.validation import first_fault

FORMAT_VERSION = "1.0"
_MAJOR = 1

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256, lower-case hexadecimal")]
FilePath = Annotated[str, Field(min_length=1, description="name of a file of this bundle")]
Bytes = Annotated[int, Field(ge=0, le=2**31 - 1, description="bytes")]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
Int32 = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]


class Record(BaseModel):
    """Keys that this version does not know are ignored: a later minor version may add some."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Identity(Record):
    """What the bundle is and what it was made from."""

    name: str
    version: str = Field(description="semantic version 2.0.0")
    summary: str
    licence: str = Field(description="SPDX expression")
    source_commit: str | None = Field(default=None, description="commit of the pipeline's sources, where one was given")
    tools: Mapping[str, str] = Field(default={}, description="name of a tool or library -> its version")
    configuration: Digest | None = Field(default=None, description="digest of pipeline.toml")
    weights: Mapping[str, Digest] = Field(default={}, description="stage -> digest of the weights it was made from")
    data_sets: Mapping[str, Digest] = Field(default={}, description="part of the data set -> digest")


class TensorInfo(Record):
    """An input or output of a model; real = (raw - zero_point) * scale where a scale is given."""

    name: str = Field(description="key in the model's signature, else the tensor's own name; the name in its source")
    dtype: Literal["float32", "float16", "int8", "uint8", "int32", "int64", "bool"]
    shape: tuple[Count, ...]
    layout: str = Field(
        default="", description="one letter per axis, such as NHWC; empty where the axes have no such names"
    )
    value_range: tuple[FiniteFloat, FiniteFloat] | None = Field(
        default=None, description="lowest and highest real value"
    )
    scale: FiniteFloat | None = None
    zero_point: Int32 | None = None
    axis: Int32 | None = Field(
        default=None, description="reserved: the axis of per-channel quantization; null in version 1"
    )

    @model_validator(mode="after")
    def _quantization_is_whole(self) -> TensorInfo:
        if (self.scale is None) != (self.zero_point is None):
            raise ValueError("scale and zero_point come together, or neither is there")
        if self.scale is not None:
            if self.dtype not in ("int8", "uint8"):
                raise ValueError(f"a tensor of {self.dtype} has no scale; only int8 and uint8 do")
            with np.errstate(over="ignore", under="ignore"):
                scale = np.float32(self.scale)
            if not (scale > 0 and np.isfinite(scale)):
                raise ValueError(f"scale must be a positive float32, not {self.scale}")
        return self


class Accelerators(Record):
    """Where a stage may run, best first."""

    order: Annotated[tuple[Literal["npu", "gpu", "cpu"], ...], Field(min_length=1)] = ("cpu",)
    policy: Literal["strict", "allow_fallback"] = Field(
        default="strict",
        description="strict: only where `order` says; allow_fallback: on the CPU if nothing there works",
    )


class Stage(Record):
    """One model. `inputs` and `outputs` are in the order of the model's subgraph."""

    name: str
    file: FilePath
    sha256: Digest
    size_bytes: Bytes
    precision: Literal["none", "fp16", "int8_weights", "int8_dynamic", "int8"]
    signature: str | None = Field(description="key of the signature whose names the tensors have; null: none")
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    accelerators: Accelerators = Accelerators()


class GraphNode(Record):
    """One operation of the graph, see docs/glue.md."""

    name: str
    op: str
    stage: str | None
    each: bool = Field(description="run once per item of the list inputs")
    inputs: tuple[str, ...] = Field(description="names of values")
    outputs: tuple[str, ...] = Field(description="names of values")
    attributes: Mapping[str, JsonValue]


class GraphResult(Record):
    """A field of every result item."""

    field: str
    value: str


class GraphDocument(Record):
    """Nodes in the order in which they run; the one value from outside is `photo`."""

    nodes: tuple[GraphNode, ...]
    results: tuple[GraphResult, ...]


class Verdict(Record):
    """Whether one requirement or budget holds. No time is in it: what is measured in time stays outside."""

    requirement: str = Field(description="key in the pipeline's requirements, or 'budget'")
    stage: str | None = Field(default=None, description="null: the whole pipeline")
    metric: str | None = None
    unit: str = ""
    limit: FiniteFloat | None = None
    measured: FiniteFloat | None = None
    low: FiniteFloat | None = Field(default=None, description="lower end of the 95 % interval of `measured`")
    high: FiniteFloat | None = Field(default=None, description="upper end of the 95 % interval of `measured`")
    samples: Count = 0
    verdict: Literal["pass", "fail", "not_enough_samples", "not_measured"]


class StageVector(Record):
    """Tensor name -> file of its raw values: C order, little-endian, dtype and shape of the tensor."""

    inputs: Mapping[str, FilePath]
    outputs: Mapping[str, FilePath]


class StageGolden(Record):
    """What a stage's model must compute."""

    stage: str
    tolerance: Mapping[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(
        description="output tensor -> largest absolute difference allowed, in real units"
    )
    vectors: tuple[StageVector, ...]


class PipelineVector(Record):
    """A photo and the items that must be found in it."""

    photo: FilePath = Field(description="PNG, 8-bit RGB")
    items: FilePath = Field(description="JSON list of result items")


class PipelineGolden(Record):
    """What the whole pipeline must find."""

    tolerance: Mapping[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(
        default={},
        description="result field -> largest absolute difference of its numbers; other fields must be equal",
    )
    vectors: tuple[PipelineVector, ...] = ()


class Golden(Record):
    """Golden vectors, to be run on every new device."""

    stages: tuple[StageGolden, ...] = ()
    pipeline: PipelineGolden = PipelineGolden()


class FileInfo(Record):
    sha256: Digest
    size_bytes: Bytes


class Manifest(Record):
    """The whole of manifest.json."""

    format_version: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+$")] = FORMAT_VERSION
    identity: Identity
    stages: tuple[Stage, ...]
    graph: GraphDocument
    requirements: Mapping[str, JsonValue] = Field(default={}, description="what the service asked, as in pipeline.toml")
    verdicts: tuple[Verdict, ...] = ()
    golden: Golden = Golden()
    files: Mapping[FilePath, FileInfo] = Field(
        default={}, description="every file of the bundle but the manifest, its digest and its signature"
    )

    def to_bytes(self) -> bytes:
        """UTF-8 JSON, keys sorted, indented by two, one newline at the end: equal manifests give equal bytes."""
        document = self.model_dump(mode="json")
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2, sort_keys=True)
        return f"{text}\n".encode()


def read_manifest(data: bytes, where: str) -> Manifest:
    """Parse manifest.json; `where` names the bundle in errors.

    Raises:
        LitebundleError: Not JSON, a key given twice, another major version, or a value that breaks the schema.
    """
    try:
        document = parse_json(data)
    except ValueError as error:
        raise LitebundleError(f"{where}: its manifest is not JSON as it must be ({error})") from error
    _check_version(document, where)
    try:
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        raise LitebundleError(
            f"{where}: its manifest breaks the schema at {first_fault(error)}; build it again"
        ) from error


def manifest_schema() -> str:
    """The JSON Schema of manifest.json (draft 2020-12), as text."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Manifest.model_json_schema(),
    }
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _check_version(document: object, where: str) -> None:
    version = document.get("format_version") if isinstance(document, dict) else None
    if not isinstance(version, str) or not re.fullmatch(r"[0-9]{1,6}\.[0-9]{1,6}", version):
        raise LitebundleError(f"{where}: its manifest gives no format_version such as {FORMAT_VERSION!r}")
    if int(version.partition(".")[0]) != _MAJOR:
        raise LitebundleError(
            f"{where}: it has format version {version}, this litebundle reads {_MAJOR}.x; "
            "use the litebundle that made it, or build it again"
        )
