"""The fixed-point colours of camera frames against the real-valued formulas of ITU-R BT.601-7 and BT.709-6."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tests.litebundle.glue.reference import YUV_FACTORS, yuv_pixel
from tests.litebundle.glue.vector_files import FOLDER, Vector, read_vector

WEIGHTS = {"bt601": (Fraction("0.299"), Fraction("0.114")), "bt709": (Fraction("0.2126"), Fraction("0.0722"))}
"""K_R and K_B: what red and blue add to the luma; green adds the rest."""
ROWS = [(standard, value_range) for standard in WEIGHTS for value_range in ("full", "limited")]

ROUNDING = 0.5 + (255 + 2 * 128) / 2 / 65536
"""Of the result, and of up to three factors."""


def exact_factors(standard: str, value_range: str) -> tuple[Fraction, ...]:
    """Factors of y; of v in red; of u and v in green; of u in blue."""
    red, blue = WEIGHTS[standard]
    green = 1 - red - blue
    of_y, of_chroma = (
        (Fraction(255, 219), Fraction(255, 224)) if value_range == "limited" else (Fraction(1), Fraction(1))
    )
    return (
        of_y,
        2 * (1 - red) * of_chroma,
        2 * (1 - blue) * blue / green * of_chroma,
        2 * (1 - red) * red / green * of_chroma,
        2 * (1 - blue) * of_chroma,
    )


def real_rgb(standard: str, value_range: str, y: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    of_y, red_of_v, green_of_u, green_of_v, blue_of_u = map(float, exact_factors(standard, value_range))
    light, cb, cr = of_y * (y - 16.0 * (value_range == "limited")), u - 128.0, v - 128.0
    colours = [light + red_of_v * cr, light - green_of_u * cb - green_of_v * cr, light + blue_of_u * cb]
    return np.clip(np.stack(colours, axis=-1), 0.0, 255.0)


@pytest.mark.parametrize(("standard", "value_range"), ROWS)
def test_the_factors_are_those_of_the_standard_in_16_bits(standard: str, value_range: str) -> None:
    rounded = tuple(int(factor * 65536 + Fraction(1, 2)) for factor in exact_factors(standard, value_range))
    assert YUV_FACTORS[standard, value_range] == (16 * (value_range == "limited"), *rounded)


@pytest.mark.parametrize(("standard", "value_range"), ROWS)
def test_a_colour_is_the_nearest_level_to_the_real_one(standard: str, value_range: str) -> None:
    y, u, v = (axis.ravel() for axis in np.meshgrid(*[np.unique(np.r_[0:256:9, 16, 128, 235, 240, 255])] * 3))
    colours = np.array(
        [yuv_pixel(standard, value_range, *sample) for sample in zip(*map(np.ndarray.tolist, (y, u, v)), strict=True)]
    )
    assert np.abs(colours - real_rgb(standard, value_range, y, u, v)).max() <= ROUNDING


@pytest.mark.parametrize("path", sorted((FOLDER / "yuv_to_rgb").glob("*.json")), ids=lambda path: path.stem)
def test_a_vector_shows_its_planes(path: object) -> None:
    """numpy on strided views, against the files."""
    vector = read_vector(path)  # type: ignore[arg-type]
    if vector.outputs is None:
        return
    rows, columns = vector.attributes["height"], vector.attributes["width"]
    y = _samples(vector, "y", rows, columns)
    u, v = (
        np.kron(_samples(vector, name, (rows + 1) // 2, (columns + 1) // 2), np.ones((2, 2)))[:rows, :columns]
        for name in "uv"
    )
    colours = real_rgb(vector.attributes["standard"], vector.attributes["range"], y, u, v)
    upright = np.rot90(colours, -vector.attributes["orientation"] // 90)
    image = vector.outputs["image"]
    assert image.shape == upright.shape
    assert np.abs(image - upright).max() <= ROUNDING


def _samples(vector: Vector, name: str, rows: int, columns: int) -> np.ndarray:
    strides = (vector.attributes[f"{name}_row_stride"], vector.attributes[f"{name}_pixel_stride"])
    return np.lib.stride_tricks.as_strided(vector.inputs[name], (rows, columns), strides)
