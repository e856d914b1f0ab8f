"""What the Kotlin side writes, as `litebundle device` reads it; `make harness` runs this after Maven."""

from __future__ import annotations

from pathlib import Path

import pytest

from litebundle.device.gate import decide
from litebundle.device.page import render
from litebundle.device.result import read_run
from litebundle.device.statistics import p90

ROOT = Path(__file__).parents[2]
REPLAY = ROOT / "android_harness/cli/target/replay/once/example"
RUNS = {name: ROOT / f"android_harness/core-tests/target/report/{name}" for name in ("live-1", "inverted")}


@pytest.mark.parametrize("folder", [REPLAY, *RUNS.values()], ids=["replay", *RUNS])
def test_the_samples_give_the_figures_of_the_report(built, folder: Path) -> None:
    run = read_run(built(folder))
    told = run.report.latency.exposure_mid_to_present_ms
    assert len(run.samples.steady_ms) == told.count
    assert p90(run.samples.steady_ms) == pytest.approx(told.p90.value, abs=1e-6)


def test_a_replay_on_the_virtual_clock_is_refused_as_no_capture(built) -> None:
    run = read_run(built(REPLAY))
    gate = decide([run])
    assert gate.outcome == "refused"
    assert "not_captured" in {why.code for why in gate.reasons}
    assert next(why.text for why in gate.reasons if why.code == "not_captured") in render(gate, [run])
