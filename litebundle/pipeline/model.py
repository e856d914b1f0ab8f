"""The typed form of pipeline.toml: one frozen model per table, every field with its meaning and an example.

The descriptions and examples serve the error messages and are held equal to docs/pipeline.md by a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from litebundle.pipeline import rules

Scheme = Literal["none", "fp16", "int8_weights", "int8_dynamic", "int8"]
IoType = Literal["float32", "int8", "uint8"]
Layout = Literal["NCHW", "NHWC", ""]
Dtype = Literal["float32", "int32", "int64", "uint8", "bool"]


def _one_or_more(value: object) -> object:
    return value if isinstance(value, tuple) else (value,)


class Table(BaseModel):
    """Base of every table: no unknown keys, no silent conversion between types, no change afterwards."""

    # Deferred, so that importing these models builds no validators.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, defer_build=True)


class Metric(Table):
    """A task metric of the whole pipeline and the bound the service asked for; exactly one of max and min."""

    name: str = Field(examples=["edit_distance"])
    max: float | None = Field(default=None, examples=[0.1], ge=0)
    min: float | None = Field(default=None, examples=[0.9], ge=0)

    _known = field_validator("name")(rules.known_metric)

    @model_validator(mode="after")
    def _one_bound(self) -> Metric:
        rules.bound_fits_metric(self.name, self.max, self.min)
        return self


class Requirements(Table):
    """What the service asks. Every key is optional; the unit of a figure is part of its key.

    `offline_latency_p90_ms`: photo in to result out on the host. `capture_to_display_p90_ms`: on the phone,
    exposure to scan-out. `bundle_mb`: the bundle file, in 10^6 bytes. `memory_mb`: peak resident memory of a
    run, in 10^6 bytes. `qps`: results per second.
    """

    serving: Literal["mobile", "embedded", "server"] | None = Field(default=None, examples=["mobile"])
    metric: Annotated[tuple[Metric, ...], BeforeValidator(_one_or_more)] = Field(
        default=(), examples=[{"name": "edit_distance", "max": 0.1}]
    )
    offline_latency_p90_ms: float | None = Field(default=None, gt=0, examples=[400])
    capture_to_display_p90_ms: float | None = Field(default=None, gt=0, examples=[150])
    bundle_mb: float | None = Field(default=None, gt=0, examples=[8])
    memory_mb: float | None = Field(default=None, gt=0, examples=[300])
    qps: float | None = Field(default=None, gt=0, examples=[5])
    devices: tuple[str, ...] = Field(default=(), examples=[["pixel-6a"]])


class Data(Table):
    """The two parts of a data set, as folders relative to pipeline.toml's own."""

    calibrate: str = Field(min_length=1, examples=["calibration_data/calibrate"])
    validate_: str = Field(alias="validate", min_length=1, examples=["calibration_data/validate"])


class Input(Table):
    """One input of the model: name, shape and dtype as in the source.

    A float32 input without `from` takes the picture prepared by `before`. A 4-D input is NCHW in the source
    unless `layout` says "NHWC"; it is NHWC in the bundle either way.
    """

    name: str = Field(min_length=1, examples=["image"])
    shape: tuple[Annotated[int, Field(gt=0)], ...] = Field(min_length=1, examples=[[1, 3, 320, 320]])
    layout: Layout = Field(default="", examples=["NCHW"])
    dtype: Dtype = Field(default="float32", examples=["int32"])
    from_: str | None = Field(default=None, alias="from", examples=["encode.memory"])

    _reference = field_validator("from_")(rules.stage_and_value)

    @model_validator(mode="after")
    def _layout_is_for_rank_4(self) -> Input:
        if self.layout and len(self.shape) != 4:
            raise ValueError(
                f"layout {self.layout!r} names four axes, the shape has {len(self.shape)}; remove the layout"
            )
        return self

    @property
    def channels_first(self) -> bool:
        """Whether the source has this input as NCHW."""
        return len(self.shape) == 4 and self.layout != "NHWC"

    @property
    def graph_shape(self) -> tuple[int, ...]:
        """Shape in the bundle and in graph values: 4-D as NHWC."""
        n, *rest = self.shape
        return (n, *rest[1:], rest[0]) if self.channels_first else self.shape


