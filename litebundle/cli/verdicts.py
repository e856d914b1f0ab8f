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
            "/".join(filter(None, (verdict.stage, verdict.requirement, verdict.metric))),
            verdict.verdict.replace("_", " "),
            _figure(verdict.measured, verdict.unit),
            _interval(verdict.low, verdict.high),
            _figure(verdict.limit, verdict.unit),
            verdict.samples or "",
        )
        for verdict in verdicts
    ]
    print_table("requirements and budgets", ("what", "verdict", "measured", "95 % interval", "limit", "samples"), rows)


def _figure(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.4g} {unit}".rstrip()


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.4g} to {high:.4g}"
