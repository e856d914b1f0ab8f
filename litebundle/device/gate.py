"""The decision over the restarts of a run: do its budgets hold, and is it worse than an earlier one?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from litebundle.device.result import Percentiles, Reason, RunResult
from litebundle.device.statistics import Figure, difference, over_restarts
from litebundle.requirements import ON_THE_PHONE

RESTARTS = 3
MARGIN_SHARE, MARGIN_MS = 0.05, 1.0
# Rules of the app whose breach leaves a run's numbers valid: one run alone was too short to decide a requirement.
_UNDECIDED = frozenset({"requirement_undecided"})
# Recorded frames are no capture to display, but the same frames now and then.
_COMPARABLE = _UNDECIDED | {"not_captured"}

Outcome = Literal["pass", "fail", "refused", "undecided"]


@dataclass(frozen=True)
class Why:
    """A reason; `code` is a rule's name."""

    code: str
    text: str


@dataclass(frozen=True)
class Budget:
    """A requirement of the bundle over all restarts; `low` and `high`, where there are any: one-sided 95 % bounds."""

    name: str
    limit: float
    measured: float | None
    low: float | None
    high: float | None
    verdict: Outcome


@dataclass(frozen=True)
class Comparison:
    """Capture-to-display latency (p90, ms) against an earlier run: `change_ms` = now − then.

    `low_ms` and `high_ms` are one-sided 95 % bounds; all are None where the two cannot be compared.
    """

    folder: str
    verdict: Literal["worse", "not worse", "undecided"]
    reason: str
    then_ms: float | None = None
    change_ms: float | None = None
    low_ms: float | None = None
    high_ms: float | None = None
    margin_ms: float | None = None


@dataclass(frozen=True)
class Restart:
    """One process restart; the app's own verdict on it."""

    run: str
    verdict: Literal["pass", "fail", "refused"]
    captured: int
    presented: int
    p50_ms: float | None
    p90_ms: float | None


@dataclass(frozen=True)
class Gate:
    """What the restarts come to. `p90_ms` is capture to display, with one-sided 95 % bounds that are widened by what
    clocks and stamps leave open.
    """

    outcome: Outcome
    reasons: tuple[Why, ...]
    p90_ms: float | None
    low_ms: float | None
    high_ms: float | None
    restarts: tuple[Restart, ...]
    budgets: tuple[Budget, ...]
    against: Comparison | None

    @property
    def held(self) -> bool:
        return self.outcome == "pass"


def decide(runs: Sequence[RunResult], earlier: Sequence[RunResult] = (), folder: Path | None = None) -> Gate:
    """Judge the restarts of a run, and compare it with an earlier one.

    Restarts of different bundles, phones or kinds are refused: they are no restarts of one run.

    Args:
        runs: At least one.
        earlier: The restarts of the earlier run; empty: there is nothing to compare with.
        folder: Where those lie.
    """
    figure = _figure(runs)
    budgets = _budgets(runs, figure)
    against = _compare(runs, earlier, str(folder)) if earlier else None
    reasons = _reasons(runs, budgets, against)
    return Gate(
        outcome=next((outcome for outcome in ("refused", "fail", "undecided") if reasons[outcome]), "pass"),
        reasons=tuple(why for outcome in ("refused", "fail", "undecided") for why in reasons[outcome]),
        p90_ms=figure.value if figure else None,
        low_ms=figure.low - _earlier_ms(runs) if figure else None,
        high_ms=figure.high + _later_ms(runs) if figure else None,
        restarts=tuple(_restart(run) for run in runs),
        budgets=budgets,
        against=against,
    )


def _figure(runs: Sequence[RunResult]) -> Figure | None:
    """None if a restart has no steady state to take samples from, or they are no restarts of one run."""
    if _differences(runs, _ALIKE):
        return None
    samples = [run.samples.steady_ms for run in runs]
    return over_restarts(samples) if all(len(each) for each in samples) else None


