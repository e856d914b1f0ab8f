"""The stages in a table: what they are, how large, how long they take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litebundle.bundle.manifest import Manifest, Stage
from litebundle.report.documents import StagePreflight
from litebundle.report.scale import Scale, scale_over


@dataclass(frozen=True)
class StageSize:
    stage: Stage
    float_size_bytes: int | None

    @property
    def share(self) -> float | None:
        """Of the float model's size."""
        return self.stage.size_bytes / self.float_size_bytes if self.float_size_bytes else None


@dataclass(frozen=True)
class Sizes:
    """`total_float_bytes` is None unless every stage's is known."""

    rows: tuple[StageSize, ...]
    total_bytes: int
    total_float_bytes: int | None
    scale: Scale


@dataclass(frozen=True)
class LatencyRow:
    name: str
    p50_ms: float
    p90_ms: float
    max_ms: float


@dataclass(frozen=True)
class Latencies:
    """Stages in order, glue, total; `samples_ms` are the totals of single photos."""

    machine: str
    photos: int
    rows: tuple[LatencyRow, ...]
    samples_ms: tuple[float, ...]
    figures: Mapping[str, float]
    scale: Scale


def sizes(manifest: Manifest, preflights: Mapping[str, StagePreflight]) -> Sizes:
    known = {name: preflight.float_size_bytes for name, preflight in preflights.items()}
    rows = tuple(StageSize(stage, known.get(stage.name)) for stage in manifest.stages)
    floats = [row.float_size_bytes for row in rows]
    return Sizes(
        rows=rows,
        total_bytes=sum(stage.size_bytes for stage in manifest.stages),
        total_float_bytes=sum(size for size in floats if size) if all(floats) else None,
        scale=scale_over([*floats, *(stage.size_bytes for stage in manifest.stages)]),
    )


def latencies(measured: Mapping[str, Any] | None) -> Latencies | None:
    """The host's measurements, None without any."""
    if not measured or "total" not in measured:
        return None
    named = {**measured.get("stages", {}), "glue": measured.get("glue"), "total": measured["total"]}
    rows = tuple(LatencyRow(name, **latency) for name, latency in named.items() if latency)
    samples = tuple(measured.get("samples_ms", ()))
    return Latencies(
        machine=str(measured.get("machine", "an unnamed machine")),
        photos=int(measured.get("photos", len(samples))),
        rows=rows,
        samples_ms=samples,
        figures=measured.get("figures", {}),
        scale=scale_over([*(row.max_ms for row in rows), *samples]),
    )
