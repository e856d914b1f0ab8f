"""Artefacts of a build, found again by the digest of all that went into them."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from litebundle.build.digests import digest_bytes

DIGESTS = "digests.json"
LOCK = "lock"
KEPT_DAYS = 30


class DamagedArtefactError(Exception):
    """A cached file is not what was written; the artefact is made anew."""


@dataclass(frozen=True)
class Artefact:
    """A finished folder of files; every read is checked against the digest taken when it was written."""

    folder: Path

    @cached_property
    def digests(self) -> dict[str, str]:
        try:
            recorded = json.loads((self.folder / DIGESTS).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DamagedArtefactError(f"{self.folder}: {error}") from error
        return {str(name): str(digest) for name, digest in recorded.items()}

    def read(self, name: str) -> bytes:
        """The bytes of one file; raises `DamagedArtefactError` when they changed on disk."""
        try:
            data = (self.folder / name).read_bytes()
        except OSError as error:
            raise DamagedArtefactError(f"{self.folder / name}: {error}") from error
        if digest_bytes(data) != self.digests.get(name):
            raise DamagedArtefactError(f"{self.folder / name} is not what was written")
        return data

    def json(self, name: str) -> Any:
        return json.loads(self.read(name))


class Cache:
    """`<root>/<step>-<key>/`: written under a temporary name, then renamed, so none is ever half there."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def get(self, step: str, key: str) -> Artefact | None:
        """The artefact if it is there and whole."""
        artefact = Artefact(self._folder(step, key))
        if not artefact.folder.is_dir():
            return None
        try:
            for name in artefact.digests:
                artefact.read(name)
        except DamagedArtefactError:
            shutil.rmtree(artefact.folder, ignore_errors=True)
            return None
        with suppress(OSError):  # a read-only cache can still be read
            os.utime(artefact.folder)
        return artefact

    def put(self, step: str, key: str, files: Mapping[str, bytes]) -> Artefact:
        """Write the files as one artefact; raises `OSError` (a full disk, say) that names it and leaves nothing."""
        self.root.mkdir(parents=True, exist_ok=True)
        folder = self._folder(step, key)
        part = self.root / f"{uuid.uuid4().hex}.part"
        try:
            part.mkdir()
            for name, data in files.items():
                _write_synced(part / name, data)
            digests = {name: digest_bytes(data) for name, data in sorted(files.items())}
            _write_synced(part / DIGESTS, json.dumps(digests).encode())
            shutil.rmtree(folder, ignore_errors=True)
            part.rename(folder)
        except OSError as error:
            shutil.rmtree(part, ignore_errors=True)
            raise OSError(error.errno, error.strerror, str(folder)) from error
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        return Artefact(folder)

    @contextmanager
    def locked(self, waiting: Callable[[], None]) -> Iterator[None]:
        """Keep other builds of this pipeline out, after waiting for one that runs, which `waiting` is told.

        The lock ends with its process, however that ends.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / LOCK).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def prune(self) -> None:
        """Drop what killed builds left half written and what no build used for `KEPT_DAYS` days."""
        oldest = time.time() - KEPT_DAYS * 86400
        for folder in self.root.glob("*/"):
            if folder.suffix == ".part" or folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)

    def _folder(self, step: str, key: str) -> Path:
        return self.root / f"{step}-{key[:32]}"


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
