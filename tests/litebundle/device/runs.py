"""Made-up runs: files as the app writes them, with latencies of our choice."""

from __future__ import annotations

import csv
import io
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
from scipy import signal

EXAMPLE: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors/harness/report.json").read_text(encoding="utf-8")
)
FRAME_NS = 33_333_333
WARM_UP = 20


def latencies(seed: int, count: int = 600, p50_ms: float = 80.0, restart_ms: float = 0.0) -> np.ndarray:
    """[count] ms: skewed, its neighbours alike (AR(1), 0.6), `restart_ms` the spread between seeds."""
    generator = np.random.default_rng(seed)
    noise = generator.standard_normal(count)
    noise = signal.lfilter([1], [1, -0.6], noise)
    shift = restart_ms * generator.standard_normal()
    return p50_ms + shift + 6 * noise + generator.exponential(5.0, count)


def report(run: str, latency_ms: np.ndarray, /, **changes: Any) -> dict[str, Any]:
    """The example, with these latencies; `changes` replace whole parts of it."""
    made = deepcopy(EXAMPLE) | {"requirements": [], "curve": curve(latency_ms)}
    made["run"] |= {"id": run}
    shown = len(latency_ms)
    dropped = {"busy": shown // 2, "queue": 3, "camera": 1}
    made["frames"] |= {
        "captured": shown + 12 + sum(dropped.values()),
        "presented": shown,
        "superseded": 12,
        "dropped": dropped,
    }
    made["steady_state"] = {"from_frame": WARM_UP}
    steady = latency_ms[WARM_UP:]
    for kind, shift in (("", 0.0), ("_earliest", -0.1), ("_latest", 0.1)):
        made["latency"][f"exposure_mid_to_present{kind}_ms"] = percentiles(steady + shift)
    made["latency"]["exposure_start_to_present_ms"] = percentiles(steady + 8.3)
    return made | changes


def percentiles(samples_ms: np.ndarray) -> dict[str, Any]:
    found = {
        f"p{percent}": float(np.quantile(samples_ms, percent / 100, method="inverted_cdf"))
        for percent in (50, 90, 95, 99)
    }
    return {"count": len(samples_ms)} | {
        name: {"value": value, "low": value - 0.8, "high": value + 0.9} for name, value in found.items()
    }


def curve(latency_ms: np.ndarray) -> list[dict[str, Any]]:
    return [
        {
            "second": second,
            "results": 20,
            "exposure_mid_to_present_p50_ms": float(np.median(latency_ms[20 * second : 20 * second + 20])),
            "exposure_mid_to_present_p90_ms": float(np.quantile(latency_ms[20 * second : 20 * second + 20], 0.9)),
            "thermal_status": 0 if second < 20 else 1,
            "thermal_headroom": 0.4 + second / 100,
        }
        for second in range(len(latency_ms) // 20)
    ]


def samples_csv(latency_ms: np.ndarray) -> bytes:
    """A frame every 50 ms that is presented, and as many rows in between that are not."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(["frame", "outcome", "drop_cause", "exposure_mid_ns", "presented_ns", "display_grade"])
    for i, ms in enumerate(latency_ms):
        exposure = 10**15 + i * 50_000_000
        writer.writerow([i, "presented", "", exposure, exposure + round(ms * 1e6), "A"])
        writer.writerow([10_000 + i, "dropped", "busy", exposure + FRAME_NS, "", ""])
    return stream.getvalue().encode()


def files(run: str, latency_ms: np.ndarray, /, **changes: Any) -> dict[str, bytes]:
    """What the app leaves of a run."""
    return {
        "samples.csv": samples_csv(latency_ms),
        "report.txt": b"a run\n",
        "report.json": json.dumps(report(run, latency_ms, **changes)).encode(),
    }


def write(folder: Path, run: str, latency_ms: np.ndarray, /, **changes: Any) -> Path:
    target = folder / run
    target.mkdir(parents=True)
    for name, data in files(run, latency_ms, **changes).items():
        (target / name).write_bytes(data)
    return target