def _restart(run: RunResult) -> Restart:
    report = run.report
    latency = report.latency.exposure_mid_to_present_ms
    return Restart(
        report.run.id,
        report.verdict.state,
        report.frames.captured,
        report.frames.presented,
        latency.p50.value if latency else None,
        latency.p90.value if latency else None,
    )


def _budgets(runs: Sequence[RunResult], figure: Figure | None) -> tuple[Budget, ...]:
    names = list(dict.fromkeys(asked.name for run in runs for asked in run.report.requirements))
    return tuple(_budget(name, runs, figure if name == ON_THE_PHONE else None) for name in names)


def _budget(name: str, runs: Sequence[RunResult], figure: Figure | None) -> Budget:
    """Latency over all restarts at once; any other requirement as in the restart that holds it least."""
    asked = [each for run in runs for each in run.report.requirements if each.name == name]
    limit = min(each.limit for each in asked)
    if any(run.doubts - _UNDECIDED for run in runs) or len(asked) < len(runs) or _differences(runs, _ALIKE):
        return Budget(name, limit, None, None, None, "refused")
    if figure:
        low, high = figure.low - _earlier_ms(runs), figure.high + _later_ms(runs)
        verdict: Outcome = "pass" if high <= limit else "fail" if figure.value > limit else "undecided"
        return Budget(name, limit, figure.value, low, high, verdict)
    worst = next(each for verdict in ("fail", "refused", "pass") for each in asked if each.verdict == verdict)
    outcome: Outcome = "undecided" if worst.verdict == "refused" else worst.verdict
    return Budget(name, limit, worst.measured, worst.low, worst.high, outcome)


def _earlier_ms(runs: Sequence[RunResult]) -> float:
    """By how much results may have come earlier than their stamps and clocks say: that of the least certain restart."""
    return max(
        _clock_ms(run) + _p90(latency.exposure_mid_to_present_ms) - _p90(latency.exposure_mid_to_present_earliest_ms)
        for run in runs
        if (latency := run.report.latency)
    )


def _later_ms(runs: Sequence[RunResult]) -> float:
    return max(
        _clock_ms(run) + _p90(latency.exposure_mid_to_present_latest_ms) - _p90(latency.exposure_mid_to_present_ms)
        for run in runs
        if (latency := run.report.latency)
    )


def _clock_ms(run: RunResult) -> float:
    return run.report.clock.error_ns / 1e6


def _p90(figures: Percentiles | None) -> float:
    return figures.p90.value if figures else 0.0


def _compare(runs: Sequence[RunResult], earlier: Sequence[RunResult], folder: str) -> Comparison:
    if reason := _incomparable(runs, earlier):
        return Comparison(folder, "undecided", reason)
    new, old = _figure(runs), _figure(earlier)
    if not new or not old:
        return Comparison(folder, "undecided", "a restart has no steady state")
    change = difference(new, old)
    margin = max(MARGIN_MS, MARGIN_SHARE * old.value)
    verdict: Literal["worse", "not worse", "undecided"]
    told = f"p90 changed by {change.value:+.1f} ms ({change.low:+.1f} to {change.high:+.1f} ms)"
    if change.high <= margin:
        verdict, reason = "not worse", f"{told}: more than {margin:.1f} ms slower is ruled out"
    elif change.low > 0:
        verdict, reason = "worse", f"{told}: it is slower, and by more than {margin:.1f} ms is not ruled out"
    else:
        verdict, reason = "undecided", f"{told}: neither slower nor within {margin:.1f} ms is shown; add restarts"
    return Comparison(folder, verdict, reason, old.value, change.value, change.low, change.high, margin)


