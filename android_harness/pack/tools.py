"""The programs that packing calls."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from litebundle.errors import LitebundleError


class PackError(LitebundleError):
    """An APK that cannot be made or does not hold what it must."""


def program(name: str) -> Path:
    """A Debian program (apksigner, dexdump) or one of the JDK's, by its name on the path."""
    found = shutil.which(name)
    if found is None:
        raise PackError(f"'{name}' is not installed; on Debian: apt-get install {name}")
    return Path(found)


def run(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> str:
    """What `command` prints. Raises PackError with its output if it exits with anything but 0."""
    done = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, **(environment or {})},
    )
    if done.returncode != 0:
        raise PackError(f"{Path(command[0]).name} exited with {done.returncode}:\n{done.stdout.strip()}")
    return done.stdout
