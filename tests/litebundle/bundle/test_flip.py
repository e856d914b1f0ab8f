"""Any byte flipped: refused."""

from __future__ import annotations

import os

import pytest

from litebundle.bundle import Bundle
from litebundle.errors import LitebundleError


def test_each_flipped_byte_is_refused(small_path):
    data = small_path.read_bytes()
    with small_path.open("r+b") as file:
        for at, byte in enumerate(data):
            # Another bit for each byte, so that all are tried, in every kind of structure.
            os.pwrite(file.fileno(), bytes([byte ^ 1 << at % 8]), at)
            with pytest.raises(LitebundleError, match=r"small\.litebundle"):
                Bundle.open(small_path)
            os.pwrite(file.fileno(), bytes([byte]), at)
    Bundle.open(small_path).close()


def test_each_flipped_byte_of_a_folders_files_is_refused(small_path, tmp_path, unpack):
    folder = unpack(small_path, tmp_path / "folder")
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        with path.open("r+b") as file:
            for at, byte in enumerate(data):
                os.pwrite(file.fileno(), bytes([byte ^ 1 << at % 8]), at)
                with pytest.raises(LitebundleError, match=r"folder"):
                    Bundle.open(folder)
                os.pwrite(file.fileno(), bytes([byte]), at)
    Bundle.open(folder).close()
