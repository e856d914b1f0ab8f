"""Reading a picture file as the photo a pipeline starts from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from litebundle.errors import LitebundleError


def read_image(path: Path | str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Read a picture as uint8 [H, W, 3] RGB, C-contiguous, upright by its EXIF orientation.

    Transparency is laid on white, 16-bit gray is scaled to 8 bits.

    Raises:
        LitebundleError: The file is missing, is not a picture that can be read, or is cut short.
    """
    try:
        with Image.open(path) as picture:
            picture.load()
            upright = ImageOps.exif_transpose(picture)
    except FileNotFoundError as error:
        raise LitebundleError(f"{path}: no such picture") from error
    except UnidentifiedImageError as error:
        raise LitebundleError(
            f"{path}: not a readable picture (of no known format); give a PNG or JPEG file"
        ) from error
    # PIL lets many kinds of exception escape from damaged files; each means the same to the user.
    except Exception as error:
        raise LitebundleError(f"{path}: not a readable picture ({error}); give a PNG or JPEG file") from error
    return np.ascontiguousarray(np.asarray(_to_rgb(upright)))


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return picture.convert("RGB")
