"""Digests of a build's inputs: what an artefact's key is made of."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import converter
import litebundle
import quantize


def digest_bytes(data: bytes) -> str:
    """sha256 as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def digest_file(path: Path) -> str:
    """sha256 of a file's content, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of(*parts: Any) -> str:
    """sha256 of the parts' canonical JSON (sorted keys); they must be JSON-able."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return digest_bytes(text.encode())


@cache
def digest_of_folder(folder: Path, pattern: str = "*.py") -> str:
    """Digest over the relative names and contents of the files that match, at any depth."""
    files = sorted(path for path in folder.rglob(pattern) if path.is_file())
    return digest_of([(path.relative_to(folder).as_posix(), digest_file(path)) for path in files])


@cache
def digest_of_code(*places: str) -> str:
    """Digest of our own modules, e.g. `converter` or `converter/torch_worker.py`: new code, new artefacts."""
    homes = {module.__name__: Path(str(module.__file__)).parent for module in (converter, litebundle, quantize)}
    parts = []
    for place in places:
        package, _, rest = place.partition("/")
        path = homes[package] / rest
        parts.append((place, digest_file(path) if path.is_file() else digest_of_folder(path)))
    return digest_of(parts)


def tool_versions(*distributions: str) -> dict[str, str]:
    """Installed versions; `absent` for what is not installed."""
    found = {}
    for name in distributions:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found
