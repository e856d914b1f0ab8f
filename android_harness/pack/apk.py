"""What lies in the APK, and where."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

from android_harness.pack.tools import PackError
from litebundle.bundle import Bundle

PAGE = 16384
"""Memory pages of newer phones, in bytes: what is mapped from the APK begins at a multiple of it."""
_WORD = 4
ABI_FOLDER = "lib/arm64-v8a/"

# JavaCPP's Loader reads there that libraries are called lib*.so; of all its resources the one that a phone needs.
# It then finds no library beside its classes and calls System.loadLibrary("jnijavacpp"), ("jnitensorflowlite"), which
# takes lib/arm64-v8a/lib<name>.so: the names that the jars already have. (device-only: native-libraries)
_LOADER_PROPERTIES = "org/bytedeco/javacpp/properties/android-arm64.properties"


def alignment(name: str) -> int:
    """Bytes of which an entry's offset is a multiple; Android reads resources.arsc in words."""
    return PAGE if name.endswith((".so", ".litebundle")) else _WORD


def split(classpath: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Jars of classes, and jars of libraries for arm64."""
    native = [jar for jar in classpath if _libraries(jar)]
    return [jar for jar in classpath if jar not in native], native


def libraries(jars: Sequence[Path]) -> dict[str, bytes]:
    return {name: data for jar in jars for name, data in _libraries(jar).items()}


def found_by_name(jars: Sequence[Path]) -> frozenset[str]:
    """Classes that the libraries look up by name: JavaCPP lists them beside each library, Java's own among them."""
    found: set[str] = set()
    for jar in jars:
        with zipfile.ZipFile(jar) as archive:
            for name in archive.namelist():
                if name.endswith("/jni-config.json"):
                    found |= {entry["name"] for entry in json.loads(archive.read(name))}
    return frozenset(name for name in found if not name.startswith("java."))


def resources(linked: Path) -> dict[str, bytes]:
    """The manifest, the table and the files of an APK that aapt2 linked."""
    with zipfile.ZipFile(linked) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def loader_properties(jars: Sequence[Path]) -> dict[str, bytes]:
    for jar in jars:
        with zipfile.ZipFile(jar) as archive:
            if _LOADER_PROPERTIES in archive.namelist():
                return {_LOADER_PROPERTIES: archive.read(_LOADER_PROPERTIES)}
    raise PackError(f"no jar of the class path holds {_LOADER_PROPERTIES}; add org.bytedeco:javacpp")


def asset(bundle: Path) -> str:
    """Where the app finds `bundle`: under its name without the version."""
    with Bundle.open(bundle) as opened:
        return f"assets/{opened.manifest.identity.name}.litebundle"


def _libraries(jar: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(jar) as archive:
        names = [name for name in archive.namelist() if name.startswith(ABI_FOLDER) and name.endswith(".so")]
        return {name: archive.read(name) for name in names}
