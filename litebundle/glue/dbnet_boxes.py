"""Text lines from the probability map of a differentiable-binarization detector, as upright rectangles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from litebundle.glue.components import find_components
from litebundle.glue.geometry import Geometry
from litebundle.glue.kinds import Boxes, Image, Tensor, check_floats, check_image
from litebundle.glue.operation import Attributes, Count, NonNegative, Operation, Port, Real


class DbnetBoxesAttributes(Attributes):
    threshold: Real = 0.3
    score: Real = 0.5
    unclip: NonNegative = 1.6
    min_side: NonNegative = 3.0
    max: Count = 100


def run(
    attributes: DbnetBoxesAttributes, probability: Tensor, geometry: NDArray[np.float64], picture: Image
) -> tuple[Boxes]:
    """probability float32 [1, h, w, 1] -> boxes on the picture in reading order.

    The cells over the threshold form components. A component stays if its bounding rectangle has no side
    under min_side cells and its mean probability (float64, added in row-major order) exceeds score. The
    rectangle grows on each side by area * unclip / perimeter cells, is scaled to the canvas, goes back to
    the picture through the geometry and is cut to it. Of more than `max` boxes the best by score stay.
    Source: Liao et al., Real-time Scene Text Detection with Differentiable Binarization, 2020, section 3.5.
    """
    op = "dbnet_boxes"
    check_floats(op, "map", probability, (1, None, None, 1))
    check_image(op, picture)
    placed = Geometry.from_array(op, geometry)
    cells = probability[0, :, :, 0]
    corners, means = _components(cells, attributes.threshold)
    sides = corners[:, 2:] - corners[:, :2]
    kept = (sides.min(axis=1) >= attributes.min_side) & (means > attributes.score)
    corners, sides, means = corners[kept], sides[kept], means[kept]
    grow = sides.prod(axis=1) * attributes.unclip / (2.0 * sides.sum(axis=1))
    corners += grow[:, None] * np.array([-1.0, -1.0, 1.0, 1.0])
    rows, columns = cells.shape
    corners *= np.array([placed.width / columns, placed.height / rows] * 2)
    boxes = placed.boxes_in_picture(corners, means.astype(np.float32), *picture.shape[:2])
    best = np.sort(np.argsort(-boxes[:, 4], kind="stable")[: attributes.max])
    return (_reading_order(boxes[best]),)


def _components(cells: NDArray[np.float32], threshold: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bounding rectangles [N, 4] in cells (x0 y0 x1 y1) and mean probabilities [N]."""
    mask = cells > np.float32(threshold)
    runs = find_components(mask)
    corners = np.empty((runs.count, 4))
    corners[:, :2], corners[:, 2:] = np.inf, -np.inf
    for side, (first, after) in enumerate(((runs.start, runs.end), (runs.row, runs.row + 1))):
        np.minimum.at(corners[:, side], runs.component, first)
        np.maximum.at(corners[:, side + 2], runs.component, after)
    component = np.repeat(runs.component, runs.end - runs.start)
    sums = np.bincount(component, cells[mask], minlength=runs.count)
    return corners, sums / np.bincount(component, minlength=runs.count)


def _reading_order(boxes: Boxes) -> Boxes:
    """Lines from the top, each from the left.

    From the top down (ties: from the left), a box begins a new line unless its top is above the vertical
    centre of the line's first box. Ties within a line keep that order.
    """
    order = np.lexsort((boxes[:, 0], boxes[:, 1]))
    lines = np.zeros(len(boxes), np.int64)
    line, centre = 0, -np.inf
    for index in order:
        _, top, _, bottom, _ = boxes[index].astype(np.float64)
        if top >= centre:
            line, centre = line + 1, (top + bottom) / 2
        lines[index] = line
    return boxes[order][np.lexsort((boxes[order, 0], lines[order]))]


OPERATION = Operation(
    "dbnet_boxes",
    DbnetBoxesAttributes,
    (Port("map", "tensor"), Port("geometry", "geometry"), Port("picture", "image")),
    (Port("boxes", "boxes"),),
    run,
)
