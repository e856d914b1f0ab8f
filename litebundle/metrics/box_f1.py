"""F1 of found boxes."""

from __future__ import annotations

from collections.abc import Sequence

from litebundle.metrics.matching import match
from litebundle.metrics.metric import Item, Metric, SampleScore, read

NAME = "box_f1"


def score(results: Sequence[Item], answers: Sequence[Item]) -> SampleScore:
    """``2 TP / (2 TP + FP + FN)``, weight ``2 TP + FP + FN``; higher is better.

    TP: pairs of IoU >= 0.5 (see `match`). FN: answers with a `box` that no result took. FP: results that no
    answer took and that do not lie in an ignored region. Nothing asked and nothing found: value 1 of weight
    0.
    """
    for result in results:
        read(result, "box", NAME)
    matching = match(results, [answer for answer in answers if "box" in answer])
    hits, wrong = len(matching.pairs), len(matching.extra) + len(matching.missed)
    weight = 2 * hits + wrong
    return SampleScore(2 * hits / weight if weight else 1.0, float(weight))


METRIC = Metric(NAME, ("box",), "higher", score)
