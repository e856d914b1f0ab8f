"""Recorded frames that a phone is to replay (docs/recording.md)."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from litebundle.device.adb import DeviceError
from litebundle.errors import LitebundleError

_INDEX = "recording.json"
_WAY_OUT = "give the folder that RecordingWriter or 'litebundle-harness make-recording' wrote"


@dataclass(frozen=True)
class Recording:
    """One file that the app takes; `duration_s`: from the exposure of its first frame to that of its last."""

    zip: Path
    duration_s: float


@contextmanager
def opened(path: Path) -> Iterator[Recording]:
    """A recording as a zip: `path` itself, or made of the folder that it is, and gone on leaving.

    Raises:
        DeviceError: It is none, or a zip of another layout than docs/recording.md asks for.
        OSError: It cannot be read, or there is no room for the zip.
    """
    if not path.exists():
        raise DeviceError(f"{path}: no such recording; {_WAY_OUT}")
    with tempfile.TemporaryDirectory() as folder:
        file = _pack(path, Path(folder, "recording.zip")) if path.is_dir() else path
        yield Recording(file, _duration_s(path, _index(path, file)))


def _pack(folder: Path, target: Path) -> Path:
    from litebundle.bundle.layout import alignment
    from litebundle.bundle.zip_writer import write_zip

    files = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
    with target.open("wb") as file:
        write_zip(file, files, alignment)
    return target


def _index(path: Path, file: Path) -> bytes:
    """Every byte of the zip is checked, so that a phone does not refuse it minutes later."""
    from litebundle.bundle.container import ZipContainer

    try:
        with closing(ZipContainer(file)) as container:
            if _INDEX not in container.names:
                raise LitebundleError(f"there is no {_INDEX} in it")
            return bytes(container.read(_INDEX))
    except LitebundleError as error:
        raise DeviceError(f"{path}: no recording ({error}); {_WAY_OUT}") from None


def _duration_s(path: Path, index: bytes) -> float:
    try:
        frames = json.loads(index)["frames"]
        first, last = (int(frames[i]["timestamp_ns"]) for i in (0, -1))
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise DeviceError(f"{path}: no recording ({_INDEX}: {error!r}); {_WAY_OUT}") from None
    if last < first:
        raise DeviceError(f"{path}: its last frame is older than its first; record it again")
    return (last - first) / 1e9
