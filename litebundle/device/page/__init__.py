"""The HTML report of a run on a phone: one file, no script, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from litebundle.device.gate import RESTARTS, Gate
from litebundle.device.page.chart import charts
from litebundle.device.page.verdict import rows, sentence
from litebundle.device.result import RunResult
from litebundle.report.environment import environment
from litebundle.report.scale import Scale, scale_over

_TEMPLATES = Path(__file__).parent / "templates"
_TONES = {"undecided": "not_enough_samples"}
_WORDS = {"pass": "held", "fail": "fell short", "refused": "refused", "undecided": "cannot say"}
_GRADES = {
    "A": "present fence: when the screen showed it",
    "B": "the compositor's timestamps",
    "C": "when the system expected to show it",
    "D": "a model, the next vsync and one period: no evidence",
}


def render(gate: Gate, runs: Sequence[RunResult]) -> str:
    """The report on the restarts that `gate` was decided on; equal arguments give equal text.

    Raises:
        LitebundleError: jinja2 is not installed.
    """
    template = environment(_TEMPLATES).get_template("run.html")
    return template.render(
        gate=gate,
        tone=_TONES.get(gate.outcome, gate.outcome),
        word=_WORDS[gate.outcome],
        sentence=sentence(gate),
        model=_model(runs[0]),
        unshown=[why for why in gate.reasons if why.code not in {"against", *(each.name for each in gate.budgets)}],
        rows=[(_TONES.get(row.outcome, row.outcome), row) for row in rows(gate)],
        runs=runs,
        first=runs[0].report,
        restarts_needed=RESTARTS,
        latency_scale=_latency_scale(gate, runs),
        charts=charts(runs, _limit(gate)),
        limit=_limit(gate),
        grades=_GRADES,
        words={"pass": "held", "fail": "fell short", "refused": "refused"},
        started=_started(runs[0]),
    )


def _limit(gate: Gate) -> float | None:
    from litebundle.requirements import ON_THE_PHONE

    return next((budget.limit for budget in gate.budgets if budget.name == ON_THE_PHONE), None)


def _latency_scale(gate: Gate, runs: Sequence[RunResult]) -> Scale:
    figures = [run.report.latency.exposure_mid_to_present_ms for run in runs]
    return scale_over([_limit(gate), *(each.p99.high for each in figures if each)])


def _model(run: RunResult) -> str:
    """With its manufacturer, unless the model's name begins with it."""
    phone = run.report.device
    named = phone.model.lower().startswith(phone.manufacturer.lower())
    return phone.model if named else f"{phone.manufacturer} {phone.model}"


def _started(run: RunResult) -> str:
    told = run.report.run.started_utc
    try:
        return f"{datetime.fromisoformat(told).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return told
