"""What this host takes for a photo: shown in the report, and never in the bundle, since a clock made it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from litebundle.files import digest_file
from litebundle.run import Runner, read_image


@dataclass(frozen=True)
class Latency:
    """Exact percentiles (nearest rank) of raw samples, in milliseconds."""

    p50_ms: float
    p90_ms: float
    max_ms: float


@dataclass(frozen=True)
class Measurements:
    """Photo in memory to result, one model thread, after warm-up.

    `stages` sums a stage's runs within one photo; `samples_ms` are the raw totals, in the photos' order.
    `bundle_sha256` is the file that was measured. `figures` answer the requirements of the same names; memory is the
    peak of a process that opens the bundle and runs one photo, Python included.
    """

    bundle_sha256: str
    machine: str
    photos: int
    total: Latency
    glue: Latency
    stages: Mapping[str, Latency]
    samples_ms: tuple[float, ...]
    figures: Mapping[str, float]


def measure(
    bundle: Path, runner: Runner, photos: Collection[Path], stages: Sequence[str], advance: Callable[[int], None]
) -> Measurements:
    """Run every photo once, the first twice: its first run warms the models up and is not counted."""
    paths = list(photos)
    runner.run(read_image(paths[0]))
    results = []
    for path in paths:
        results.append(runner.run(read_image(path)))
        advance(1)
    totals = [result.total_ms for result in results]
    total = _latency(totals)
    return Measurements(
        bundle_sha256=digest_file(bundle),
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        photos=len(results),
        total=total,
        glue=_latency([result.glue_ms for result in results]),
        stages={name: _latency([result.stage_ms.get(name, 0.0) for result in results]) for name in stages},
        samples_ms=tuple(totals),
        figures={
            "offline_latency_p90_ms": total.p90_ms,
            "qps": 1000 * len(totals) / sum(totals),
            "memory_mb": _peak_memory_mb(bundle, paths[0]),
        },
    )


def percentile(values: Collection[float], percent: float) -> float:
    """The smallest value that at least `percent` of them do not exceed (nearest rank); `values` is not empty."""
    ordered = sorted(values)
    return ordered[max(0, ceil(percent / 100 * len(ordered)) - 1)]


def _latency(values: Collection[float]) -> Latency:
    return Latency(percentile(values, 50), percentile(values, 90), max(values))


def _peak_memory_mb(bundle: Path, photo: Path) -> float:
    command = [sys.executable, "-m", "litebundle", "run", str(bundle), str(photo), "--json"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"'litebundle run' on the new bundle ended with {process.returncode}")
    kilobytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return kilobytes * 1024 / 1e6
