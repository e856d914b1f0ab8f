"""Peaks of a heat map, with the distances from each to the sides of its box."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator

from litebundle.glue.geometry import Geometry
from litebundle.glue.kinds import Boxes, Image, Tensor, check_floats, check_image
from litebundle.glue.nms import suppress
from litebundle.glue.operation import Attributes, Count, Fraction, Operation, Port, Real


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("kernel must be odd, so that it has a centre")
    return value


class HeatmapBoxesAttributes(Attributes):
    threshold: Real
    max: Count = 100
    kernel: Annotated[Count, AfterValidator(_odd)] = 3
    iou: Fraction = 0.5


def run(
    attributes: HeatmapBoxesAttributes,
    heatmap: Tensor,
    box: Tensor,
    geometry: NDArray[np.float64],
    picture: Image,
) -> tuple[Boxes]:
    """heatmap float32 [1, h, w, 1], box float32 [1, h, w, 4] -> boxes on the picture, best first, at most
    `max`.

    A cell is a peak when its score reaches the threshold and, within the kernel, no cell exceeds it and no
    cell before it in row-major order equals it. Around the centre of its cell, box holds the distances to
    the left, top, right and bottom side as fractions of the model's input width and height. Boxes go back
    to the picture through the geometry, are cut to it and thinned by nms.
    """
    op = "heatmap_boxes"
    check_floats(op, "heatmap", heatmap, (1, None, None, 1))
    _, rows, columns, _ = heatmap.shape
    check_floats(op, "box", box, (1, rows, columns, 4))
    check_image(op, picture)
    placed = Geometry.from_array(op, geometry)
    row, column = _peaks(heatmap[0, :, :, 0], attributes.threshold, attributes.kernel)
    distances = box[0, row, column].astype(np.float64)
    centre_x, centre_y = (column + 0.5) / columns, (row + 0.5) / rows
    corners = np.stack(
        [
            (centre_x - distances[:, 0]) * placed.width,
            (centre_y - distances[:, 1]) * placed.height,
            (centre_x + distances[:, 2]) * placed.width,
            (centre_y + distances[:, 3]) * placed.height,
        ],
        axis=1,
    )
    boxes = placed.boxes_in_picture(corners, heatmap[0, row, column, 0], *picture.shape[:2])
    return (suppress(boxes, attributes.iou)[: attributes.max],)


def _peaks(scores: Tensor, threshold: float, kernel: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of the peaks of scores [h, w], in row-major order."""
    row, column = np.nonzero(scores >= np.float32(threshold))
    reach = kernel // 2
    padded = np.pad(scores, reach, constant_values=-np.inf)
    around = np.arange(kernel)
    windows = padded[row[:, None, None] + around[:, None], column[:, None, None] + around].reshape(
        len(row), kernel * kernel
    )
    score = scores[row, column][:, None]
    beaten = (windows > score).any(axis=1) | (windows[:, : kernel * kernel // 2] == score).any(axis=1)
    return row[~beaten], column[~beaten]


OPERATION = Operation(
    "heatmap_boxes",
    HeatmapBoxesAttributes,
    (
        Port("heatmap", "tensor"),
        Port("box", "tensor"),
        Port("geometry", "geometry"),
        Port("picture", "image"),
    ),
    (Port("boxes", "boxes"),),
    run,
)
