"""Edit distance normalised by the answers' length."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

from litebundle.metrics.matching import match
from litebundle.metrics.metric import Item, Metric, SampleScore, read
from litebundle.metrics.tokens import tokenize

NAME = "edit_distance"


def score(results: Sequence[Item], answers: Sequence[Item]) -> SampleScore:
    """``errors / max(1, length)``, weight ``max(1, length)``; lower is better, and it may exceed 1.

    Length: the tokens (see `tokenize`) of all answers that carry `text`. Errors: the Levenshtein distance
    (insert, delete, replace: 1 each) of every matched pair, plus the length of every missed answer, plus the
    length of every extra result. A sample of length 0 without errors has value 0 and weight 0.
    """
    matching = match(results, answers)
    asked = [answer for answer in answers if "text" in answer and not answer.get("ignore")]
    length = sum(len(tokenize(answer["text"])) for answer in asked)
    errors = sum(
        Levenshtein.distance(tokenize(read(result, "text", NAME)), tokenize(answer["text"]))
        for result, answer in matching.pairs
        if "text" in answer
    )
    errors += sum(len(tokenize(answer["text"])) for answer in matching.missed if "text" in answer)
    errors += sum(len(tokenize(read(result, "text", NAME))) for result in matching.extra)
    weight = max(1, length) if length or errors else 0
    return SampleScore(errors / max(1, length), float(weight))


METRIC = Metric(NAME, ("text",), "lower", score)
