"""Drift inside each stage: its outputs by kind of input, its tensors in graph order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from statistics import median

from litebundle.build.cascade_report import ALL, CascadeReport, StageDrift
from litebundle.report.scale import Scale, scale_over
from quantize import Drift
from quantize.drift.result import TensorDrift

WORST_TENSORS = 8
MAX_ROWS = 300
# Bars of a model of few tensors would be as wide as walls.
FEWEST_SLOTS = 16
GOOD_SQNR_DB = 40.0


@dataclass(frozen=True)
class Bar:
    """A tensor in graph order, as a bar from 0 dB to its SQNR; its sides in percent of the plot, `top` from above.

    `output`: it is an output of the model. `tone`: "identical" or "dead" where the SQNR is infinite, "beyond" where
    it passes the axis, else "".
    """

    tensor: TensorDrift
    output: bool
    left: float
    width: float
    top: float
    height: float
    tone: str


@dataclass(frozen=True)
class OutputByKind:
    """One output of a stage, its drift by kind; `all` is the first."""

    tensor: str
    rows: tuple[StageDrift, ...]


@dataclass(frozen=True)
class StageTensors:
    """`outputs` and `worst` from the largest loss to the smallest; `listed` are tensors in graph order, at most
    MAX_ROWS of them.
    """

    stage: str
    drift: Drift
    outputs: tuple[TensorDrift, ...]
    worst: tuple[TensorDrift, ...]
    listed: tuple[TensorDrift, ...]
    bars: tuple[Bar, ...]
    tensors_per_bar: int
    scale: Scale
    by_kind: tuple[OutputByKind, ...]

    @property
    def identical(self) -> bool:
        return all(bar.tone == "identical" for bar in self.bars)


def stage_tensors(drifts: Mapping[str, Drift], cascade: CascadeReport | None) -> tuple[StageTensors, ...]:
    rows = cascade.stage_drift if cascade else ()
    return tuple(_stage(name, drift, [row for row in rows if row.stage == name]) for name, drift in drifts.items())


def _stage(name: str, drift: Drift, rows: Iterable[StageDrift]) -> StageTensors:
    per_bar = max(1, ceil(len(drift.tensors) / MAX_ROWS))
    drawn = [(tensor, False) for tensor in _worst_of_each(drift.tensors, per_bar)]
    drawn += [(tensor, True) for tensor in drift.outputs]
    scale = _scale([tensor.sqnr_db for tensor, _ in drawn if isfinite(tensor.sqnr_db)])
    slot = 100 / max(len(drawn), FEWEST_SLOTS)
    by_tensor: dict[str, list[StageDrift]] = {}
    for row in rows:
        by_tensor.setdefault(row.tensor, []).append(row)
    return StageTensors(
        stage=name,
        drift=drift,
        outputs=_worst_first(drift.outputs),
        worst=_worst_first(drift.tensors)[:WORST_TENSORS],
        listed=drift.tensors[:MAX_ROWS],
        bars=tuple(_bar(tensor, output, place * slot, slot, scale) for place, (tensor, output) in enumerate(drawn)),
        tensors_per_bar=per_bar,
        scale=scale,
        by_kind=tuple(
            OutputByKind(tensor, tuple(sorted(found, key=lambda row: row.kind != ALL)))
            for tensor, found in by_tensor.items()
        ),
    )


def _worst_first(tensors: Iterable[TensorDrift]) -> tuple[TensorDrift, ...]:
    return tuple(sorted(tensors, key=lambda tensor: tensor.sqnr_db))


def _worst_of_each(tensors: Sequence[TensorDrift], count: int) -> list[TensorDrift]:
    groups = (tensors[start : start + count] for start in range(0, len(tensors), count))
    return [min(group, key=lambda tensor: tensor.sqnr_db) for group in groups]


def _scale(sqnr_db: list[float]) -> Scale:
    """Up to twice the median: a few nearly equal tensors, the input above all, would flatten all others."""
    most = max(GOOD_SQNR_DB, 2 * median(sqnr_db)) if sqnr_db else GOOD_SQNR_DB
    return scale_over(min(value, most) for value in sqnr_db)


def _bar(tensor: TensorDrift, output: bool, left: float, slot: float, scale: Scale) -> Bar:
    # Narrow bars touch, or their gaps would be all that is seen.
    width = slot * (0.75 if slot > 0.6 else 1.0)
    zero, end = scale.at(0.0), scale.at(tensor.sqnr_db)
    return Bar(
        tensor=tensor,
        output=output,
        left=round(left, 3),
        width=round(width, 3),
        top=round(100 - max(zero, end), 2),
        height=round(max(1.0, abs(end - zero)), 2),
        tone=_tone(tensor.sqnr_db, scale),
    )


def _tone(sqnr_db: float, scale: Scale) -> str:
    if not isfinite(sqnr_db):
        return "identical" if sqnr_db > 0 else "dead"
    return "beyond" if sqnr_db > scale.high else ""
