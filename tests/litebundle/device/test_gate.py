"""The decision over restarts: against formulas of scipy, error rates on made-up runs, and rule by rule."""

from __future__ import annotations

import tracemalloc
from math import inf

import numpy as np
import pytest
from scipy import stats

from litebundle.device.gate import decide
from litebundle.device.result import read_runs
from litebundle.device.statistics import Figure, difference, over_restarts, p90, p90_error, t95
from tests.litebundle.device import runs

TRIALS = 120
C2D = "capture_to_display_p90_ms"


@pytest.fixture
def make(tmp_path):
    """Restarts on disk, read back; `seeds` choose their latencies."""

    def build(name: str, seeds, p50_ms=80.0, restart_ms=1.0, **changes):
        for seed in seeds:
            series = runs.latencies(seed, p50_ms=p50_ms, restart_ms=restart_ms)
            runs.write(tmp_path / name, f"{name}-{seed:03d}", series, **changes)
        return read_runs(tmp_path / name)

    return build


def asked(limit: float, verdict: str = "pass"):
    return [{"name": C2D, "limit": limit, "measured": 90.0, "low": 89.0, "high": 91.0, "verdict": verdict}]


def refused(code: str, text: str = "so it is"):
    return {"state": "refused", "reasons": [{"code": code, "text": text}]}


@pytest.mark.parametrize("size", [1, 2, 9, 10, 11, 600])
def test_p90_is_numpys_inverted_distribution(size) -> None:
    samples = np.random.default_rng(size).random(size)
    assert p90(samples) == np.quantile(samples, 0.9, method="inverted_cdf")


@pytest.mark.parametrize("freedom", [1, 2, 3.7, 4, 10.2, 20, 50, inf])
def test_t_is_scipys_at_whole_degrees_of_freedom_and_never_narrower(freedom) -> None:
    whole = min(int(freedom), 20) if freedom < inf else inf
    assert t95(freedom) == pytest.approx(stats.t.ppf(0.95, whole), abs=5e-5)
    assert t95(freedom) >= stats.t.ppf(0.95, freedom) - 5e-5


def test_the_bootstrap_error_of_independent_samples_is_that_of_theory() -> None:
    """Var of a quantile: p (1 − p) / (n f(x_p)²)."""
    found = [p90_error(np.random.default_rng(seed).standard_normal(1000)) for seed in range(20)]
    theory = np.sqrt(0.9 * 0.1 / 1000) / stats.norm.pdf(stats.norm.ppf(0.9))
    assert np.mean(found) == pytest.approx(theory, rel=0.15)


def test_the_bootstrap_error_grows_where_neighbours_are_alike() -> None:
    """Against the spread of the p90 itself over many series of the same kind."""
    series = [runs.latencies(seed) for seed in range(60)]
    spread = np.std([p90(each) for each in series], ddof=1)
    assert np.mean([p90_error(each) for each in series[:20]]) == pytest.approx(spread, rel=0.3)


def test_the_bootstrap_of_an_hour_holds_one_resample_at_a_time() -> None:
    samples = np.random.default_rng(0).random(20_000)
    tracemalloc.start()
    p90_error(samples)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most_bytes < 20 * samples.nbytes


def test_welch_of_equal_sides_is_students_t() -> None:
    change = difference(Figure(12.0, 1.0, 2), Figure(10.0, 1.0, 2))
    assert (change.value, change.freedom) == (2.0, 4.0)
    assert change.high - change.value == pytest.approx(stats.t.ppf(0.95, 4) * np.sqrt(2), rel=1e-4)


def test_restarts_that_agree_by_chance_are_no_surer_than_each_is() -> None:
    one = runs.latencies(1)
    assert over_restarts([one, one, one]).error == pytest.approx(p90_error(one) / np.sqrt(3))


