"""Recorded frames that a phone is to replay (docs/recording.md)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from litebundle.device.adb import DeviceError
from litebundle.device.recorded import Recorded, files_in, read_recording


@contextmanager
def opened(path: Path) -> Iterator[Recorded]:
    """A recording as a zip, which the app takes: `path` itself, or made of the folder that it is, and gone on leaving.

    Raises:
        DeviceError: It is none, or a zip of another layout than docs/recording.md asks for.
        OSError: It cannot be read, or there is no room for the zip.
    """
    if not path.exists():
        raise DeviceError(
            f"{path}: no such recording; give the folder that 'litebundle device record' "
            "or 'litebundle-harness make-recording' wrote"
        )
    recorded = read_recording(path)
    if not path.is_dir():
        yield recorded
        return
    with tempfile.TemporaryDirectory() as folder:
        yield replace(recorded, path=_pack(path, Path(folder, "recording.zip")))


def _pack(folder: Path, target: Path) -> Path:
    from litebundle.bundle.layout import alignment
    from litebundle.bundle.zip_writer import write_zip

    with target.open("wb") as file:
        write_zip(file, files_in(folder), alignment)
    return target