def _incomparable(runs: Sequence[RunResult], earlier: Sequence[RunResult]) -> str:
    """Why the two have no common measure; empty if they have."""
    if min(len(runs), len(earlier)) < RESTARTS:
        return f"{RESTARTS} restarts are needed on both sides, there are {len(runs)} now and {len(earlier)} then"
    if doubts := frozenset[str]().union(*(run.doubts for run in (*runs, *earlier))) - _COMPARABLE:
        return f"the numbers of a restart are void ({', '.join(sorted(doubts))})"
    if inner := _differences(runs, _ALIKE) or _differences(earlier, _ALIKE):
        return f"the restarts of one side differ in {inner}"
    differences = _differences((*runs, *earlier), _SAME)
    return f"they differ in {differences}" if differences else ""


def _differences(runs: Sequence[RunResult], what: Mapping[str, Callable[[RunResult], str]]) -> str:
    """In what they differ, each with the values found; empty if in nothing."""
    found = {name: sorted({of(run) for run in runs}) for name, of in what.items()}
    return "; ".join(f"{name}: {', '.join(values)}" for name, values in found.items() if len(values) > 1)


# What two runs need in common to be compared.
_SAME: Mapping[str, Callable[[RunResult], str]] = {
    "bundle": lambda run: run.report.bundle.name,
    "phone": lambda run: f"{run.report.device.manufacturer} {run.report.device.model}",
    "kind of clock": lambda run: "virtual" if run.report.conditions.virtual_clock else "real",
    "kind of run": lambda run: run.report.run.kind,
    "grade of the display's times": lambda run: run.report.display.grade or "none",
}
# What the restarts of one run have in common besides.
_ALIKE: Mapping[str, Callable[[RunResult], str]] = {
    **_SAME,
    "bundle": lambda run: f"{run.report.bundle.name} {run.report.bundle.version} ({run.report.bundle.digest[:12]})",
    "phone": lambda run: f"{_SAME['phone'](run)} (API {run.report.device.sdk})",
    "engine": lambda run: run.report.engine.name,
}


def _reasons(runs: Sequence[RunResult], budgets: Sequence[Budget], against: Comparison | None) -> dict[str, list[Why]]:
    found: dict[str, list[Why]] = {"refused": [], "fail": [], "undecided": []}
    found["refused"] = _refusals(runs)
    for budget in budgets:
        if budget.verdict == "fail":
            found["fail"].append(Why(budget.name, f"{_figure_of(budget)}, at most {budget.limit:g} is asked"))
        elif budget.verdict == "undecided":
            found["undecided"].append(Why(budget.name, _undecided(budget)))
    if against and against.verdict != "not worse":
        kind = "fail" if against.verdict == "worse" else "undecided"
        than = "worse than" if kind == "fail" else "undecided against"
        found[kind].append(Why("against", f"{than} {against.folder}: {against.reason}"))
    if len(runs) < RESTARTS:
        found["undecided"].append(
            Why("few_restarts", f"a gate needs {RESTARTS} process restarts, this run has {len(runs)}")
        )
    return found


def _undecided(budget: Budget) -> str:
    bounds = "" if budget.low is None or budget.high is None else f" ({budget.low:.4g} to {budget.high:.4g})"
    asked = f"at most {budget.limit:g} is asked"
    return f"{_figure_of(budget)}{bounds}, {asked}: too little to decide; measure for longer or add restarts"


def _figure_of(budget: Budget) -> str:
    return "not measured" if budget.measured is None else f"{budget.measured:.4g}"


def _refusals(runs: Sequence[RunResult]) -> list[Why]:
    """Why numbers are void, each reason once, with the restarts that gave it."""
    if differences := _differences(runs, _ALIKE):
        return [Why("different_runs", f"no restarts of one run, they differ in {differences}; give the folder of one")]
    given: dict[tuple[str, str], list[str]] = {}
    for run in runs:
        if run.doubts - _UNDECIDED:
            told = run.report.verdict.reasons or [Reason(code="unexplained", text="the app gave no reason; run again")]
            for reason in told:
                given.setdefault((reason.code, reason.text), []).append(run.report.run.id)
    return [
        Why(code, text if len(names) == len(runs) else f"{text} ({', '.join(names)})")
        for (code, text), names in given.items()
    ]
