"""Turn a picture back by the quarter turns that a classifier saw in it."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from litebundle.errors import LitebundleError
from litebundle.glue.kinds import Image, Tensor, check_floats, check_image
from litebundle.glue.operation import Attributes, Operation, Port, Real


class RotateUprightAttributes(Attributes):
    angles: tuple[Annotated[int, Field(strict=True, ge=0, le=270, multiple_of=90)], ...] = (0, 90, 180, 270)
    threshold: Real | None = None

    @model_validator(mode="after")
    def _angles_are_classes(self) -> RotateUprightAttributes:
        if not self.angles or len(set(self.angles)) != len(self.angles):
            raise ValueError("angles must name each class's turn once")
        if self.threshold is not None and self.angles[0] != 0:
            raise ValueError("a threshold falls back to class 0, so angles must begin with 0")
        return self


def run(attributes: RotateUprightAttributes, picture: Image, scores: Tensor) -> tuple[Image, int]:
    """picture [H, W, C], scores [1, K] -> the upright picture and the class index.

    Class k means: the picture shows the upright one turned counter-clockwise by angles[k] degrees. It is
    turned back, exactly. The class is the highest score, ties to the lowest index; 0 if its score is under
    the threshold.
    """
    check_image("rotate_upright", picture)
    check_floats("rotate_upright", "scores", scores, (1, len(attributes.angles)))
    row = scores[0]
    if np.isnan(row).any():
        raise LitebundleError("rotate_upright: the scores hold NaN; the model's output is broken for this picture")
    index = int(np.argmax(row))
    if attributes.threshold is not None and row[index] < np.float32(attributes.threshold):
        index = 0
    quarter_turns = attributes.angles[index] // 90
    return np.ascontiguousarray(np.rot90(picture, -quarter_turns)), index


OPERATION = Operation(
    "rotate_upright",
    RotateUprightAttributes,
    (Port("picture", "image"), Port("scores", "tensor")),
    (Port("picture", "image"), Port("angle", "index")),
    run,
    replaces_picture=True,
)
