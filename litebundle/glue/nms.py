"""Non-maximum suppression: of boxes that overlap, the best one stays."""

from __future__ import annotations

import numpy as np

from litebundle.glue.kinds import Boxes, check_boxes
from litebundle.glue.operation import Attributes, Fraction, Operation, Port


class NmsAttributes(Attributes):
    iou: Fraction = 0.5


def suppress(boxes: Boxes, iou: float) -> Boxes:
    """Boxes by score, highest first (ties keep their order), less each that overlaps a kept one before it.

    Two boxes overlap when intersection > iou * union, in float64.
    """
    ordered = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    x0, y0, x1, y1 = ordered[:, :4].astype(np.float64).T
    area = (x1 - x0) * (y1 - y0)
    alive = np.ones(len(ordered), bool)
    for index in range(len(ordered)):
        if not alive[index]:
            continue
        rest = slice(index + 1, None)
        shared_width = np.minimum(x1[index], x1[rest]) - np.maximum(x0[index], x0[rest])
        shared_height = np.minimum(y1[index], y1[rest]) - np.maximum(y0[index], y0[rest])
        shared = np.maximum(shared_width, 0.0) * np.maximum(shared_height, 0.0)
        alive[rest] &= ~(shared > iou * (area[index] + area[rest] - shared))
    return ordered[alive]


def run(attributes: NmsAttributes, boxes: Boxes) -> tuple[Boxes]:
    """boxes [N, 5] -> boxes [M, 5], M <= N."""
    check_boxes("nms", boxes)
    return (suppress(boxes, attributes.iou),)


OPERATION = Operation("nms", NmsAttributes, (Port("boxes", "boxes"),), (Port("boxes", "boxes"),), run)
