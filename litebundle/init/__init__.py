"""`litebundle init`: a new project that builds as soon as it has pictures."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from litebundle.errors import LitebundleError

TEMPLATE = Path(__file__).parent / "template"
_NAME = "my_app"
_WITH_NAME = ("pipeline.toml", "data/manifest.toml")
_DOT_FILES = {
    ".gitignore": ".litebundle/\ndist/\n",
    "data/calibrate/.gitkeep": "",
    "data/validate/.gitkeep": "",
}


def create(path: Path) -> tuple[Path, ...]:
    """Write a new project: a commented pipeline.toml, a stub stage, an empty data set with its manifest.

    The pipeline is named after the folder, in the letters that a bundle's name may have. The folder appears
    complete or not at all.

    Args:
        path: The folder to make; its parent must be there, it itself may be there if it is empty.

    Returns:
        The files written, sorted.

    Raises:
        LitebundleError: The folder is not empty, is no folder, or cannot be made.
    """
    path = path.absolute()
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise LitebundleError(f"{path}: already there, and nothing is overwritten; give a new or an empty folder")
    if not path.parent.is_dir():
        raise LitebundleError(f"{path.parent}: no such folder; make it first, or give another place")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as scratch:
            project = Path(scratch) / "project"
            _fill(project, _bundle_name(path.name))
            project.replace(path)
    except OSError as error:
        raise LitebundleError(f"{path}: cannot be written: {error.strerror}; give another place") from error
    return tuple(sorted(file for file in path.rglob("*") if file.is_file()))


def _fill(project: Path, name: str) -> None:
    shutil.copytree(TEMPLATE, project, ignore=shutil.ignore_patterns("__pycache__"))
    for file in _WITH_NAME:
        text = (project / file).read_text(encoding="utf-8")
        (project / file).write_text(text.replace(_NAME, name), encoding="utf-8")
    for file, text in _DOT_FILES.items():
        (project / file).parent.mkdir(exist_ok=True)
        (project / file).write_text(text, encoding="utf-8")


def _bundle_name(folder: str) -> str:
    name = re.sub(r"[^a-z0-9_-]+", "_", folder.lower()).strip("_-")
    return name if re.match(r"[a-z]", name) else _NAME
