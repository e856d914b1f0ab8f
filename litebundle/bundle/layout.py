"""Names and places inside a bundle."""

from __future__ import annotations

import re

from litebundle.errors import LitebundleError

MANIFEST = "manifest.json"
MANIFEST_DIGEST = "MANIFEST.sha256"
"""Its one line holds the digest of the manifest, which holds those of all other files."""
MANIFEST_SIGNATURE = "MANIFEST.sig"
"""The place of a detached signature over the manifest; not written by this version, allowed by every reader."""

PAGE_BYTES = 16384
_SEGMENT = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_+.-]*")
_NAME_BYTES = 240


def alignment(name: str) -> int:
    """A model begins on a page of the largest size that devices have, so that it can be mapped by itself."""
    return PAGE_BYTES if name.endswith(".tflite") else 4


def stage_file(index: int, stage: str) -> str:
    """Where the model of the stage at `index` (from 0, in the pipeline's order) lies."""
    return f"stages/{index + 1:02d}-{stage}/model.tflite"


def check_name(name: str) -> None:
    """Raise `LitebundleError` unless `name` stays inside the bundle and means one file on every file system."""
    fault = _fault(name)
    if fault:
        raise LitebundleError(
            f"file {name!r}: {fault}; a name inside a bundle is a relative path of ASCII letters, digits and "
            "_ + - . with / between, no part of which begins with a dot"
        )


def check_distinct(names: list[str]) -> None:
    """Raise `LitebundleError` for a name that is there twice, also if only case tells the two apart."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other is not name:
            twice = "is there twice" if other == name else f"differs from {other!r} by case alone"
            raise LitebundleError(f"file {name!r}: {twice}; every name stands for one file")


def _fault(name: str) -> str | None:
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "an absolute path leaves the bundle"
    if "\\" in name or "\0" in name:
        return "a backslash or a NUL can leave the bundle"
    parts = name.split("/")
    if ".." in parts:
        return "'..' leaves the bundle"
    if len(name) > _NAME_BYTES:
        return f"it is longer than {_NAME_BYTES} characters"
    if not all(_SEGMENT.fullmatch(part) for part in parts):
        return "it is not a portable name"
    return None
