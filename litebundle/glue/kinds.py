"""The kinds of value that flow between glue operations, and the check of each at an operation's door."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from litebundle.errors import LitebundleError

Image = NDArray[np.uint8]
"""uint8 [H, W, 3] RGB or [H, W, 1] gray; H and W from 1 to MAX_SIDE."""
Tensor = NDArray[Any]
"""An array with a batch axis of 1 in front."""
Boxes = NDArray[np.float32]
"""float32 [N, 5]: x0 y0 x1 y1 score; pixel (column c, row r) covers [c, c+1) x [r, r+1)."""
Tokens = NDArray[np.int32]
"""int32 [T]."""

MAX_SIDE = 16384
"""Up to here the resize can prove that its fixed-point sums never leave 0..255."""


def check_image(op: str, image: Image) -> None:
    """Refuse what is not an Image."""
    shape = np.shape(image)
    if getattr(image, "dtype", None) != np.uint8 or len(shape) != 3 or shape[2] not in (1, 3):
        raise LitebundleError(
            f"{op}: the image is {_describe(image)}; an image is uint8 [height, width, 3] RGB "
            "or [height, width, 1] gray"
        )
    if not (1 <= shape[0] <= MAX_SIDE and 1 <= shape[1] <= MAX_SIDE):
        raise LitebundleError(
            f"{op}: the image is {shape[1]} x {shape[0]} pixels; each side must be 1 to {MAX_SIDE}: "
            "scale it or drop it before"
        )


def check_tensor(op: str, name: str, tensor: Tensor, shape: tuple[int | None, ...]) -> None:
    """Refuse a tensor that does not have `shape` (None: any size from 1)."""
    actual = np.shape(tensor)
    fits = len(actual) == len(shape) and all(
        size >= 1 if wanted is None else size == wanted for size, wanted in zip(actual, shape, strict=True)
    )
    if not fits:
        wanted_text = ", ".join("?" if size is None else str(size) for size in shape)
        raise LitebundleError(
            f"{op}: input '{name}' is {_describe(tensor)}; it must have the shape [{wanted_text}]: "
            "bind another model output to it or change the model's output shape"
        )


def check_floats(op: str, name: str, tensor: Tensor, shape: tuple[int | None, ...]) -> None:
    """Refuse a tensor that is not float32 of `shape` (None: any size from 1)."""
    check_tensor(op, name, tensor, shape)
    if tensor.dtype != np.float32:
        raise LitebundleError(
            f"{op}: input '{name}' is {_describe(tensor)}; it must be float32: bind another model output to it or "
            "change the model's output type"
        )


def check_boxes(op: str, boxes: Boxes) -> None:
    """Refuse what is not Boxes."""
    if getattr(boxes, "dtype", None) != np.float32 or np.ndim(boxes) != 2 or np.shape(boxes)[1] != 5:
        raise LitebundleError(
            f"{op}: the boxes are {_describe(boxes)}; boxes are float32 [N, 5] with x0, y0, x1, y1, score"
        )


def loaded_labels(op: str, labels: str | tuple[str, ...], count: int | None = None) -> tuple[str, ...]:
    """The labels themselves; a file name that nobody replaced by its content, or a wrong count, is
    refused."""
    if isinstance(labels, str):
        raise LitebundleError(
            f"{op}: labels is still the file name {labels!r}; read the file and pass its list of strings"
        )
    if count is not None and len(labels) != count:
        raise LitebundleError(
            f"{op}: {len(labels)} labels for {count} classes; the label file must name each class of the "
            "model's output once, in order"
        )
    return labels


def _describe(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {list(value.shape)}"
    return f"a {type(value).__name__}"
