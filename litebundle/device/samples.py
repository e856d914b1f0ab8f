"""The raw samples of a run: `samples.csv`, one row per captured frame."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from litebundle.device.adb import DeviceError

Floats = NDArray[np.float64]
FRAME, MID, PRESENTED, OUTCOME = "frame", "exposure_mid_ns", "presented_ns", "outcome"


@dataclass(frozen=True)
class Samples:
    """Presented frames in the order of their presentation, arrays of equal length.

    `presented` counts frames of unknown exposure too, which the arrays leave out. `at_s`: seconds from the first
    presentation; `latency_ms`: from the middle of the exposure to presentation; `steady`: whether the frame belongs to
    the steady state.
    """

    presented: int
    at_s: Floats
    latency_ms: Floats
    steady: NDArray[np.bool_]

    @property
    def steady_ms(self) -> Floats:
        return self.latency_ms[self.steady]


def read_samples(path: Path, steady_from: int | None) -> Samples:
    """Read `samples.csv`.

    Args:
        path: The file.
        steady_from: The frame whose result begins the steady state; None: there is none.

    Raises:
        DeviceError: It is missing, cut off, or lacks a column.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
        shown = [row for row in rows if row[OUTCOME] == "presented"]
        timed = [row for row in shown if row[MID]]
        frames: Any = np.array([int(row[FRAME]) for row in timed], np.int64)
        mid: Any = np.array([int(row[MID]) for row in timed], np.int64)
        presented: Any = np.array([int(row[PRESENTED]) for row in timed], np.int64)
    except FileNotFoundError:
        raise DeviceError(f"{path}: the result is incomplete, there are no samples; run again") from None
    except (KeyError, ValueError, TypeError, OverflowError, csv.Error) as error:
        raise DeviceError(f"{path}: the result is incomplete, its samples are cut off ({error!r}); run again") from None
    order = np.argsort(presented, kind="stable")
    at_ns = presented[order]
    return Samples(
        presented=len(shown),
        at_s=(at_ns - at_ns[:1]) / 1e9,
        latency_ms=(at_ns - mid[order]) / 1e6,
        # Two presentations may be out of the frames' order: what counts is what came on the screen behind it.
        steady=np.logical_or.accumulate(frames[order] == steady_from),
    )
