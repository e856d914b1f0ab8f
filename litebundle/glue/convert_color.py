"""Gray, RGB and BGR."""

from __future__ import annotations

from typing import Literal

import numpy as np

from litebundle.glue.kinds import Image, check_image
from litebundle.glue.operation import Attributes, Operation, Port


class ConvertColorAttributes(Attributes):
    to: Literal["gray", "bgr", "rgb"]


def run(attributes: ConvertColorAttributes, image: Image) -> tuple[Image]:
    """image RGB [H, W, 3] or gray [H, W, 1] -> gray [H, W, 1], or three channels in the order named by `to`.

    Gray is (77 R + 150 G + 29 B + 128) >> 8: the luma weights of ITU-R BT.601 in 8 bits. Gray becomes
    colour by three equal channels.
    """
    check_image("convert_color", image)
    is_gray = image.shape[2] == 1
    if attributes.to == "gray":
        return (image if is_gray else _luma(image),)
    if is_gray:
        return (np.repeat(image, 3, axis=2),)
    return (image if attributes.to == "rgb" else np.ascontiguousarray(image[:, :, ::-1]),)


def _luma(image: Image) -> Image:
    # The greatest sum, 256 * 255 + 128, fits uint16.
    total = image[:, :, 0] * np.uint16(77)
    total += image[:, :, 1] * np.uint16(150)
    total += image[:, :, 2] * np.uint16(29)
    total += np.uint16(128)
    return (total >> 8).astype(np.uint8)[:, :, None]


OPERATION = Operation(
    "convert_color", ConvertColorAttributes, (Port("image", "image"),), (Port("image", "image"),), run
)
