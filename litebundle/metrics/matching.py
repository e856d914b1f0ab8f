"""Which result item answers which answer item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from litebundle.metrics.metric import Item

MIN_IOU = 0.5
MIN_IGNORED = 0.5

Box = Sequence[float]


@dataclass(frozen=True)
class Matching:
    """``pairs`` of (result, answer), answers that no result took, results that no answer took."""

    pairs: tuple[tuple[Item, Item], ...]
    missed: tuple[Item, ...]
    extra: tuple[Item, ...]


def match(results: Sequence[Item], answers: Sequence[Item]) -> Matching:
    """One-to-one matching of a sample's result items to its answer items.

    Where all of them have a `box` (x0 y0 x1 y1): results in their order, which is that of falling score, each
    take the free answer of largest IoU, if that is at least 0.5 (first answer on a tie). Otherwise in order.

    Answers with `ignore` mark regions that count neither way: they are never missed, and an unmatched result
    of which at least half the area lies in one of them is not extra.
    """
    asked = [answer for answer in answers if not answer.get("ignore")]
    ignored = [answer["box"] for answer in answers if answer.get("ignore")]
    if not all("box" in item for item in (*results, *asked)):
        return _match_in_order(results, asked)
    free, pairs, extra = list(asked), [], []
    for result in results:
        best = max(free, key=lambda answer: iou(result["box"], answer["box"]), default=None)
        if best is not None and iou(result["box"], best["box"]) >= MIN_IOU:
            pairs.append((result, best))
            free = [answer for answer in free if answer is not best]
        elif not any(covered(result["box"], region) >= MIN_IGNORED for region in ignored):
            extra.append(result)
    return Matching(tuple(pairs), tuple(free), tuple(extra))


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0 where both are empty."""
    shared = _intersection(a, b)
    union = _area(a) + _area(b) - shared
    return shared / union if union > 0 else 0.0


def covered(box: Box, region: Box) -> float:
    """Share of the box's area that lies in the region, 0 for an empty box."""
    area = _area(box)
    return _intersection(box, region) / area if area > 0 else 0.0


def _match_in_order(results: Sequence[Item], asked: Sequence[Item]) -> Matching:
    count = min(len(results), len(asked))
    return Matching(
        tuple(zip(results[:count], asked[:count], strict=True)), tuple(asked[count:]), tuple(results[count:])
    )


def _intersection(a: Box, b: Box) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return width * height if width > 0 and height > 0 else 0.0


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
