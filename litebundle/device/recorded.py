"""A recording's `recording.json`, as docs/recording.schema.json defines it, and the files that belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from litebundle.device.adb import DeviceError
from litebundle.device.result import Count, Part

INDEX = "recording.json"
_AGAIN = "record again"

Side = Annotated[int, Field(ge=1, le=1 << 15)]
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
    """A recording's folder; `lost`: how many of its frames have no picture."""

    folder: Path
    frames: int
    lost: int
    duration_s: float
    size_bytes: int


def read_recording(folder: Path) -> Recorded:
    """The recording in a folder.

    Raises:
        DeviceError: It has no recording.json, that breaks the schema, or the files are not those that it tells of.
    """
    index = _read_index(folder / INDEX)
    times = [frame.timestamp_ns for frame in index.frames]
    if not times or any(one >= other for one, other in pairwise(times)):
        raise DeviceError(f"{folder / INDEX}: its frames are not in the order of their times; {_AGAIN}")
    for frame in index.frames:
        if (frame.file is None) != (frame.image_available_ns is None):
            raise DeviceError(f"{folder / INDEX}: frame {frame.timestamp_ns} has a file and no image; {_AGAIN}")
    pictures = {frame.file for frame in index.frames if frame.file is not None}
    _check_files(folder, pictures, index.frame_bytes)
    lost = sum(frame.file is None for frame in index.frames)
    size_bytes = len(pictures) * index.frame_bytes
    return Recorded(folder, len(times), lost, (times[-1] - times[0]) / 1e9, size_bytes)


def _read_index(path: Path) -> RecordingIndex:
    try:
        return RecordingIndex.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise DeviceError(f"{path}: the recording was cut off, there is no {INDEX}; {_AGAIN}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise DeviceError(
            f"{path}: breaks the schema of a recording at {place or 'its begin'}: {first['msg']}; "
            "use the litebundle and the app of one version"
        ) from None


def _check_files(folder: Path, pictures: set[str], frame_bytes: int) -> None:
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    there.pop(INDEX, None)
    for name in sorted(pictures ^ there.keys()):
        fault = "is missing" if name in pictures else "does not belong to it"
        raise DeviceError(f"{folder}: file {name!r} {fault}; {_AGAIN}")
    for path in there.values():
        if path.stat().st_size != frame_bytes:
            raise DeviceError(f"{path}: it has {path.stat().st_size} bytes, not the {frame_bytes} of a frame; {_AGAIN}")
