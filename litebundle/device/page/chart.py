"""Latency over time: a dot per result, a line per second, heat below; places in a box of 1000 by 100."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from litebundle.device.result import RunResult
from litebundle.report.scale import Scale, scale_over

WIDTH, HEIGHT = 1000, 100
MOST_DOTS = 4000


@dataclass(frozen=True)
class Bar:
    """A stretch of time at one thermal status."""

    status: int | None
    left: float
    width: float


@dataclass(frozen=True)
class Chart:
    """`dots` and `line` are SVG paths; `warm_up` ends at that place; `every`: of so many results one is drawn."""

    run: str
    seconds: Scale
    latency: Scale
    dots: str
    every: int
    line: str
    warm_up: float
    limit: float | None
    heat: tuple[Bar, ...]


def charts(runs: Sequence[RunResult], limit: float | None) -> list[Chart]:
    """One per restart, all on the same axes."""
    shown = [run for run in runs if len(run.samples.at_s)]
    latency = scale_over([limit, *(float(run.samples.latency_ms.max()) for run in shown)])
    seconds = scale_over([float(run.samples.at_s[-1]) for run in shown])
    return [_chart(run, seconds, latency, limit) for run in shown]


def _chart(run: RunResult, seconds: Scale, latency: Scale, limit: float | None) -> Chart:
    samples = run.samples
    every = -(-len(samples.at_s) // MOST_DOTS)
    x = [seconds.at(float(at)) * WIDTH / 100 for at in samples.at_s]
    y = [HEIGHT - latency.at(float(ms)) * HEIGHT / 100 for ms in samples.latency_ms]
    steady = [place for place, is_steady in zip(x, samples.steady, strict=True) if is_steady]
    return Chart(
        run=run.report.run.id,
        seconds=seconds,
        latency=latency,
        dots="".join(f"M{a:.4g} {b:.4g}h0" for a, b in zip(x[::every], y[::every], strict=True)),
        every=every,
        line=_line(run, seconds, latency),
        warm_up=round(steady[0], 1) if steady else WIDTH,
        limit=None if limit is None else HEIGHT - latency.at(limit) * HEIGHT / 100,
        heat=_heat(run, seconds),
    )


def _line(run: RunResult, seconds: Scale, latency: Scale) -> str:
    """p90 per second, drawn in its middle."""
    points = [
        f"{seconds.at(each.second + 0.5) * WIDTH / 100:.4g} {HEIGHT - latency.at(ms) * HEIGHT / 100:.4g}"
        for each in run.report.curve
        if (ms := each.exposure_mid_to_present_p90_ms) is not None
    ]
    return f"M{'L'.join(points)}" if points else ""


def _heat(run: RunResult, seconds: Scale) -> tuple[Bar, ...]:
    """Neighbouring seconds of the same status as one."""
    bars: list[Bar] = []
    for each in run.report.curve:
        left = seconds.at(each.second)
        width = seconds.at(each.second + 1) - left
        if bars and bars[-1].status == each.thermal_status:
            last = bars.pop()
            bars.append(Bar(last.status, last.left, round(left + width - last.left, 2)))
        else:
            bars.append(Bar(each.thermal_status, left, round(width, 2)))
    return tuple(bars)
