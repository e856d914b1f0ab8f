"""Whether the quantized pipeline keeps its budgets and meets its requirements: pass, fail, or cannot say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from litebundle.build.cascade_report import CascadeReport, Comparison
from litebundle.build.variants import FLOAT, QUANTIZED
from litebundle.errors import LitebundleError
from litebundle.metrics import METRICS
from litebundle.pipeline import Budget, Metric, Pipeline

MIN_SAMPLES = 20
# Scores are ratios of sums: two orders of adding up differ in the last digits.
_ROUNDING = 1e-12

Outcome = Literal["pass", "fail", "not_enough_samples"]


@dataclass(frozen=True)
class Verdict:
    """One budget or requirement, judged.

    `requirement` is "budget" or "metric". For a budget `stage` is set and `measured` is the drop of the
    metric when that stage alone is quantized; for a requirement `measured` is the quantized pipeline's score.
    `low` and `high` are its 95 % interval, None without samples. `reason` says in a sentence how the verdict
    came about, `notes` what a reader should know besides.
    """

    requirement: str
    stage: str | None
    metric: str
    limit: float
    measured: float | None
    low: float | None
    high: float | None
    samples: int
    verdict: Outcome
    reason: str
    notes: tuple[str, ...]


def judge(pipeline: Pipeline, report: CascadeReport) -> tuple[Verdict, ...]:
    """Every metric requirement, then every stage's budgets, in the order of pipeline.toml."""
    requirements = [judge_requirement(metric, report) for metric in pipeline.requirements.metric]
    budgets = [judge_budget(stage.name, budget, report) for stage in pipeline.stages for budget in stage.budget]
    return (*requirements, *budgets)


def judge_budget(stage: str, budget: Budget, report: CascadeReport) -> Verdict:
    """The loss of the metric with this stage alone quantized against ``max_drop``.

    A stage that quantizing left as it was (scheme "none") loses nothing by construction: it is judged on the
    float variant, whose drop is 0.
    """
    variant = stage if stage in report.variants else FLOAT
    found = _comparison(report, budget.metric, variant, f"stage '{stage}': budget")
    outcome, reason = decide(found.drop, found.drop_low, found.drop_high, limit=budget.max_drop, samples=found.samples)
    over = [
        f"kind '{kind.kind}' alone loses {entry.drop:.4g}, more than {budget.max_drop:g}, on {entry.samples} samples"
        for kind in report.kinds
        for entry in [report.comparison(budget.metric, variant, kind.kind)]
        if entry.drop is not None and entry.drop > budget.max_drop
    ]
    return Verdict(
        requirement="budget",
        stage=stage,
        metric=budget.metric,
        limit=budget.max_drop,
        measured=found.drop,
        low=found.drop_low,
        high=found.drop_high,
        samples=found.samples,
        verdict=outcome,
        reason=f"{budget.metric} drops by {reason}",
        notes=(*_few(report, budget.metric, variant), *over),
    )


def judge_requirement(requirement: Metric, report: CascadeReport) -> Verdict:
    """The quantized pipeline's score against the bound the service asked for."""
    found = _comparison(report, requirement.name, QUANTIZED, "requirements")
    limit = requirement.max if requirement.max is not None else requirement.min
    assert limit is not None, "pipeline.toml's rules give every metric one bound"
    # A lower bound on the score is an upper bound on its negative.
    sign = 1.0 if requirement.max is not None else -1.0
    low, high = (found.score_low, found.score_high)[:: int(sign)]
    figures = (None if figure is None else sign * figure for figure in (found.score, low, high))
    outcome, reason = decide(*figures, limit=sign * limit, samples=found.samples, sign=sign)
    return Verdict(
        requirement="metric",
        stage=None,
        metric=requirement.name,
        limit=limit,
        measured=found.score,
        low=found.score_low,
        high=found.score_high,
        samples=found.samples,
        verdict=outcome,
        reason=f"{requirement.name} is {reason}",
        notes=_few(report, requirement.name, QUANTIZED),
    )


def decide(
    measured: float | None,
    low: float | None,
    high: float | None,
    *,
    limit: float,
    samples: int,
    sign: float = 1.0,
) -> tuple[Outcome, str]:
    """The three-valued rule for "measured must not exceed limit", and the reason in words.

    1. Fewer than 20 samples: not_enough_samples, whatever they show. A bootstrap knows only the values it was
    given; on a handful it is far too sure of itself (on one sample its interval has no width at all). 2. The
    whole interval at or below the limit: pass. The claim that ships is "at most this much", so it takes the
    interval's far end to carry it; a good average that noise may have made is not enough. 3. The best
    estimate above the limit: fail, even where the interval reaches below it. Passing would be a bet against
    the evidence, and whoever ships may not profit from having measured little. An interval that lies above
    the limit as a whole is the clear case of this. 4. Else the estimate holds the limit and its interval does
    not: not_enough_samples. More samples narrow the interval until 2 or 3 applies.

    ``sign`` -1 says that the figures were negated (a lower bound), so that the words show them as they are.
    """
    if measured is None or low is None or high is None:
        return "not_enough_samples", "not measured: no sample asks anything of it; add samples with such answers"
    shown = sorted((sign * low, sign * high))
    bound = "at most" if sign > 0 else "at least"
    said = (
        f"{sign * measured:.4g} (95 % interval {shown[0]:.4g} to {shown[1]:.4g}, {samples} samples),"
        f" {bound} {sign * limit:g} is asked"
    )
    if samples < MIN_SAMPLES:
        return "not_enough_samples", f"{said}; fewer than {MIN_SAMPLES} samples judge nothing, add some"
    if high <= limit + _ROUNDING:
        return "pass", f"{said}; the whole interval holds it"
    if measured > limit + _ROUNDING:
        clear = "the whole interval" if low > limit else "the best estimate"
        return "fail", f"{said}; {clear} breaks it"
    return "not_enough_samples", f"{said}; the estimate holds it, its interval does not: add samples"


def _comparison(report: CascadeReport, metric: str, variant: str, owner: str) -> Comparison:
    if metric not in report.metrics:
        wanted = " or ".join(METRICS[metric].fields)
        raise LitebundleError(
            f"{owner} on metric '{metric}', which needs the field {wanted} in the pipeline's results and in the"
            f" answers of the validate set; measured are {', '.join(report.metrics) or 'none'}; choose one of those"
            " or add the field"
        )
    return report.comparison(metric, variant)


def _few(report: CascadeReport, metric: str, variant: str) -> tuple[str, ...]:
    counts = {kind.kind: report.comparison(metric, variant, kind.kind).samples for kind in report.kinds}
    return tuple(
        f"kind '{kind}' has {count} samples; below {MIN_SAMPLES} its own figures are only a hint"
        for kind, count in counts.items()
        if count < MIN_SAMPLES
    )