class Step(Table):
    """One glue operation; `attributes` are complete (defaults filled in) once the pipeline is loaded.

    `of` names the stage whose boxes `crop_boxes` cuts out.
    """

    op: str = Field(examples=["letterbox"])
    of: str | None = Field(default=None, examples=["locate"])
    attributes: Mapping[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _split(cls, table: object) -> object:
        if not isinstance(table, Mapping):
            return table
        own = {key: table[key] for key in ("op", "of") if key in table}
        return own | {"attributes": {key: value for key, value in table.items() if key not in own}}


class Loop(Table):
    """The token loop around a stage that makes one step: `autoregressive_decode`, defined in docs/glue.md."""

    op: Literal["autoregressive_decode"] = Field(examples=["autoregressive_decode"])
    token: str = Field(default="token", examples=["token"])
    constants: tuple[str, ...] | None = Field(default=None, examples=[["memory"]])
    state: Mapping[str, str] = Field(default_factory=dict, examples=[{"state": "state_out"}])
    logits: str = Field(default="logits", examples=["logits"])
    start: int = Field(ge=0, examples=[1])
    end: int = Field(ge=0, examples=[2])
    max_tokens: int = Field(default=64, gt=0, examples=[64])
    beam: int = Field(default=1, gt=0, examples=[1])


class Io(Table):
    """Types at the model's border; a quantized type needs scheme "int8"."""

    input: IoType = Field(default="float32", examples=["uint8"])
    output: IoType = Field(default="float32", examples=["float32"])


def _both_sides(value: object) -> object:
    return {"input": value, "output": value} if isinstance(value, str) else value


class Quantize(Table):
    """How a stage is quantized; the default leaves it in float."""

    scheme: Annotated[Scheme, BeforeValidator(rules.not_auto)] = Field(default="none", examples=["int8"])
    io: Annotated[Io, BeforeValidator(_both_sides)] = Field(default_factory=Io, examples=["uint8"])
    full_integer: bool = Field(default=False, examples=[True])
    calibration: Literal["minmax", "percentile"] = Field(default="minmax", examples=["percentile"])
    percentile: float = Field(default=99.99, gt=50, le=100, examples=[99.99])

    @model_validator(mode="after")
    def _fits_the_scheme(self) -> Quantize:
        integer = self.io.input != "float32" or self.io.output != "float32" or self.full_integer
        if integer and self.scheme != "int8":
            raise ValueError(f'integer io and full_integer need scheme = "int8", not "{self.scheme}"; change one')
        if "percentile" in self.model_fields_set and self.calibration != "percentile":
            raise ValueError('percentile is used by calibration = "percentile" alone; set that or remove it')
        return self


class Budget(Table):
    """What quantizing this stage may cost: the largest loss of a metric, absolute, in its own unit."""

    metric: str = Field(examples=["box_f1"])
    max_drop: float = Field(ge=0, examples=[0.01])

    _known = field_validator("metric")(rules.known_metric)


class Stage(Table):
    """One model with what comes before and after it."""

    name: Annotated[str, Field(examples=["locate"])]
    source: str = Field(examples=["onnx:models/locate.onnx"])
    weights: str | None = Field(default=None, min_length=1, examples=["weights/locate.safetensors"])
    inputs: tuple[Input, ...] = Field(default=(), examples=[[{"name": "image", "shape": [1, 3, 320, 320]}]])
    outputs: tuple[Annotated[str, Field(min_length=1)], ...] = Field(default=(), examples=[["heatmap", "box"]])
    before: tuple[Step, ...] = Field(default=(), examples=[[{"op": "resize", "size": [64, 64]}]])
    after: tuple[Step, ...] = Field(default=(), examples=[[{"op": "heatmap_boxes"}]])
    loop: Loop | None = Field(default=None, examples=[{"op": "autoregressive_decode", "start": 1, "end": 2}])
    quantize: Quantize = Field(default_factory=Quantize, examples=[{"scheme": "int8", "io": "uint8"}])
    budget: Annotated[tuple[Budget, ...], BeforeValidator(_one_or_more)] = Field(
        default=(), examples=[{"metric": "box_f1", "max_drop": 0.01}]
    )
    parity_tolerance: float = Field(default=1e-4, gt=0, examples=[1e-4])
    accelerators: tuple[Literal["npu", "gpu", "cpu"], ...] = Field(("cpu",), min_length=1, examples=[["gpu", "cpu"]])

    _name = field_validator("name")(rules.stage_name)
    _source = field_validator("source")(rules.source)

    @model_validator(mode="before")
    @classmethod
    def _single_input(cls, table: object) -> object:
        if isinstance(table, Mapping) and "input" in table and "inputs" not in table:
            return {key: value for key, value in table.items() if key != "input"} | {"inputs": (table["input"],)}
        return table

    @model_validator(mode="after")
    def _fits_the_source(self) -> Stage:
        if self.is_torch and not (self.inputs and self.outputs):
            raise ValueError(
                "a PyTorch model has no stored signature; give its inputs and outputs, for example "
                'input = { name = "image", shape = [1, 3, 64, 64] } and outputs = ["scores"]'
            )
        if not self.is_torch and self.weights is not None:
            raise ValueError("an ONNX file holds its own weights; remove weights")
        return self

    @property
    def layouts(self) -> Mapping[str, str]:
        """What the converter is asked for: NCHW inputs become NHWC, and where there is one, all 4-D outputs ("*")."""
        inputs = {item.name: "NHWC" if item.channels_first else "" for item in self.inputs}
        return ({"*": "NHWC"} if "NHWC" in inputs.values() else {}) | inputs

    @property
    def is_torch(self) -> bool:
        return self.source.startswith("torch:")

    @property
    def target(self) -> str:
        """What follows the source's prefix: `package.module:Factory` or the path of the ONNX file."""
        return self.source.partition(":")[2]


class Identity(Table):
    """The table [pipeline]: what the bundle is called and what it is for."""

    name: str = Field(examples=["my_app"])
    version: str = Field(examples=["0.1.0"])
    summary: str = Field(min_length=1, examples=["photo of a page to its text"])
    licence: str = Field(min_length=1, examples=["Apache-2.0"])

    _name = field_validator("name")(rules.bundle_name)
    _version = field_validator("version")(rules.semantic_version)


class Document(Table):
    """pipeline.toml as it is written."""

    pipeline: Identity
    requirements: Requirements = Field(default_factory=Requirements)
    data: Data
    stage: tuple[Stage, ...] = Field(min_length=1)


@dataclass(frozen=True)
class DataFolders:
    """The two parts of the data set, absolute."""

    calibrate: Path
    validate: Path


class Pipeline(Table):
    """A checked pipeline. A dump leaves out where things lie, so that it is the same in every folder.

    `root` is the folder of pipeline.toml, absolute; the paths of stages are relative to it.
    """

    name: str
    version: str
    summary: str
    licence: str
    requirements: Requirements
    data: DataFolders = Field(exclude=True)
    stages: tuple[Stage, ...]
    root: Path = Field(exclude=True)

    def path(self, relative: str) -> Path:
        """A path of pipeline.toml as an absolute one."""
        return (self.root / relative).resolve()

    def stage(self, name: str) -> Stage:
        """The stage of that name; `KeyError` if there is none."""
        return {stage.name: stage for stage in self.stages}[name]

    def labels(self) -> Mapping[str, Path]:
        """Asset name in the bundle -> the label file it is made from."""
        return {
            rules.labels_asset(stage.name): self.path(step.attributes["labels"])
            for stage in self.stages
            for step in stage.after
            if "labels" in step.attributes
        }
