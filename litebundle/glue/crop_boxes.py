"""Cut boxes out of a picture; the graph fans out here, one item per box."""

from __future__ import annotations

import numpy as np

from litebundle.glue.kinds import Boxes, Image, check_boxes, check_image
from litebundle.glue.operation import Attributes, Count, NonNegative, Operation, Port


class CropBoxesAttributes(Attributes):
    margin: NonNegative = 0.0
    min_size: Count = 1


def run(attributes: CropBoxesAttributes, picture: Image, boxes: Boxes) -> tuple[list[Image], Boxes]:
    """picture [H, W, C], boxes [N, 5] on it -> one crop per kept box, and the kept boxes unchanged, in order.

    All four sides move out by margin * min(box width, box height), then outwards to whole pixels, then are
    cut to the picture. A box that is not finite, is empty, or leaves a side under min_size pixels is not
    kept.
    """
    check_image("crop_boxes", picture)
    check_boxes("crop_boxes", boxes)
    rows, columns, _ = picture.shape
    boxes = boxes[np.isfinite(boxes[:, :4]).all(axis=1)]
    x0, y0, x1, y1 = boxes[:, :4].astype(np.float64).T
    margin = attributes.margin * np.minimum(x1 - x0, y1 - y0)
    left = np.clip(np.floor(x0 - margin), 0, columns)
    right = np.clip(np.ceil(x1 + margin), 0, columns)
    top = np.clip(np.floor(y0 - margin), 0, rows)
    bottom = np.clip(np.ceil(y1 + margin), 0, rows)
    is_large = np.minimum(right - left, bottom - top) >= attributes.min_size
    kept = (x1 > x0) & (y1 > y0) & is_large
    edges = np.stack([left, top, right, bottom], axis=1)[kept].astype(np.int64)
    crops = [np.ascontiguousarray(picture[y0:y1, x0:x1]) for x0, y0, x1, y1 in edges.tolist()]
    return crops, boxes[kept]


OPERATION = Operation(
    "crop_boxes",
    CropBoxesAttributes,
    (Port("picture", "image"), Port("boxes", "boxes")),
    (Port("crops", "images"), Port("boxes", "boxes")),
    run,
    replaces_picture=True,
)
