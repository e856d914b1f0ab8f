"""What RecordingWriter writes."""

from __future__ import annotations

from typing import Any

FRAME_BYTES = 6
_PLANE = {"size_bytes": 4, "row_stride": 2, "pixel_stride": 1}


def frame(number: int, timestamp_ns: int, is_lost: bool = False) -> dict[str, Any]:
    return {
        "timestamp_ns": timestamp_ns,
        "exposure_ns": 8_000_000,
        "skew_ns": 0,
        "frame_duration_ns": 33_333_333,
        "capture_result_ns": timestamp_ns + 20_000_000,
        "image_available_ns": None if is_lost else timestamp_ns + 21_000_000,
        "file": None if is_lost else f"frames/{number:06d}.yuv",
    }


def index(frames: list[dict[str, Any]]) -> dict[str, Any]:
    """recording.json of 2 x 2 pixels."""
    return {
        "format_version": "1.0",
        "made_utc": "2026-01-02T03:04:05Z",
        "device": "Loop 1",
        "width": 2,
        "height": 2,
        "standard": "bt601",
        "range": "full",
        "sensor_orientation_deg": 90,
        "sensor_clock": {"domain": "boottime", "offset_low_ns": 1, "offset_high_ns": 2},
        "frame_bytes": FRAME_BYTES,
        "planes": {
            "y": _PLANE | {"offset": 0},
            "u": _PLANE | {"offset": 4, "size_bytes": 1, "row_stride": 1},
            "v": _PLANE | {"offset": 5, "size_bytes": 1, "row_stride": 1},
        },
        "frames": frames,
    }
