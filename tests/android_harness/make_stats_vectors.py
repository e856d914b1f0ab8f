"""Write tests/vectors/stats with numpy: `python -m tests.android_harness.make_stats_vectors`.

The Android harness computes percentiles, block lengths, bootstrap intervals and the end of the warm-up in Kotlin. Here
the same is computed from the papers, over whole arrays. Samples come from a generator written here, so that the
files never change with a library's version.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parents[1] / "vectors" / "stats"
PERCENTS = (50, 90, 95, 99)
REPLICATES = 400
SEED = 7


class SplitMix64:
    """Steele, Lea and Flood 2014; whole numbers below a bound by the high bits."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def next(self) -> int:
        self.state = (self.state + 0x9E3779B97F4A7C15) % 2**64
        z = self.state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        return z ^ (z >> 31)

    def below(self, bound: int) -> int:
        return (self.next() >> 33) * bound >> 31

    def normal(self) -> float:
        return sum(self.next() / 2**64 for _ in range(12)) - 6


def percentile(samples: np.ndarray, percent: int) -> int:
    return int(np.percentile(samples, percent, method="inverted_cdf"))


def block_length(samples: np.ndarray) -> int:
    """Politis and White 2004, section 3, circular bootstrap, as corrected by Patton, Politis and White 2009."""
    count = len(samples)
    centred = samples - samples.mean()
    if count < 2 or not centred.any():
        return 1
    quiet = max(5, int(math.sqrt(math.log10(count))))
    last = min(count - 1, math.ceil(math.sqrt(count)) + quiet)
    covariances = np.correlate(centred, centred, "full")[count - 1 :][: last + 1] / count
    small = np.abs(covariances / covariances[0]) < 2 * math.sqrt(math.log10(count) / count)
    runs = [lag for lag in range(last - quiet + 1) if small[lag + 1 : lag + 1 + quiet].all()]
    found = runs[0] if runs else int(np.flatnonzero(~small)[-1])
    width = min(2 * max(1, found), last)
    lags = np.arange(-width, width + 1)
    weights = np.clip(2 * (1 - np.abs(lags) / width), 0, 1)
    both = covariances[np.abs(lags)]
    slope = float((weights * np.abs(lags) * both).sum())
    spectrum = float((weights * both).sum())
    best = (2 * slope**2 / (4 / 3 * spectrum**2) * count) ** (1 / 3)
    return int(min(max(1, math.ceil(best)), max(1, min(3 * math.sqrt(count), count / 3))))


def bootstrap(samples: np.ndarray, block: int, replicates: int, seed: int) -> dict[str, list[int]]:
    """95 % intervals of the percentiles: Politis and Romano's circular blocks, percentile method."""
    random = SplitMix64(seed)
    count = len(samples)
    starts = np.array([[random.below(count) for _ in range(-(-count // block))] for _ in range(replicates)])
    indices = (starts[:, :, None] + np.arange(block)).reshape(replicates, -1)[:, :count] % count
    resampled = np.percentile(samples[indices], PERCENTS, axis=1, method="inverted_cdf")
    ends = np.quantile(resampled, (0.025, 0.975), axis=1, method="inverted_cdf")
    return {str(percent): [int(end) for end in ends[:, i]] for i, percent in enumerate(PERCENTS)}


def mser5(samples: np.ndarray) -> int | None:
    """White 1997; at least ten batches are left, after Hoad, Robinson and Davies 2010."""
    means = samples[: len(samples) // 5 * 5].reshape(-1, 5).mean(axis=1)
    if len(means) < 20:
        return None
    errors = [np.var(means[cut:]) / len(means[cut:]) for cut in range(len(means) - 9)]
    best = int(np.argmin(errors))
    return 5 * best if best <= len(means) / 2 else None


@dataclass(frozen=True)
class Case:
    """A series of durations in ns."""

    name: str
    note: str
    samples: np.ndarray

    def content(self) -> bytes:
        block = block_length(self.samples)
        document: dict[str, Any] = {
            "case": self.name,
            "note": self.note,
            "samples": [int(sample) for sample in self.samples],
            "percentiles": {str(percent): percentile(self.samples, percent) for percent in PERCENTS},
            "block_length": block,
            "bootstrap": {
                "block": block,
                "replicates": REPLICATES,
                "seed": SEED,
                "intervals": bootstrap(self.samples, block, REPLICATES, SEED),
            },
            "mser5": mser5(self.samples),
        }
        return (json.dumps(document, separators=(",", ":")) + "\n").encode()


def autoregressive(seed: int, count: int, memory: float, centre_ms: float = 80, spread_ms: float = 6) -> np.ndarray:
    """ns; each sample remembers the one before."""
    random = SplitMix64(seed)
    level, samples = 0.0, []
    for _ in range(count):
        level = memory * level + math.sqrt(1 - memory**2) * random.normal()
        samples.append(round((centre_ms + spread_ms * level) * 1e6))
    return np.array(samples, dtype=np.int64)


def cases() -> list[Case]:
    steady = autoregressive(1, 500, 0.0)
    warming = autoregressive(2, 600, 0.3)
    warming[:60] += (np.linspace(60, 0, 60) * 1e6).astype(np.int64)
    drifting = autoregressive(3, 400, 0.2) + (np.arange(400) * 5e5).astype(np.int64)
    vsync = autoregressive(4, 700, 0.6) // 16_666_667 * 16_666_667
    spiky = autoregressive(5, 451, 0.5)
    spiky[::37] += 200_000_000
    return [
        Case("one", "a single sample", np.array([5], dtype=np.int64)),
        Case("ten", "where percentiles fall exactly on a sample", np.arange(10, 110, 10, dtype=np.int64)),
        Case("constant", "no spread at all", np.full(120, 33_000_000, dtype=np.int64)),
        Case("steady", "independent samples", steady),
        Case("warming", "60 samples of warm-up", warming),
        Case("drifting", "never steady", drifting),
        Case("vsync", "whole periods of the screen, so many ties", vsync),
        Case("correlated", "long memory", autoregressive(6, 900, 0.95)),
        Case("spiky", "a pause every 37 frames; samples behind the last batch of five", spiky),
        Case("late", "steady in the last third alone", np.concatenate([drifting[:200], autoregressive(7, 100, 0.0)])),
    ]


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob("*.json"):
        path.unlink()
    for case in cases():
        (FOLDER / f"{case.name}.json").write_bytes(case.content())


if __name__ == "__main__":
    main()
