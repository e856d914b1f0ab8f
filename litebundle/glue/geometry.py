"""How a picture was placed on a canvas: from coordinates of the one to the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from litebundle.errors import LitebundleError
from litebundle.glue.kinds import Boxes


@dataclass(frozen=True)
class Geometry:
    """placed = source * scale + offset, on a canvas of width x height pixels.

    As a value of the graph it is float64 [6] in the order of the fields.
    """

    scale_x: float
    scale_y: float
    offset_x: float
    offset_y: float
    width: float
    height: float

    def to_array(self) -> NDArray[np.float64]:
        return np.array([self.scale_x, self.scale_y, self.offset_x, self.offset_y, self.width, self.height], np.float64)

    @staticmethod
    def from_array(op: str, values: NDArray[np.float64]) -> Geometry:
        if np.shape(values) != (6,):
            raise LitebundleError(
                f"{op}: the geometry has the shape {list(np.shape(values))}; it must be the [6] that letterbox gives"
            )
        return Geometry(*(float(value) for value in values))

    def boxes_in_picture(
        self,
        corners: NDArray[np.float64],
        scores: NDArray[np.float32],
        picture_height: int,
        picture_width: int,
    ) -> Boxes:
        """Corners float64 [N, 4] on the canvas to Boxes on the picture, cut to it, order kept.

        A box that is empty after the cut, or has a NaN side, is left out.
        """
        offset = np.array([self.offset_x, self.offset_y] * 2)
        scale = np.array([self.scale_x, self.scale_y] * 2)
        limit = np.array([picture_width, picture_height] * 2)
        placed = np.clip((corners - offset) / scale, 0.0, limit)
        boxes = np.concatenate([placed.astype(np.float32), scores[:, None].astype(np.float32)], axis=1)
        return boxes[(boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])]
