"""A build that is killed, for a process of its own."""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from litebundle.build import measure
from litebundle.build.builder import build
from litebundle.build.progress import LogProgress

CHANGES = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}
HALF_WRITTEN_BYTES = 64


def build_until(project: Path, event: int) -> None:
    """Build, and die at the change of the project's folder that comes after `event` others.

    A change is a file opened to write, or anything made, renamed or removed. A file that is opened to write is cut
    off in its first bytes by the system, which kills the process for it; any other change is never made.
    """
    left = event

    def watch(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if name not in CHANGES or (name == "open" and "r" in str(arguments[1])):
            return
        if str(arguments[0]).startswith(str(project)):
            left -= 1
            if left == -1 and name == "open":
                _allow_half_a_file()
            elif left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    # Measuring takes a process, and longer than all the rest of a small build.
    measure._peak_memory_mb = lambda bundle, photo: 100.0
    sys.addaudithook(watch)
    build(project, project / "dist", LogProgress())


def _allow_half_a_file() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (HALF_WRITTEN_BYTES, HALF_WRITTEN_BYTES))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
