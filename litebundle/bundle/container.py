"""The files of a bundle, by name, without a copy: in a zip or in a folder."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Protocol

from litebundle.bundle.layout import check_distinct, check_name
from litebundle.bundle.zip_reader import read_entries
from litebundle.errors import LitebundleError


class Container(Protocol):
    """Named files, mapped into memory; their views are valid until `close`."""

    @property
    def names(self) -> tuple[str, ...]: ...

    def read(self, name: str) -> memoryview: ...

    def close(self) -> None: ...


def open_container(path: Path) -> Container:
    """The files of the bundle at `path`, a zip or a folder.

    Raises:
        LitebundleError: There is none, or its structure is not a bundle's.
    """
    try:
        return FolderContainer(path) if path.is_dir() else ZipContainer(path)
    except FileNotFoundError as error:
        raise LitebundleError(f"{path}: no such bundle; build one with 'litebundle build'") from error
    except LitebundleError as error:
        raise LitebundleError(f"{path}: {error}") from error


class ZipContainer:
    """A zip, wholly checked when it is opened."""

    def __init__(self, path: Path) -> None:
        self._bytes = map_file(path)
        self._entries = {entry.name: entry for entry in read_entries(self._bytes)}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._entries)

    def read(self, name: str) -> memoryview:
        entry = self._entries[name]
        return self._bytes[entry.data_offset : entry.end]

    def close(self) -> None:
        self._bytes.release()


class FolderContainer:
    """An unpacked bundle: the same files in a folder, and nothing else."""

    def __init__(self, path: Path) -> None:
        self._files = {name: map_file(path / name) for name in _names(path)}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._files)

    def read(self, name: str) -> memoryview:
        return self._files[name]

    def close(self) -> None:
        for view in self._files.values():
            view.release()


def map_file(path: Path) -> memoryview:
    """The file's bytes, read-only, mapped; the mapping ends with its last view."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return memoryview(b"")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _names(folder: Path) -> list[str]:
    names: list[str] = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise LitebundleError(f"file {name!r} is a link or a device; a bundle holds plain files")
        if path.is_file():
            check_name(name)
            names.append(name)
    check_distinct(names)
    return names
