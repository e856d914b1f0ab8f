"""A build that kills itself: run as a script by test_killed_build.py, in a process of its own.

It gets `project` and `event`, and dies by SIGKILL just before it changes the file system for the `event`-th time:
opens a file to write, makes, renames or removes something in the project's folder.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from litebundle.build.builder import build
from litebundle.build.progress import LogProgress

project: Path
event: int

CHANGES = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}


def watch(name: str, arguments: tuple[Any, ...]) -> None:
    global event
    if name not in CHANGES or (name == "open" and "r" in str(arguments[1])):
        return
    if str(arguments[0]).startswith(str(project)):
        event -= 1
        if event < 0:
            os.kill(os.getpid(), signal.SIGKILL)


sys.addaudithook(watch)
build(project, project / "dist", LogProgress())
