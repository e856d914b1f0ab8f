"""Writing a bundle so that it is there whole and proven, or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from litebundle.bundle.bundle import Bundle
from litebundle.bundle.integrity import digest, manifest_digest_line
from litebundle.bundle.layout import (
    MANIFEST,
    MANIFEST_DIGEST,
    MANIFEST_SIGNATURE,
    alignment,
    check_distinct,
    check_name,
)
from litebundle.bundle.manifest import FileInfo, Manifest
from litebundle.bundle.verify import Verification
from litebundle.bundle.zip_writer import Content, write_zip
from litebundle.errors import LitebundleError
from litebundle.files import digest_file


def write_bundle(path: Path, manifest: Manifest, files: Mapping[str, Content]) -> Verification:
    """Write `files` and the manifest as one bundle; equal arguments give equal bytes.

    It is written as `<path>.part`, flushed to the disk, opened again, run against its golden vectors, and only then
    renamed. Whatever fails, an earlier bundle at `path` stays as it is. What a killed run left is written over.

    Args:
        path: The bundle to make; its folder exists.
        manifest: All but `files`, which is filled in here.
        files: Name in the bundle -> bytes, or the path of a file to copy.

    Returns:
        The golden vectors' results on this machine, all passed.

    Raises:
        LitebundleError: A name that no bundle may hold, a bundle that is too large, or one that does not pass its
            own checks once written.
        OSError: The disk is full or the folder cannot be written; `filename` is `path`.
    """
    for name in (MANIFEST, MANIFEST_DIGEST, MANIFEST_SIGNATURE):
        if name in files:
            raise LitebundleError(f"file {name!r} is made by the bundle's writer or signer; give it another name")
    for name in files:
        check_name(name)
    check_distinct([*files, MANIFEST, MANIFEST_DIGEST, MANIFEST_SIGNATURE])
    part = path.with_name(f"{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        index = {name: _file_info(content) for name, content in sorted(files.items())}
        data = manifest.model_copy(update={"files": index}).to_bytes()
        _write(part, {**files, MANIFEST: data, MANIFEST_DIGEST: manifest_digest_line(data)})
        verification = _prove(part, path)
        part.replace(path)
        _flush_folder(path.parent)
    except OSError as error:
        with suppress(OSError):  # the folder may be none
            part.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return verification


def _write(part: Path, contents: Mapping[str, Content]) -> None:
    with part.open("xb") as file:
        write_zip(file, contents, alignment)
        file.flush()
        os.fsync(file.fileno())


def _prove(part: Path, path: Path) -> Verification:
    with Bundle.open(part) as bundle:
        verification = bundle.verify()
    if not verification.passed:
        raise LitebundleError(
            f"{path}: the bundle was written but does not pass its own golden vectors, so it is not kept: "
            + "; ".join(verification.faults)
        )
    return verification


def _file_info(content: Content) -> FileInfo:
    if isinstance(content, Path):
        return FileInfo(sha256=digest_file(content), size_bytes=content.stat().st_size)
    return FileInfo(sha256=digest(content), size_bytes=len(content))


def _flush_folder(folder: Path) -> None:
    """Make the rename last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
