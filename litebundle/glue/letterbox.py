"""Scale a picture into a canvas with its aspect kept, and fill the rest."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from litebundle.glue.geometry import Geometry
from litebundle.glue.kinds import Image, check_image
from litebundle.glue.operation import Attributes, Operation, Port, Size
from litebundle.glue.resize import resize_image


def scaled_side(side: int, numerator: int, denominator: int) -> int:
    """side * numerator / denominator rounded half up, at least 1; in integers, so exact."""
    return max(1, (2 * side * numerator + denominator) // (2 * denominator))


class LetterboxAttributes(Attributes):
    size: Size
    fill: Annotated[int, Field(strict=True, ge=0, le=255)] = 114
    align: Literal["center", "left"] = "center"


def run(attributes: LetterboxAttributes, image: Image) -> tuple[Image, NDArray[np.float64]]:
    """image [H, W, C] -> image [size[0], size[1], C] and its geometry float64 [6].

    The axis that limits fills the canvas exactly, the other one is rounded half up. Offsets are half of
    what is left, rounded down; `left` aligns to the left edge instead and centres vertically.
    """
    check_image("letterbox", image)
    height, width = attributes.size
    rows, columns, channels = image.shape
    if width * rows <= height * columns:
        placed_height, placed_width = scaled_side(rows, width, columns), width
    else:
        placed_height, placed_width = height, scaled_side(columns, height, rows)
    top = (height - placed_height) // 2
    left = 0 if attributes.align == "left" else (width - placed_width) // 2
    canvas = np.full((height, width, channels), attributes.fill, np.uint8)
    placed = resize_image(image, placed_height, placed_width)
    canvas[top : top + placed_height, left : left + placed_width] = placed
    geometry = Geometry(placed_width / columns, placed_height / rows, left, top, width, height)
    return canvas, geometry.to_array()


OPERATION = Operation(
    "letterbox",
    LetterboxAttributes,
    (Port("image", "image"),),
    (Port("image", "image"), Port("geometry", "geometry")),
    run,
)
