"""Reading golden vectors out of a bundle's files; docs/bundle.md defines their form."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from litebundle.bundle.json_text import parse_json
from litebundle.bundle.manifest import TensorInfo
from litebundle.errors import LitebundleError
from litebundle.run.model import Array

_8_BIT_RGB = b"\x08\x02"
"""Bit depth and colour type in a PNG's header; PIL makes 8 bits of 16 silently."""
_MAX_SIDE = 16384
_MAX_PIXELS = 2**25
"""What a phone can hold beside everything else."""
_AMBIGUOUS = {"interlace", "gamma", "chromaticity", "icc_profile", "transparency"}


def decode_array(data: memoryview, tensor: TensorInfo, name: str) -> Array:
    """The raw values in the file `name`, as an array of the tensor's dtype and shape.

    Raises:
        LitebundleError: The file's size is not the tensor's.
    """
    dtype = np.dtype(tensor.dtype)
    size_bytes = dtype.itemsize * int(np.prod(tensor.shape, dtype=np.int64))
    if len(data) != size_bytes:
        raise LitebundleError(
            f"file {name!r} has {len(data)} bytes, but tensor {tensor.name!r}, {tensor.dtype} {list(tensor.shape)}, "
            f"takes {size_bytes}"
        )
    return np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(tensor.shape)


def decode_items(data: memoryview, name: str) -> Sequence[dict[str, Any]]:
    """The result items in the JSON file `name`.

    Raises:
        LitebundleError: It is not a JSON list of objects.
    """
    try:
        items = parse_json(data)
    except ValueError as error:
        raise LitebundleError(f"file {name!r} is not JSON ({error})") from error
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise LitebundleError(f"file {name!r} is not a JSON list of objects")
    return items


def decode_photo(data: memoryview, name: str) -> Array:
    """The photo in the PNG file `name`: uint8 [H, W, 3].

    Raises:
        LitebundleError: It is not a PNG that can be read.
    """
    # PIL lets many kinds of exception escape from damaged files; each means the same to the user.
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
            if bytes(data[24:26]) != _8_BIT_RGB or picture.info.keys() & _AMBIGUOUS:
                raise ValueError("it is not 8-bit RGB without interlace, gamma, profile or transparency")
            if max(picture.size) > _MAX_SIDE or picture.width * picture.height > _MAX_PIXELS:
                raise ValueError(f"{picture.width} x {picture.height} pixels are too many; use a smaller photo")
            return np.ascontiguousarray(np.asarray(picture))
    except Exception as error:
        raise LitebundleError(f"file {name!r} is not a readable PNG ({error})") from error