@pytest.mark.parametrize("restart_ms", [0.0, 4.0])
def test_equal_runs_are_seldom_called_worse(restart_ms) -> None:
    """False positives of "worse" and, at a true slowdown of the margin, of "not worse": nominally 5 of 100 each.

    The bound is what as many draws of a rate of 5 % exceed less than once in a thousand.
    """
    worse = not_worse = 0
    for trial in range(TRIALS):
        series = [runs.latencies(6 * trial + i, 240, restart_ms=restart_ms) for i in range(6)]
        change = difference(over_restarts(series[:3]), over_restarts(series[3:]))
        worse += change.low > 0
        # Were the first three slower by just the margin, `high` would be as much higher, and this the error.
        not_worse += change.high < 0
    assert max(worse, not_worse) <= stats.binom.ppf(0.999, TRIALS, 0.05)


def test_a_clear_slowdown_is_found(make) -> None:
    gate = decide(make("now", range(3), p50_ms=100), make("then", range(10, 13)))
    assert (gate.outcome, gate.against.verdict) == ("fail", "worse")
    assert gate.against.change_ms == pytest.approx(20, abs=4)
    assert gate.against.low_ms > 0


def test_the_same_again_is_not_worse(make) -> None:
    gate = decide(make("now", range(3)), make("then", range(10, 13)))
    assert (gate.outcome, gate.against.verdict) == ("pass", "not worse")
    assert gate.against.high_ms <= gate.against.margin_ms == pytest.approx(0.05 * gate.against.then_ms)


def test_noisy_restarts_decide_nothing(make) -> None:
    gate = decide(make("now", range(3), restart_ms=20), make("then", range(10, 13), restart_ms=20))
    assert (gate.outcome, gate.against.verdict) == ("undecided", "undecided")


def test_two_restarts_decide_nothing(make) -> None:
    gate = decide(make("now", range(2), p50_ms=150), make("then", range(10, 13)))
    assert gate.against.verdict == "undecided"
    assert "3 restarts are needed on both sides, there are 2 now and 3 then" in gate.against.reason
    assert "few_restarts" in {why.code for why in gate.reasons}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"device": runs.EXAMPLE["device"] | {"model": "Other"}},
            "differ in phone: Example Example phone, Example Other",
        ),
        ({"display": runs.EXAMPLE["display"] | {"grade": "C"}}, "differ in grade of the display's times: A, C"),
        ({"verdict": refused("debuggable_build")}, "void (debuggable_build)"),
    ],
)
def test_what_has_no_common_measure_is_not_compared(make, changes, words) -> None:
    gate = decide(make("now", range(3)), make("then", range(10, 13), **changes))
    assert gate.against.verdict == "undecided"
    assert words in gate.against.reason


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bundle": runs.EXAMPLE["bundle"] | {"digest": "f" * 64}}, "bundle: "),
        ({"device": runs.EXAMPLE["device"] | {"manufacturer": "Other"}}, "phone: "),
        ({"device": runs.EXAMPLE["device"] | {"model": "Other"}}, "phone: "),
        ({"device": runs.EXAMPLE["device"] | {"sdk": 26}}, "(API 26)"),
        ({"run": runs.EXAMPLE["run"] | {"kind": "replay"}}, "kind of run: live, replay"),
        ({"engine": runs.EXAMPLE["engine"] | {"name": "other"}}, "engine: "),
        ({"display": runs.EXAMPLE["display"] | {"grade": "C"}}, "grade of the display's times: A, C"),
        ({"display": runs.EXAMPLE["display"] | {"grade": None}}, "grade of the display's times: A, none"),
    ],
)
def test_only_restarts_of_one_run_are_judged_together(make, changes, words) -> None:
    make("now", range(2), requirements=asked(1000.0))
    gate = decide(make("now", [2], requirements=asked(1000.0), **changes), make("then", range(10, 13)))
    assert (gate.outcome, gate.p90_ms, gate.budgets[0].verdict) == ("refused", None, "refused")
    assert gate.against.verdict == "undecided" and words in gate.against.reason
    (why,) = [why for why in gate.reasons if why.code == "different_runs"]
    assert words in why.text and "give the folder of one" in why.text


