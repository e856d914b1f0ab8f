from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from litebundle.errors import LitebundleError
from litebundle.run import read_image

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


def test_png_is_read_exactly_also_under_a_korean_name(tmp_path):
    path = tmp_path / "수식 사진.png"
    Image.fromarray(PIXELS).save(path)
    found = read_image(path)
    np.testing.assert_array_equal(found, PIXELS)
    assert found.flags.c_contiguous and found.dtype == np.uint8


def test_exif_orientation_is_applied(tmp_path):
    path = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[0x0112] = 6  # the top of the scene is at the right of the stored picture
    Image.fromarray(np.rot90(PIXELS)).save(path, exif=exif)
    np.testing.assert_array_equal(read_image(path), PIXELS)


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "RGBA", "LA", "I;16"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    path = tmp_path / "picture.tiff"
    white = np.full((4, 6), 65535, np.uint16) if mode == "I;16" else None
    picture = Image.fromarray(white) if white is not None else Image.new("RGB", (6, 4), "white").convert(mode)
    picture.save(path)
    assert read_image(path).tolist() == np.full((4, 6, 3), 255).tolist()


def test_transparent_is_white(tmp_path):
    path = tmp_path / "clear.png"
    Image.new("RGBA", (2, 2), (0, 0, 0, 0)).save(path)
    assert read_image(path).min() == 255


def test_what_cannot_be_read_is_refused(tmp_path):
    whole = tmp_path / "whole.png"
    Image.fromarray(PIXELS).save(whole)
    cut = tmp_path / "cut.png"
    cut.write_bytes(whole.read_bytes()[:-60])
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    for path in (cut, text, tmp_path):
        with pytest.raises(LitebundleError, match="not a readable picture"):
            read_image(path)
    with pytest.raises(LitebundleError, match="no such picture"):
        read_image(tmp_path / "absent.png")
