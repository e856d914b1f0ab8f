"""Whether the files of a bundle are the ones its manifest names, and fit each other."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from litebundle.bundle.container import Container
from litebundle.bundle.json_text import parse_json
from litebundle.bundle.layout import MANIFEST, MANIFEST_DIGEST, MANIFEST_SIGNATURE
from litebundle.bundle.manifest import Manifest, Stage, read_manifest
from litebundle.errors import LitebundleError
from litebundle.glue import OPERATIONS
from litebundle.graph import Graph

_TFLITE_IDENTIFIER = b"TFL3"


def digest(data: bytes | memoryview) -> str:
    return hashlib.sha256(data).hexdigest()


def manifest_digest_line(manifest: bytes) -> bytes:
    """The whole of MANIFEST.sha256, in the form that `sha256sum -c` reads."""
    return f"{digest(manifest)}  {MANIFEST}\n".encode()


def check_integrity(container: Container, path: Path) -> Manifest:
    """Every file against its digest and size; no file missing, none too many.

    This finds damage. It is no proof of who made the bundle: whoever changes a file can change its digest too.

    Raises:
        LitebundleError: Names the file and what is wrong with it.
    """
    for name in (MANIFEST, MANIFEST_DIGEST):
        if name not in container.names:
            raise LitebundleError(f"{path}: file {name!r} is missing; this is no bundle, or not all of it")
    data = bytes(container.read(MANIFEST))
    if container.read(MANIFEST_DIGEST) != manifest_digest_line(data):
        raise LitebundleError(f"{path}: file {MANIFEST!r} does not have the digest that {MANIFEST_DIGEST!r} gives")
    manifest = read_manifest(data, str(path))
    _check_files(container, manifest, path)
    if len({stage.name for stage in manifest.stages}) != len(manifest.stages):
        raise LitebundleError(f"{path}: file {MANIFEST!r}: two stages have one name")
    for stage in manifest.stages:
        _check_stage(container, stage, manifest, path)
    return manifest


def read_graph(manifest: Manifest, path: Path) -> Graph:
    """The manifest's graph, its stages checked against the manifest's.

    Raises:
        LitebundleError: An operation that this version does not know, or a graph that cannot be run.
    """
    try:
        return Graph.from_json(manifest.graph.model_dump(mode="json"), OPERATIONS)
    except LitebundleError as error:
        raise LitebundleError(f"{path}: file {MANIFEST!r}: {error}") from error


def read_labels(container: Container, graph: Graph, path: Path) -> Mapping[str, tuple[str, ...]]:
    """Asset name -> the strings in it, for every asset the graph names.

    Raises:
        LitebundleError: An asset is missing or is not a JSON list of strings.
    """
    names = [node.attributes["labels"] for node in graph.nodes if "labels" in node.attributes]
    return {name: _labels(container, name, path) for name in names}


def _labels(container: Container, name: object, path: Path) -> tuple[str, ...]:
    if not isinstance(name, str) or name not in container.names:
        raise LitebundleError(f"{path}: file {name!r} is missing, and the graph takes its labels from it")
    try:
        labels = parse_json(container.read(name))
    except ValueError as error:
        raise LitebundleError(f"{path}: file {name!r} is not JSON ({error})") from error
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise LitebundleError(f"{path}: file {name!r} is not a JSON list of strings")
    return tuple(labels)


def _check_files(container: Container, manifest: Manifest, path: Path) -> None:
    present = set(container.names) - {MANIFEST, MANIFEST_DIGEST, MANIFEST_SIGNATURE}
    for name in sorted(manifest.files.keys() - present):
        raise LitebundleError(f"{path}: file {name!r} is missing, though the manifest lists it")
    for name in sorted(present - manifest.files.keys()):
        raise LitebundleError(f"{path}: file {name!r} is not in the manifest's list")
    for name, info in manifest.files.items():
        content = container.read(name)
        if len(content) != info.size_bytes:
            raise LitebundleError(f"{path}: file {name!r} has {len(content)} bytes, not {info.size_bytes}")
        if digest(content) != info.sha256:
            raise LitebundleError(f"{path}: file {name!r} does not have the digest that the manifest gives")


def _check_stage(container: Container, stage: Stage, manifest: Manifest, path: Path) -> None:
    info = manifest.files.get(stage.file)
    if info is None or (info.sha256, info.size_bytes) != (stage.sha256, stage.size_bytes):
        raise LitebundleError(
            f"{path}: file {stage.file!r} of stage {stage.name!r} is missing or not the one in the list of files"
        )
    if container.read(stage.file)[4:8] != _TFLITE_IDENTIFIER:
        raise LitebundleError(f"{path}: file {stage.file!r} is no TFLite model: it lacks the identifier TFL3")
