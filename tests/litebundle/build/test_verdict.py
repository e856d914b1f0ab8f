"""The three-valued rule, case by case as its docstring states it, and what a verdict says."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from litebundle.build.cascade_report import CascadeReport, Comparison, KindCount
from litebundle.build.verdict import MIN_SAMPLES, decide, judge_budget, judge_requirement
from litebundle.errors import LitebundleError
from litebundle.pipeline import Budget, Metric


@pytest.mark.parametrize(
    ("low", "measured", "high", "limit", "samples", "verdict"),
    [
        (-0.01, 0.0, 0.01, 0.02, 100, "pass"),
        (0.0, 0.0, 0.0, 0.0, 100, "pass"),
        (0.01, 0.015, 0.02, 0.02, 100, "pass"),
        (0.03, 0.05, 0.07, 0.02, 100, "fail"),
        (0.01, 0.03, 0.05, 0.02, 100, "fail"),
        (-0.01, 0.01, 0.03, 0.02, 100, "not_enough_samples"),
        (0.0, 0.0, 0.0, 0.02, MIN_SAMPLES - 1, "not_enough_samples"),
        (0.9, 0.9, 0.9, 0.02, MIN_SAMPLES - 1, "not_enough_samples"),
        (0.0, 0.0, 0.0, 0.02, MIN_SAMPLES, "pass"),
        (0.9, 0.9, 0.9, 0.02, MIN_SAMPLES, "fail"),
        (None, None, None, 0.02, 0, "not_enough_samples"),
        # 0.1 + 0.2 - 0.3 is not zero in binary; a budget of nothing is held all the same.
        (0.0, 0.1 + 0.2 - 0.3, 0.1 + 0.2 - 0.3, 0.0, 100, "pass"),
    ],
)
def test_the_rule(low, measured, high, limit, samples, verdict):
    assert decide(measured, low, high, limit=limit, samples=samples)[0] == verdict


figures = st.lists(st.floats(-1, 1), min_size=3, max_size=3).map(sorted)


@given(figures, st.floats(0, 1), st.floats(0, 1))
def test_a_looser_limit_never_turns_a_pass_into_less(interval, limit, more):
    low, measured, high = interval
    assume(decide(measured, low, high, limit=limit, samples=50)[0] == "pass")
    assert decide(measured, low, high, limit=limit + more, samples=50)[0] == "pass"


@given(figures, st.floats(0, 1))
def test_enough_samples_and_a_narrow_interval_always_decide(interval, limit):
    measured = interval[1]
    assume(abs(measured - limit) > 1e-6)
    verdict = decide(measured, measured, measured, limit=limit, samples=50)[0]
    assert verdict == ("fail" if measured > limit else "pass")


def comparison(metric, variant, kind, samples, drop, score=(0.5, 0.5, 0.5)):
    low, middle, high = drop
    score_low, score_middle, score_high = score
    return Comparison(
        metric, variant, kind, samples, 0, score_middle + middle, score_middle, score_low, score_high, middle, low, high
    )


def report_of(*comparisons, kinds=(("clean", 60), ("torn", 12))):
    metrics = tuple(dict.fromkeys(c.metric for c in comparisons))
    variants = tuple(dict.fromkeys(c.variant for c in comparisons))
    return CascadeReport(metrics, variants, tuple(KindCount(*k) for k in kinds), comparisons, (), (), ())


def test_a_budget_is_judged_on_its_stage_alone_and_notes_the_kinds():
    report = report_of(
        comparison("box_f1", "float", "all", 72, (0, 0, 0)),
        comparison("box_f1", "quantized", "all", 72, (0.1, 0.2, 0.3)),
        comparison("box_f1", "locate", "all", 72, (-0.001, 0.002, 0.006)),
        comparison("box_f1", "locate", "clean", 60, (-0.001, 0.0, 0.001)),
        comparison("box_f1", "locate", "torn", 12, (-0.01, 0.03, 0.06)),
    )
    verdict = judge_budget("locate", Budget(metric="box_f1", max_drop=0.01), report)
    assert (verdict.verdict, verdict.requirement, verdict.stage) == ("pass", "budget", "locate")
    assert (verdict.measured, verdict.low, verdict.high) == (0.002, -0.001, 0.006)
    assert (verdict.limit, verdict.samples) == (0.01, 72)
    assert "0.002" in verdict.reason and "72 samples" in verdict.reason
    assert any("'torn' has 12 samples" in note for note in verdict.notes)
    assert any("'torn' alone loses 0.03" in note for note in verdict.notes)
    assert not any("clean" in note for note in verdict.notes)


def test_a_stage_that_quantizing_left_alone_loses_nothing():
    report = report_of(
        *(comparison("box_f1", "float", kind, 60, (0.0, 0.0, 0.0)) for kind in ("all", "clean")),
        comparison("box_f1", "float", "torn", 12, (0.0, 0.0, 0.0)),
    )
    verdict = judge_budget("decode", Budget(metric="box_f1", max_drop=0.0), report)
    assert (verdict.verdict, verdict.measured) == ("pass", 0.0)


@pytest.mark.parametrize(
    ("requirement", "score", "verdict"),
    [
        ({"name": "edit_distance", "max": 0.1}, (0.04, 0.05, 0.06), "pass"),
        ({"name": "edit_distance", "max": 0.1}, (0.04, 0.08, 0.12), "not_enough_samples"),
        ({"name": "edit_distance", "max": 0.1}, (0.08, 0.12, 0.2), "fail"),
        ({"name": "exact_match", "min": 0.8}, (0.85, 0.9, 0.95), "pass"),
        ({"name": "exact_match", "min": 0.8}, (0.75, 0.9, 0.95), "not_enough_samples"),
        ({"name": "exact_match", "min": 0.8}, (0.6, 0.7, 0.85), "fail"),
    ],
)
def test_a_requirement_is_judged_on_the_quantized_pipelines_score(requirement, score, verdict):
    name = requirement["name"]
    report = report_of(
        *(comparison(name, "quantized", kind, 60, (0, 0, 0), score) for kind in ("all", "clean", "torn"))
    )
    found = judge_requirement(Metric(**requirement), report)
    assert found.verdict == verdict
    assert (found.low, found.measured, found.high) == score
    assert found.limit == requirement.get("max", requirement.get("min"))
    # The words show the figures as they are, lower bound or upper.
    assert f"{score[1]:g} (95 % interval {score[0]:g} to {score[2]:g}, 60 samples)" in found.reason
    assert f"{'at most' if 'max' in requirement else 'at least'} {found.limit:g}" in found.reason


def test_a_metric_that_nothing_was_measured_of_is_refused():
    report = report_of(comparison("box_f1", "locate", "all", 72, (0, 0, 0)))
    with pytest.raises(LitebundleError, match=r"stage 'locate': budget on metric 'exact_match'.*text.*box_f1"):
        judge_budget("locate", Budget(metric="exact_match", max_drop=0.01), report)
