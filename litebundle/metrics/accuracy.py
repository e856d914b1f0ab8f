"""Share of right classes among the items that were found."""

from __future__ import annotations

from collections.abc import Sequence

from litebundle.errors import LitebundleError
from litebundle.metrics.matching import match
from litebundle.metrics.metric import Item, Metric, SampleScore

NAME = "accuracy"
FIELDS = ("angle", "label")


def score(results: Sequence[Item], answers: Sequence[Item]) -> SampleScore:
    """``right / asked``, weight ``asked``; higher is better.

    Asked: every `angle` or `label` that a matched answer and the results both carry. Right: equal values.
    Missed answers and extra results do not count: whether an item is found at all is the detector's doing and
    `box_f1`'s concern; a classifier behind it is judged on what it was shown. Nothing asked: value 1 of
    weight 0.
    """
    if results and not any(field in results[0] for field in FIELDS):
        raise LitebundleError(
            f"metric '{NAME}' reads the result field 'angle' or 'label', and the pipeline's results have"
            f" {', '.join(results[0])}; choose a metric over those, or add rotate_upright or softmax_top_k"
        )
    verdicts = [
        result[field] == answer[field]
        for result, answer in match(results, answers).pairs
        for field in FIELDS
        if field in answer and field in result
    ]
    return SampleScore(sum(verdicts) / len(verdicts) if verdicts else 1.0, float(len(verdicts)))


METRIC = Metric(NAME, FIELDS, "higher", score)
