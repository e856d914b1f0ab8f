"""The answer on top: whether everything that was asked holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from litebundle.build.cascade_report import CascadeReport
from litebundle.build.variants import FLOAT
from litebundle.build.verdict import Verdict as Judgement
from litebundle.bundle import Bundle, Verdict
from litebundle.metrics import METRICS
from litebundle.report import figures
from litebundle.report.documents import Documents
from litebundle.report.scale import Scale, scale_over
from litebundle.requirements import ON_THE_PHONE, RULES, hold

BUDGET = "budget"
METRIC = "metric"
_WORDS = {
    "pass": "held",
    "fail": "fell short",
    "not_enough_samples": "cannot say",
    "not_measured": "not measured",
}
_GRAVEST_FIRST = ("fail", "not_enough_samples", "pass", "not_measured")


@dataclass(frozen=True)
class Row:
    """One requirement or budget; `bound` says on which side of the limit the figure must lie."""

    what: str
    outcome: str
    word: str
    measured: str
    interval: str
    limit: str
    samples: int
    reason: str
    notes: tuple[str, ...]
    bound: Literal["at most", "at least"]
    figures: Verdict
    scale: Scale | None


@dataclass(frozen=True)
class Headline:
    """`outcome` is that of the row which decides."""

    outcome: str
    word: str
    sentence: str
    rows: tuple[Row, ...]


def headline(bundle: Bundle, documents: Documents, measured: Mapping[str, Any] | None) -> Headline:
    """All rows, the gravest first, and what they come to.

    Args:
        bundle: Its manifest and size are judged.
        documents: Reasons, and what the float pipeline reaches.
        measured: `measurements_beside`.
    """
    verdicts = hold(bundle.manifest, bundle.size_bytes, measured)
    rows = tuple(
        sorted(
            (_row(verdict, documents) for verdict in verdicts),
            key=lambda row: _GRAVEST_FIRST.index(row.outcome),
        )
    )
    counts = Counter(row.outcome for row in rows)
    if not rows:
        return Headline(
            "not_measured",
            "nothing was asked",
            "The pipeline states no requirement and no budget; read on for what quantizing cost.",
            rows,
        )
    outcome = next(name for name in _GRAVEST_FIRST if counts[name])
    parts = [f"{counts[name]} {word}" for name, word in _WORDS.items() if counts[name]]
    plural = "requirements and budgets" if len(rows) > 1 else "requirement or budget"
    return Headline(outcome, _WORDS[outcome], f"{len(rows)} {plural}: {', '.join(parts)}.", rows)


def _judgement(verdict: Verdict, judgements: Sequence[Judgement]) -> Judgement | None:
    key = (verdict.requirement, verdict.stage, verdict.metric, verdict.limit)
    return next((j for j in judgements if (j.requirement, j.stage, j.metric, j.limit) == key), None)


def _row(verdict: Verdict, documents: Documents) -> Row:
    judgement = _judgement(verdict, documents.judgements)
    form = {BUDGET: figures.loss, METRIC: figures.score}.get(verdict.requirement, figures.general)

    unit = f" {verdict.unit}" if verdict.unit else ""
    interval = "" if verdict.low is None or verdict.high is None else f"{form(verdict.low)} … {form(verdict.high)}"
    # Room beyond the limit, so that it does not look like the end of the axis.
    values = [verdict.measured, verdict.low, verdict.high, 1.15 * (verdict.limit or 0.0)]
    return Row(
        what=_what(verdict),
        outcome=verdict.verdict,
        word=_WORDS[verdict.verdict],
        measured=figures.NONE if verdict.measured is None else form(verdict.measured) + unit,
        interval=interval,
        limit=figures.general(verdict.limit) + unit,
        samples=verdict.samples,
        reason="; ".join(filter(None, (_reason(verdict, judgement), _in_float(verdict, documents.cascade)))),
        notes=judgement.notes if judgement else (),
        bound=_bound(verdict),
        figures=verdict,
        scale=scale_over(values) if verdict.measured is not None else None,
    )


def _what(verdict: Verdict) -> str:
    if verdict.requirement == BUDGET:
        return f"{verdict.stage}: loss of {verdict.metric} by quantizing it alone"
    if verdict.requirement == METRIC:
        return f"{verdict.metric} of the quantized pipeline"
    return {
        "bundle_mb": "size of the bundle",
        "memory_mb": "peak memory on the host",
        "offline_latency_p90_ms": "latency on the host, 90th percentile",
        "qps": "photos per second on the host",
        ON_THE_PHONE: "capture to display on the phone, 90th percentile",
    }.get(verdict.requirement, verdict.requirement)


def _bound(verdict: Verdict) -> Literal["at most", "at least"]:
    if verdict.requirement in RULES:
        return RULES[verdict.requirement].bound
    metric = METRICS.get(verdict.metric or "")
    return "at least" if verdict.requirement == METRIC and metric and metric.better == "higher" else "at most"


def _reason(verdict: Verdict, judgement: Judgement | None) -> str:
    if judgement:
        # Without the figures before it, which the row shows itself.
        _, asked, conclusion = judgement.reason.partition(" is asked; ")
        return conclusion if asked else judgement.reason
    if verdict.requirement == ON_THE_PHONE:
        return "only a phone can measure it"
    if verdict.verdict == "not_measured":
        return "no measurements lie beside the bundle; build it on this machine to get them"
    return ""


def _in_float(verdict: Verdict, cascade: CascadeReport | None) -> str:
    """Whether a bound on a metric is quantization's to keep, or out of the float pipeline's reach already."""
    if verdict.requirement != METRIC or verdict.limit is None or not cascade or verdict.metric not in cascade.metrics:
        return ""
    reached = cascade.comparison(verdict.metric, FLOAT).score
    if reached is None:
        return ""
    broken = reached > verdict.limit if _bound(verdict) == "at most" else reached < verdict.limit
    return f"the float pipeline has {figures.score(reached)}" + (", which breaks it already" if broken else "")
