"""Pixels as they are, for a model whose normalisation is folded into its quantized input."""

from __future__ import annotations

from litebundle.glue.kinds import Image, Tensor, check_image
from litebundle.glue.operation import Attributes, Operation, Port


class ToTensorAttributes(Attributes):
    pass


def run(attributes: ToTensorAttributes, image: Image) -> tuple[Tensor]:
    """image [H, W, C] -> uint8 [1, H, W, C], without a copy."""
    check_image("to_tensor", image)
    return (image[None],)


OPERATION = Operation("to_tensor", ToTensorAttributes, (Port("image", "image"),), (Port("tensor", "tensor"),), run)
