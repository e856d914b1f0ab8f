"""Digests of a build's inputs: what an artefact's key is made of."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import converter
import litebundle
import quantize
from litebundle.files import digest_file


def digest_bytes(data: bytes) -> str:
    """sha256 as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def digest_of(*parts: Any) -> str:
    """sha256 of the parts' canonical JSON (sorted keys); they must be JSON-able."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return digest_bytes(text.encode())


def digest_of_folder(folder: Path, pattern: str = "*") -> str:
    """Digest over the relative names and contents of the files that match, at any depth.

    Folders that begin with a dot (a cache, an environment) and compiled Python are left out.
    """
    files = []
    for path in sorted(folder.rglob(pattern)):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in inside.parts[:-1])
        if not hidden and path.is_file():
            files.append((inside.as_posix(), digest_file(path)))
    return digest_of(files)


def digest_of_onnx(path: Path) -> str:
    """Digest of an ONNX file and of the files beside or below it that it names: its weights, if they lie outside."""
    model = path.read_bytes()
    named = [
        (other.relative_to(path.parent).as_posix(), digest_file(other))
        for other in sorted(path.parent.rglob("*"))
        if other != path and other.is_file() and other.relative_to(path.parent).as_posix().encode() in model
    ]
    return digest_of(digest_bytes(model), named)


def digest_of_modules(package: str, root: Path) -> str:
    """Digest of the Python files below `root`, and of `package` where it is an installed one instead."""
    own = digest_of_folder(root, "*.py")
    if (root / package).is_dir() or (root / f"{package}.py").is_file():
        return own
    found = find_spec(package)
    if found is None or found.origin is None:
        return own
    origin = Path(found.origin)
    return digest_of(
        own, digest_of_folder(origin.parent, "*.py") if found.submodule_search_locations else digest_file(origin)
    )


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
