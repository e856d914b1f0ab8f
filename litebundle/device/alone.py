"""One litebundle at a time uses a phone."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from litebundle.device.adb import Adb, DeviceError


@contextmanager
def alone(adb: Adb) -> Iterator[Adb]:
    """Keep others of this user off a phone: two would stop each other's app, and each would take the state that the
    other made for the one to restore. However the process ends, the phone is free again.

    Raises:
        DeviceError: Another one uses the phone.
    """
    name = f"litebundle-{os.getuid()}-{sha256(adb.serial.encode()).hexdigest()[:16]}.lock"
    with Path(tempfile.gettempdir(), name).open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DeviceError(
                f"device {adb.serial!r}: another 'litebundle device' uses it; wait until that ends, or take another "
                "phone with -s SERIAL"
            ) from None
        yield adb
