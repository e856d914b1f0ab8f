"""Pixels to the float tensor a model was trained on."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from litebundle.errors import LitebundleError
from litebundle.glue.kinds import Image, check_image
from litebundle.glue.operation import Attributes, Operation, Port, Positive, Real


class NormalizeAttributes(Attributes):
    mean: Annotated[tuple[Real, ...], Field(min_length=1, max_length=3)]
    std: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=3)]


def run(attributes: NormalizeAttributes, image: Image) -> tuple[NDArray[np.float32]]:
    """image [H, W, C] -> float32 [1, H, W, C] = (x - mean) / std per channel, x in 0..255.

    mean and std hold C values or one for all channels. They are rounded to float32 first; the subtraction
    and the division are float32.
    """
    check_image("normalize", image)
    channels = image.shape[2]
    for name, values in (("mean", attributes.mean), ("std", attributes.std)):
        if len(values) not in (1, channels):
            raise LitebundleError(
                f"normalize: {name} has {len(values)} values for an image of {channels} channels; "
                f"give one value or {channels}"
            )
    tensor = image[None].astype(np.float32)
    tensor -= np.array(attributes.mean, np.float32)
    tensor /= np.array(attributes.std, np.float32)
    return (tensor,)


OPERATION = Operation("normalize", NormalizeAttributes, (Port("image", "image"),), (Port("tensor", "tensor"),), run)
