"""The answer on top of the page."""

from __future__ import annotations

from dataclasses import dataclass

from litebundle.device.gate import Budget, Comparison, Gate
from litebundle.report.scale import Scale, scale_over
from litebundle.requirements import ON_THE_PHONE

_NAMES = {ON_THE_PHONE: "capture to display, 90th percentile"}


@dataclass(frozen=True)
class Row:
    """A requirement, or the comparison with an earlier run, as a line with a strip."""

    outcome: str
    word: str
    what: str
    measured: str
    asked: str
    reason: str
    value: float | None
    low: float | None
    high: float | None
    limit: float | None
    scale: Scale | None


def sentence(gate: Gate) -> str:
    """What the outcome means, in words."""
    restarts = f"{len(gate.restarts)} process restart{'s' if len(gate.restarts) > 1 else ''}"
    return {
        "pass": f"Over {restarts}, the numbers are valid and everything that was asked holds.",
        "fail": f"Over {restarts}, something that was asked does not hold.",
        "refused": "The numbers below are void: do not quote them. The reasons, and what to do:",
        "undecided": f"{restarts[0].upper()}{restarts[1:]}: the numbers are valid, but too few to decide.",
    }[gate.outcome]


def rows(gate: Gate) -> list[Row]:
    """The budgets, then the comparison."""
    return [*(_budget(budget) for budget in gate.budgets), *([_against(gate.against)] if gate.against else [])]


def _budget(budget: Budget) -> Row:
    word = {"pass": "held", "fail": "fell short", "refused": "void", "undecided": "cannot say"}[budget.verdict]
    unit = " ms" if budget.name.endswith("_ms") else ""
    values = [budget.measured, budget.high, 1.15 * budget.limit]
    return Row(
        outcome=budget.verdict,
        word=word,
        what=_NAMES.get(budget.name, budget.name),
        measured=_measured(budget, unit),
        asked=f"at most {budget.limit:g}{unit} is asked",
        reason="" if budget.low is None else f"95 % bounds {budget.low:.4g} and {budget.high:.4g}{unit}",
        value=budget.measured,
        low=budget.low,
        high=budget.high,
        limit=budget.limit,
        scale=None if budget.measured is None else scale_over(values),
    )


def _measured(budget: Budget, unit: str) -> str:
    if budget.verdict == "refused":
        return "no number to quote"
    return "not measured" if budget.measured is None else f"{budget.measured:.4g}{unit}"


def _against(found: Comparison) -> Row:
    outcome = {"worse": "fail", "not worse": "pass", "undecided": "undecided"}[found.verdict]
    values = [found.change_ms, found.low_ms, found.high_ms, 1.3 * (found.margin_ms or 0)]
    return Row(
        outcome=outcome,
        word=found.verdict,
        what=f"against {found.folder}",
        measured="not compared" if found.change_ms is None else f"{found.change_ms:+.1f} ms",
        asked="" if found.margin_ms is None else f"less than {found.margin_ms:+.1f} ms is asked",
        reason=found.reason,
        value=found.change_ms,
        low=found.low_ms,
        high=found.high_ms,
        limit=found.margin_ms,
        scale=None if found.change_ms is None else scale_over(values),
    )
