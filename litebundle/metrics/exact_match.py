"""Share of answers read without a fault."""

from __future__ import annotations

from collections.abc import Sequence

from litebundle.metrics.matching import match
from litebundle.metrics.metric import Item, Metric, SampleScore, read
from litebundle.metrics.tokens import tokenize

NAME = "exact_match"


def score(results: Sequence[Item], answers: Sequence[Item]) -> SampleScore:
    """``right / asked``, weight ``asked``; higher is better.

    Asked: the answers that carry `text`. Right: their matched result has the same tokens (see `tokenize`). A
    missed answer is wrong. Extra results do not count here (`edit_distance` and `box_f1` count them). Nothing
    asked: value 1 of weight 0.
    """
    asked = sum("text" in answer for answer in answers if not answer.get("ignore"))
    right = sum(
        tokenize(read(result, "text", NAME)) == tokenize(answer["text"])
        for result, answer in match(results, answers).pairs
        if "text" in answer
    )
    return SampleScore(right / asked if asked else 1.0, float(asked))


METRIC = Metric(NAME, ("text",), "higher", score)
