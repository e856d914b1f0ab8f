"""The resize against Pillow, whose filter it defines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from litebundle.errors import LitebundleError
from litebundle.glue import OPERATIONS
from litebundle.glue.kinds import MAX_SIDE
from litebundle.glue.resize import resize_image

SIDES = st.integers(1, 160)


def pillow(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Columns, then rows: Pillow itself takes either first, depending on its version and on the sizes."""
    plain = Image.fromarray(image if image.shape[2] == 3 else image[:, :, 0])
    across = plain.resize((width, image.shape[0]), Image.Resampling.BILINEAR)
    return np.asarray(across.resize((width, height), Image.Resampling.BILINEAR)).reshape(height, width, -1)


@settings(max_examples=150, deadline=None)
@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from((1, 3)), st.integers(0, 2**32 - 1))
@example(300, 90, 64, 18, 1, 0)
@example(1, 1, 160, 160, 3, 0)
@example(160, 160, 1, 1, 3, 0)
def test_equals_pillow(rows: int, columns: int, height: int, width: int, channels: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (rows, columns, channels), dtype=np.uint8)
    resized = resize_image(image, height, width)
    assert resized.flags.c_contiguous
    np.testing.assert_array_equal(resized, pillow(image, height, width), strict=True)


@pytest.mark.parametrize("shape", [(1024, 768, 3), (600, 1700, 3), (2500, 1300, 1)])
def test_equals_pillow_on_a_photo_in_strips(shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)
    np.testing.assert_array_equal(resize_image(image, 320, 240), pillow(image, 320, 240), strict=True)


@settings(max_examples=50, deadline=None)
@given(SIDES, SIDES, SIDES, SIDES, st.integers(0, 255))
def test_a_flat_picture_stays_flat(rows: int, columns: int, height: int, width: int, value: int) -> None:
    image = np.full((rows, columns, 1), value, np.uint8)
    np.testing.assert_array_equal(resize_image(image, height, width), np.full((height, width, 1), value, np.uint8))


def test_the_widest_picture_keeps_white_white() -> None:
    image = np.full((1, MAX_SIDE, 1), 255, np.uint8)
    for width in (1, 2, 3, 7, 8191):
        np.testing.assert_array_equal(resize_image(image, 1, width), 255)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((1, MAX_SIDE + 1, 1), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        "photo.png",
    ],
)
def test_what_is_no_image_is_refused(image: object) -> None:
    operation = OPERATIONS["resize"]
    with pytest.raises(LitebundleError, match="resize: the image is"):
        operation.run(operation.attributes.model_validate({"size": [2, 2]}), image)