def test_recorded_frames_are_compared_though_they_are_no_headline(make) -> None:
    gate = decide(
        make("now", range(3), verdict=refused("not_captured")),
        make("then", range(10, 13), verdict=refused("not_captured")),
    )
    assert (gate.outcome, gate.against.verdict) == ("refused", "not worse")


@pytest.mark.parametrize(("limit", "outcome"), [(120.0, "pass"), (60.0, "fail")])
def test_a_budget_over_all_restarts(make, limit, outcome) -> None:
    gate = decide(make("now", range(3), requirements=asked(limit)))
    (budget,) = gate.budgets
    assert (gate.outcome, budget.verdict) == (outcome, outcome)
    assert budget.low < budget.measured < budget.high


def test_a_budget_that_the_bound_breaks_is_undecided(make) -> None:
    free = decide(make("free", range(3), requirements=asked(1000.0))).budgets[0]
    between = (free.measured + free.high) / 2
    assert decide(make("now", range(3), requirements=asked(between))).outcome == "undecided"


def test_restarts_that_are_too_short_each_may_decide_together(make) -> None:
    gate = decide(make("now", range(3), requirements=asked(120, "refused"), verdict=refused("requirement_undecided")))
    assert gate.outcome == "pass"


def test_bounds_are_widened_by_what_stamps_and_clocks_leave_open(make) -> None:
    sure = decide(make("sure", range(3), requirements=asked(120), clock=runs.EXAMPLE["clock"] | {"error_ns": 0}))
    unsure = decide(
        make("unsure", range(3), requirements=asked(120), clock=runs.EXAMPLE["clock"] | {"error_ns": 10**7})
    )
    assert unsure.high_ms - sure.high_ms == pytest.approx(10)
    assert sure.low_ms - unsure.low_ms == pytest.approx(10)


def test_another_requirement_is_as_in_the_worst_restart(make, tmp_path) -> None:
    for i, (measured, verdict) in enumerate([(250.0, "pass"), (310.0, "fail"), (240.0, "pass")]):
        one = {"name": "memory_mb", "limit": 300.0, "measured": measured, "low": None, "high": None, "verdict": verdict}
        runs.write(tmp_path / "now", f"r{i}", runs.latencies(i), requirements=[one])
    (budget,) = decide(read_runs(tmp_path / "now")).budgets
    assert (budget.verdict, budget.measured, budget.low) == ("fail", 310.0, None)


@pytest.mark.parametrize("verdict", ["refused", "fail"])
@pytest.mark.parametrize(("measured", "words"), [(None, "not measured"), (290.0, "290")])
def test_a_requirement_without_figures_is_told_in_words(make, measured, words, verdict) -> None:
    one = {"name": "memory_mb", "limit": 300.0, "measured": measured, "low": None, "high": None, "verdict": verdict}
    changes = {"verdict": refused("requirement_undecided")} if verdict == "refused" else {}
    gate = decide(make("now", range(3), requirements=[one], **changes))
    assert gate.outcome == {"refused": "undecided", "fail": "fail"}[verdict]
    (why,) = gate.reasons
    assert why.code == "memory_mb" and why.text.startswith(f"{words}, at most 300 is asked")


def test_a_void_run_is_refused_with_each_reason_once(make) -> None:
    gate = decide(make("now", range(3), verdict=refused("debuggable_build"), requirements=asked(120)))
    assert gate.outcome == "refused"
    assert [(why.code, why.text) for why in gate.reasons] == [("debuggable_build", "so it is")]
    assert (gate.budgets[0].verdict, gate.budgets[0].measured) == ("refused", None)


def test_a_refusal_without_a_reason_is_one_all_the_same(make) -> None:
    assert decide(make("now", range(3), verdict={"state": "refused", "reasons": []})).outcome == "refused"


def test_no_steady_state_is_no_figure(make) -> None:
    latency = dict.fromkeys(runs.EXAMPLE["latency"])
    found = make(
        "now", range(3), steady_state={"from_frame": None}, latency=latency, verdict=refused("too_few_results")
    )
    assert decide(found).p90_ms is None
