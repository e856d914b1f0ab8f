"""How long a recording is that a phone is to replay (docs/recording.md)."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZIP_STORED, BadZipFile, ZipFile

from litebundle.device.adb import DeviceError

_INDEX = "recording.json"
_WAY_OUT = "give what RecordingWriter or 'litebundle-harness make-recording' wrote, as a stored zip"


def duration_s(path: Path) -> float:
    """From the exposure of a recording's first frame to that of its last.

    Raises:
        DeviceError: It is no stored zip with a recording.json that has frames.
    """
    try:
        with ZipFile(path) as file:
            if any(entry.compress_type != ZIP_STORED for entry in file.infolist()):
                raise DeviceError(f"{path}: it is compressed; store it (zip -0 -r recording.zip .) and give that")
            frames = json.loads(file.read(_INDEX))["frames"]
        first, last = (int(frames[i]["timestamp_ns"]) for i in (0, -1))
    except (OSError, BadZipFile) as error:
        raise DeviceError(f"{path}: no zip that can be read ({error}); {_WAY_OUT}") from None
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DeviceError(f"{path}: no recording ({_INDEX}: {error!r}); {_WAY_OUT}") from None
    if last < first:
        raise DeviceError(f"{path}: its last frame is older than its first; record it again")
    return (last - first) / 1e9
