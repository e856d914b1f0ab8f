"""A recording: its `recording.json`, as docs/recording.schema.json defines it, and the files that belong to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from litebundle.bundle.layout import check_distinct, check_name
from litebundle.device.adb import DeviceError
from litebundle.device.result import Count, Part
from litebundle.errors import LitebundleError
from litebundle.validation import first_fault

INDEX = "recording.json"
_AGAIN = "record again"

Side = Annotated[int, Field(ge=1, le=1 << 14)]
Positive = Annotated[int, Field(ge=1)]
DurationNs = Annotated[int, Field(ge=0, le=60_000_000_000)]


class Plane(Part):
    offset: Count
    size_bytes: Positive
    row_stride: Positive
    pixel_stride: Positive


class Planes(Part):
    y: Plane
    u: Plane
    v: Plane


class Boottime(Part):
    domain: Literal["boottime"]
    offset_low_ns: int
    offset_high_ns: int


class OtherClock(Part):
    domain: Literal["monotonic", "undecided"]


class Frame(Part):
    timestamp_ns: int
    exposure_ns: DurationNs
    skew_ns: DurationNs
    frame_duration_ns: DurationNs
    capture_result_ns: int | None
    image_available_ns: int | None
    file: str | None


class RecordingIndex(Part):
    """recording.json; docs/recording.schema.json describes every key, and a test holds the two together."""

    format_version: Annotated[str, Field(pattern=r"^1\.[0-9]{1,6}$")]
    made_utc: Annotated[str, Field(pattern=r"Z$")]
    device: str
    width: Side
    height: Side
    standard: Literal["bt601", "bt709"]
    range: Literal["full", "limited"]
    sensor_orientation_deg: Literal[0, 90, 180, 270]
    sensor_clock: Annotated[Boottime | OtherClock, Field(discriminator="domain")]
    frame_bytes: Annotated[int, Field(ge=1, le=1 << 30)]
    planes: Planes
    frames: list[Frame]


@dataclass(frozen=True)
class Recorded:
    """A recording, a folder or a zip; `lost`: how many of its frames have no picture."""

    path: Path
    frames: int
    lost: int
    duration_s: float
    size_bytes: int


def read_recording(path: Path) -> Recorded:
    """The recording in a folder, or in a zip of which every byte is checked.

    Raises:
        DeviceError: It has no recording.json, that breaks the schema, or the files are not those that it tells of.
        OSError: It cannot be read.
    """
    return _in_folder(path) if path.is_dir() else _in_zip(path)


def files_in(folder: Path) -> dict[str, Path]:
    """All files, by the names that they have in a recording."""
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def _in_folder(folder: Path) -> Recorded:
    files = files_in(folder)
    sizes = {name: path.stat().st_size for name, path in files.items()}
    return _checked(folder, sizes, lambda: files[INDEX].read_bytes())


def _in_zip(file: Path) -> Recorded:
    from litebundle.bundle.container import ZipContainer

    try:
        container = ZipContainer(file)
    except LitebundleError as error:
        raise DeviceError(f"{file}: no recording ({error}); give the folder that was recorded") from None
    with closing(container):
        sizes = {name: len(container.read(name)) for name in container.names}
        return _checked(file, sizes, lambda: bytes(container.read(INDEX)))


def _checked(path: Path, sizes: Mapping[str, int], read_index: Callable[[], bytes]) -> Recorded:
    """`sizes`: of all files, by name."""
    if INDEX not in sizes:
        raise DeviceError(f"{path}: no recording, or one that was cut off: there is no {INDEX} in it; {_AGAIN}")
    index = _parsed(path, read_index())
    times = [frame.timestamp_ns for frame in index.frames]
    if not times or any(one >= other for one, other in pairwise(times)):
        raise DeviceError(f"{path}: its frames are not in the order of their times, or there are none; {_AGAIN}")
    for frame in index.frames:
        if (frame.file is None) != (frame.image_available_ns is None):
            raise DeviceError(f"{path}: frame {frame.timestamp_ns} has a file and no image, or the reverse; {_AGAIN}")
    pictures = {frame.file for frame in index.frames if frame.file is not None}
    _check_files(path, pictures, sizes, index.frame_bytes)
    lost = sum(frame.file is None for frame in index.frames)
    size_bytes = len(pictures) * index.frame_bytes
    return Recorded(path, len(times), lost, (times[-1] - times[0]) / 1e9, size_bytes)


def _parsed(path: Path, index: bytes) -> RecordingIndex:
    try:
        return RecordingIndex.model_validate_json(index)
    except ValidationError as error:
        raise DeviceError(
            f"{path}: {INDEX} breaks the schema of a recording at {first_fault(error, 'its begin')}; "
            "use the litebundle and the app of one version"
        ) from None


def _check_files(path: Path, pictures: Set[str], sizes: Mapping[str, int], frame_bytes: int) -> None:
    try:
        for name in sizes:
            check_name(name)
        check_distinct(list(sizes))
    except LitebundleError as error:
        raise DeviceError(f"{path}: no recording ({error}); {_AGAIN}") from None
    for name in sorted(pictures ^ (sizes.keys() - {INDEX})):
        fault = "is missing" if name in pictures else "does not belong to it"
        raise DeviceError(f"{path}: file {name!r} {fault}; {_AGAIN}")
    for name in sorted(pictures):
        if sizes[name] != frame_bytes:
            raise DeviceError(f"{path}: {name} has {sizes[name]} bytes, not the {frame_bytes} of a frame; {_AGAIN}")
