"""Widen a tensor to a fixed size, to the right and at the bottom."""

from __future__ import annotations

import numpy as np

from litebundle.errors import LitebundleError
from litebundle.glue.kinds import Tensor, check_tensor
from litebundle.glue.operation import Attributes, Operation, Port, Real, Size

_DTYPES = tuple(np.dtype(name) for name in ("float32", "uint8", "int8", "int32"))


class PadAttributes(Attributes):
    size: Size
    value: Real = 0.0


def run(attributes: PadAttributes, tensor: Tensor) -> tuple[Tensor]:
    """tensor [1, h, w, C] of float32, uint8, int8 or int32 -> [1, size[0], size[1], C] of the same.

    value fills what is new.

    Raises LitebundleError if the tensor is larger than size, or its dtype cannot hold the value.
    """
    check_tensor("pad", "tensor", tensor, (1, None, None, None))
    if tensor.dtype not in _DTYPES:
        raise LitebundleError(f"pad: the tensor is {tensor.dtype}; it must be one of {', '.join(map(str, _DTYPES))}")
    _, rows, columns, channels = tensor.shape
    height, width = attributes.size
    if rows > height or columns > width:
        raise LitebundleError(
            f"pad: the tensor is {rows} x {columns}, larger than size {height} x {width}; "
            "resize the picture to fit before"
        )
    fill = np.float64(attributes.value)
    if tensor.dtype != np.float32 and not (fill == np.rint(fill) and _holds(tensor.dtype, fill)):
        raise LitebundleError(
            f"pad: {tensor.dtype} cannot hold the value {attributes.value}; pad the picture before "
            "normalize (letterbox with fill), or choose a whole number in range"
        )
    padded = np.full((1, height, width, channels), fill, tensor.dtype)
    padded[:, :rows, :columns] = tensor
    return (padded,)


def _holds(dtype: np.dtype[np.integer], value: np.float64) -> bool:
    limits = np.iinfo(dtype)
    return bool(limits.min <= value <= limits.max)


OPERATION = Operation("pad", PadAttributes, (Port("tensor", "tensor"),), (Port("tensor", "tensor"),), run)
