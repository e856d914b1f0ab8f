"""Scale a picture to a height with its aspect kept, up to a greatest width."""

from __future__ import annotations

from litebundle.glue.kinds import Image, check_image
from litebundle.glue.letterbox import scaled_side
from litebundle.glue.operation import Attributes, Count, Operation, Port
from litebundle.glue.resize import resize_image


class FitHeightAttributes(Attributes):
    height: Count
    max_width: Count


def run(attributes: FitHeightAttributes, image: Image) -> tuple[Image]:
    """image [H, W, C] -> image [height, min(max_width, W * height / H rounded half up, at least 1), C].

    A picture wider than max_width is squeezed.
    """
    check_image("fit_height", image)
    rows, columns, _ = image.shape
    width = min(attributes.max_width, scaled_side(columns, attributes.height, rows))
    return (resize_image(image, attributes.height, width),)


OPERATION = Operation("fit_height", FitHeightAttributes, (Port("image", "image"),), (Port("image", "image"),), run)
