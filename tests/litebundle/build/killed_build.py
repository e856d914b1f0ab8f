"""A build that kills itself, for a process of its own."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from litebundle.build.builder import build
from litebundle.build.progress import LogProgress

CHANGES = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}


def build_until(project: Path, event: int) -> None:
    """Build, and die by SIGKILL just before changing the project's folder for the time after `event` times.

    A change is a file opened to write, or anything made, renamed or removed.
    """
    left = event

    def watch(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if name not in CHANGES or (name == "open" and "r" in str(arguments[1])):
            return
        if str(arguments[0]).startswith(str(project)):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    build(project, project / "dist", LogProgress())
