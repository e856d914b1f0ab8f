"""The table of verdicts that several verbs show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from litebundle.cli.output import print_table

if TYPE_CHECKING:
    from litebundle.bundle import Verdict


def print_verdicts(verdicts: Sequence[Verdict]) -> None:
    """One row per requirement and budget."""
    if not verdicts:
        click.echo("no requirements and no budgets\n")
        return
    rows = [
        (
            _name(verdict),
            verdict.verdict.replace("_", " "),
            _figure(verdict.measured, verdict.unit),
            _interval(verdict.low, verdict.high),
            _figure(verdict.limit, verdict.unit),
            verdict.samples or "",
        )
        for verdict in verdicts
    ]
    print_table("requirements and budgets", ("what", "verdict", "measured", "95 % interval", "limit", "samples"), rows)


def _name(verdict: Verdict) -> str:
    """What a stage may lose is told by the stage, what the whole must reach by the metric or requirement alone."""
    name = verdict.metric or verdict.requirement
    return f"{verdict.stage}: {name}" if verdict.stage else name


def _figure(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.3g} {unit}".rstrip()


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.2g} to {high:.2g}"
