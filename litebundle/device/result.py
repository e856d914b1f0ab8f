"""What a run on a phone left: `report.json`, as docs/harness-report.schema.json defines it, and its raw samples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from litebundle.device.adb import DeviceError
from litebundle.device.samples import Samples, read_samples
from litebundle.validation import first_fault

if TYPE_CHECKING:
    from collections.abc import Iterator

REPORT, SAMPLES = "report.json", "samples.csv"

Count = Annotated[int, Field(ge=0)]
Status = Annotated[int, Field(ge=0, le=6)] | None
State = Literal["pass", "fail", "refused"]


class Part(BaseModel):
    """Later minor versions of the format may add keys."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False, extra="ignore", defer_build=True)


class Estimate(Part):
    """A quantile in ms with its 95 % interval."""

    value: float
    low: float
    high: float


class Percentiles(Part):
    count: Annotated[int, Field(ge=1)]
    p50: Estimate
    p90: Estimate
    p95: Estimate
    p99: Estimate


class Run(Part):
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    kind: Literal["live", "replay", "optical"]
    started_utc: Annotated[str, Field(pattern=r"Z$")]
    app_version: str


class BundleIdentity(Part):
    name: str
    version: str
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Phone(Part):
    manufacturer: str
    model: str
    sdk: Annotated[int, Field(ge=26)] | None
    build: str
    soc: str | None


class Residency(Part):
    stage: str
    state: Literal["proven", "unproven"]
    accelerator: Literal["npu", "gpu", "cpu"]
    evidence: str


class Engine(Part):
    name: str
    residency: list[Residency]


class Conditions(Part):
    debuggable: bool
    golden_passed: bool
    thermal_status_at_start: Status
    virtual_clock: bool


class Camera(Part):
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]
    fps_low: Annotated[int, Field(ge=1)]
    fps_high: Annotated[int, Field(ge=1)]
    frame_interval_p50_ms: float | None
    frame_interval_p99_ms: float | None


class Clock(Part):
    domain: Literal["boottime", "boottime_inferred", "monotonic_inferred", "immaterial", "undecided"]
    offset_low_ns: int | None
    offset_high_ns: int | None
    error_ns: Count


class ResultsByGrade(Part):
    A: Count
    B: Count
    C: Count
    D: Count


class Display(Part):
    grade: Literal["A", "B", "C", "D"] | None
    source: str | None
    results: ResultsByGrade
    refresh_hz: Annotated[float, Field(gt=0)] | None


class Dropped(Part):
    busy: Count
    queue: Count
    camera: Count


class Frames(Part):
    captured: Count
    presented: Count
    superseded: Count
    dropped: Dropped
    failed: Count
    unfinished: Count
    without_clock: Count


class CaptureToDisplay(Part):
    exposure_start_to_present_ms: Percentiles | None
    exposure_mid_to_present_ms: Percentiles | None


class Latency(CaptureToDisplay):
    exposure_mid_to_present_earliest_ms: Percentiles | None
    exposure_mid_to_present_latest_ms: Percentiles | None
    exposure_start_to_replacement_ms: Percentiles | None
    age_before_replacement_ms: Percentiles | None
    result_interval_ms: Percentiles | None


class ColdStart(Part):
    load_ms: Annotated[float, Field(ge=0)] | None
    first_inference_ms: Annotated[float, Field(ge=0)] | None
    first_result_ms: Annotated[float, Field(ge=0)] | None


class SteadyState(Part):
    from_frame: Count | None


class Stage(Part):
    name: str
    pre_ms: Percentiles | None
    run_ms: Percentiles | None
    post_ms: Percentiles | None


class Second(Part):
    second: Count
    results: Count
    exposure_mid_to_present_p50_ms: float | None
    exposure_mid_to_present_p90_ms: float | None
    thermal_status: Status
    thermal_headroom: float | None


class Heat(Part):
    at_ns: int
    status: Status
    headroom: float | None


