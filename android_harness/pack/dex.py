"""Dex files: the class files that the tests ran, shrunk by R8."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from android_harness.pack.tools import run

MIN_API = 26
# R8 ends before what the JVM's second compiler and parallel collectors cost is paid back: half the time on two cores.
_ONE_SHOT = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


@dataclass(frozen=True)
class Shrinker:
    """R8, and what the classes run against: the platform's jar, and the JDK for what only javac's output names."""

    java_home: Path
    r8: Path
    platform: Path


def dex(shrinker: Shrinker, jars: Sequence[Path], rules: Sequence[Path], folder: Path) -> dict[str, bytes]:
    """Shrink `jars` to dex files (name in the APK -> content); the map of moved lines is left in `folder`."""
    output = folder / "dex"
    output.mkdir()
    run(
        [
            shrinker.java_home / "bin" / "java",
            *("-Xmx2g", *_ONE_SHOT, "-cp", shrinker.r8, "com.android.tools.r8.R8"),
            *("--release", "--min-api", str(MIN_API), "--no-data-resources"),
            *("--lib", shrinker.platform, "--lib", shrinker.java_home),
            *(part for file in rules for part in ("--pg-conf", file)),
            *("--pg-map-output", folder / "mapping.txt", "--output", output),
            *jars,
        ]
    )
    return {file.name: file.read_bytes() for file in sorted(output.glob("*.dex"))}
