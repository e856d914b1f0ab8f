"""A golden photo's pixels are not a matter of opinion (docs/bundle.md, "Golden vectors")."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from litebundle.bundle.golden import decode_photo
from litebundle.errors import LitebundleError

PIXELS = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)


def png(picture: Image.Image, chunk: bytes | None = None, **options: object) -> memoryview:
    info = PngInfo()
    if chunk:
        info.add(chunk, struct.pack(">I", 45455) * (8 if chunk == b"cHRM" else 1))
    file = io.BytesIO()
    picture.save(file, "PNG", pnginfo=info, **options)
    return memoryview(file.getvalue())


def test_plain_rgb_is_read():
    assert np.array_equal(decode_photo(png(Image.fromarray(PIXELS)), "x"), PIXELS)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "I;16"])
def test_other_modes_are_refused(mode):
    with pytest.raises(LitebundleError, match="'x' is not a readable PNG"):
        decode_photo(png(Image.new(mode, (2, 2))), "x")


@pytest.mark.parametrize("chunk", [b"gAMA", b"cHRM"])
def test_colours_that_depend_on_the_reader_are_refused(chunk):
    with pytest.raises(LitebundleError, match="without interlace, gamma, profile"):
        decode_photo(png(Image.fromarray(PIXELS), chunk), "x")


@pytest.mark.parametrize("option", [{"icc_profile": b"x"}, {"transparency": (1, 2, 3)}])
def test_profile_and_transparency_are_refused(option):
    with pytest.raises(LitebundleError, match="without interlace, gamma, profile"):
        decode_photo(png(Image.fromarray(PIXELS), **option), "x")


def test_16_bits_are_refused():
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0" * 7)),
        (b"IEND", b""),
    ]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
    with pytest.raises(LitebundleError, match="it is not 8-bit RGB"):
        decode_photo(memoryview(data), "x")


def test_interlace_is_refused():
    data = bytearray(png(Image.fromarray(PIXELS)))
    data[28] = 1
    with pytest.raises(LitebundleError, match="'x' is not a readable PNG"):
        decode_photo(memoryview(data), "x")


def test_photos_beyond_a_phones_memory_are_refused():
    with pytest.raises(LitebundleError, match="use a smaller photo"):
        decode_photo(png(Image.new("RGB", (16384, 2049))), "x")