class Energy(Part):
    per_result_mj: Annotated[float, Field(ge=0)]
    monitors: list[str]
    results: Annotated[int, Field(ge=1)]
    grade: Literal["measured", "estimated"]


class Witness(Part):
    pairs: Count
    agreeing: Count
    confirmed: bool


class Corrections(Part):
    shown: Count
    corrected: Count
    share: Annotated[float, Field(ge=0, le=1)] | None


class Requirement(Part):
    name: str
    limit: float
    measured: float | None
    low: float | None
    high: float | None
    verdict: State


class Reason(Part):
    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    text: str


class Verdict(Part):
    state: State
    reasons: list[Reason]


class RunReport(Part):
    """report.json; docs/harness-report.schema.json describes every key, and a test holds the two together."""

    format_version: Annotated[str, Field(pattern=r"^1\.[0-9]+$")]
    run: Run
    bundle: BundleIdentity
    device: Phone
    engine: Engine
    conditions: Conditions
    camera: Camera | None
    clock: Clock
    display: Display
    frames: Frames
    latency: Latency
    cold_start: ColdStart
    steady_state: SteadyState
    stages: list[Stage]
    minute_one: CaptureToDisplay
    sustained: CaptureToDisplay
    curve: list[Second]
    thermal: list[Heat]
    energy: Energy | None
    witness: Witness | None
    corrections: Corrections | None
    requirements: list[Requirement]
    verdict: Verdict


@dataclass(frozen=True)
class RunResult:
    """A run's report and samples, as they lie in a folder."""

    folder: Path
    report: RunReport
    samples: Samples

    @property
    def doubts(self) -> frozenset[str]:
        """The rules by which the app refused the run's numbers; empty if it did not."""
        verdict = self.report.verdict
        if verdict.state != "refused":
            return frozenset()
        return frozenset(reason.code for reason in verdict.reasons) or frozenset({"unexplained"})


def read_run(folder: Path) -> RunResult:
    """The run in a folder.

    Raises:
        DeviceError: A file is missing, cut off, or not what its name says.
    """
    report = read_report(folder / REPORT)
    samples = read_samples(folder / SAMPLES, report.steady_state.from_frame)
    found, told = samples.presented, report.frames.presented
    if found != told:
        raise DeviceError(f"{folder}: {SAMPLES} has {found} presented frames, {REPORT} counts {told}; run again")
    latency = report.latency.exposure_mid_to_present_ms
    found, told = len(samples.steady_ms), latency.count if latency else 0
    if found != told:
        raise DeviceError(f"{folder}: {SAMPLES} has {found} results of the steady state, {REPORT} {told}; run again")
    return RunResult(folder, report, samples)


def read_runs(folder: Path) -> tuple[RunResult, ...]:
    """The run in a folder, or all those in folders in it, in the order of their names.

    Raises:
        DeviceError: There is none, or one is incomplete.
    """
    if (folder / REPORT).is_file():
        return (read_run(folder),)
    runs = tuple(read_run(path) for path in _folders_of_runs(folder))
    if not runs:
        raise DeviceError(f"{folder}: there is no {REPORT} in it or in a folder in it; give what 'device run' wrote")
    return runs


def read_report(path: Path) -> RunReport:
    """Raises:
    DeviceError: It is missing, cut off, or breaks the schema.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DeviceError(f"{path}: the result is incomplete, there is no {REPORT}; run again") from None
    try:
        return RunReport.model_validate_json(data)
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise DeviceError(f"{path}: the result is incomplete, its JSON is cut off or damaged; run again") from None
        way_out = "use the litebundle and the app of one version"
        raise DeviceError(f"{path}: breaks the schema of a report at {first_fault(error)}; {way_out}") from None


def _folders_of_runs(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path.parent for path in folder.glob(f"*/{REPORT}") if not path.parent.name.startswith("."))
