"""What quantizing cost end to end, one panel per task metric."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from litebundle.build.cascade_report import ALL, CascadeReport, Comparison
from litebundle.build.variants import FLOAT, QUANTIZED
from litebundle.build.verdict import MIN_SAMPLES
from litebundle.bundle import Verdict
from litebundle.metrics import METRICS
from litebundle.report.scale import Scale, scale_over
from litebundle.report.verdicts import BUDGET, METRIC


@dataclass(frozen=True)
class Cell:
    """A comparison and what to make of it.

    `tone`: "worse" or "better" where the whole interval is on one side of no change, "few" where there are too
    few samples to say anything, else "".
    """

    figures: Comparison
    tone: str


@dataclass(frozen=True)
class LossRow:
    """`limit`: the stage's budget for this metric, if it has one."""

    label: str
    cell: Cell
    limit: float | None = None


@dataclass(frozen=True)
class KindRow:
    """One kind: the float pipeline, then each variant, in the report's order."""

    kind: str
    samples: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Panel:
    """One metric. `requirement` is the bound on its score; `whole` compares the quantized pipeline on all samples."""

    metric: str
    better: str
    requirement: float | None
    whole: Cell
    by_variant: tuple[LossRow, ...]
    by_kind: tuple[KindRow, ...]
    loss_scale: Scale
    score_scale: Scale


def panels(report: CascadeReport, verdicts: Iterable[Verdict]) -> tuple[Panel, ...]:
    """One panel per metric; those that a requirement asks for come first, then those of budgets."""
    verdicts = tuple(verdicts)
    required = {verdict.metric for verdict in verdicts if verdict.requirement == METRIC}
    asked = {verdict.metric for verdict in verdicts}
    metrics = sorted(report.metrics, key=lambda metric: (metric not in required, metric not in asked))
    return tuple(_panel(metric, report, verdicts) for metric in metrics)


def _panel(metric: str, report: CascadeReport, verdicts: tuple[Verdict, ...]) -> Panel:
    mine = [verdict for verdict in verdicts if verdict.metric == metric]
    budgets = {verdict.stage: verdict.limit for verdict in mine if verdict.requirement == BUDGET}
    requirement = next((verdict.limit for verdict in mine if verdict.requirement == METRIC), None)
    changed = [variant for variant in report.variants if variant != FLOAT]
    by_variant = tuple(
        LossRow(variant, _cell(report.comparison(metric, variant)), budgets.get(variant)) for variant in changed
    )
    kinds = [(ALL, sum(kind.samples for kind in report.kinds)), *((k.kind, k.samples) for k in report.kinds)]
    by_kind = tuple(
        KindRow(kind, count, tuple(_cell(report.comparison(metric, variant, kind)) for variant in report.variants))
        for kind, count in kinds
    )
    losses = [row.cell for row in by_variant] + [_cell(report.comparison(metric, QUANTIZED, k)) for k, _ in kinds]
    scores = [report.comparison(metric, variant, kind) for variant in (FLOAT, QUANTIZED) for kind, _ in kinds]
    known = METRICS.get(metric)
    return Panel(
        metric=metric,
        better=known.better if known else "higher",
        requirement=requirement,
        whole=_cell(report.comparison(metric, QUANTIZED)),
        by_variant=by_variant,
        by_kind=by_kind,
        loss_scale=scale_over(
            [
                *budgets.values(),
                *(
                    edge
                    for cell in losses
                    for edge in (cell.figures.drop_low, cell.figures.drop, cell.figures.drop_high)
                ),
            ]
        ),
        score_scale=scale_over(
            [edge for c in scores for edge in (c.score_low, c.score, c.score_high)] + [requirement],
            include=next((c.score for c in scores if c.score is not None), 0.0),
        ),
    )


def _cell(figures: Comparison) -> Cell:
    if figures.drop_low is None or figures.drop_high is None:
        return Cell(figures, "")
    if figures.samples < MIN_SAMPLES:
        return Cell(figures, "few")
    return Cell(figures, "worse" if figures.drop_low > 0 else "better" if figures.drop_high < 0 else "")
