"""One part of a data set, ready to be run: pictures with kind and answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from litebundle.data.manifest import MANIFEST, PARTS, Manifest, Sample, read_manifest
from litebundle.errors import LitebundleError
from litebundle.files import digest_file


class Answer(BaseModel):
    """What a pipeline should find in a picture.

    `items`: one mapping per expected result item, with the keys that the manifest gives: box [x0, y0, x1, y1],
    angle, text, label, or a box with ignore = true.
    """

    model_config = ConfigDict(frozen=True)

    items: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class DataSample:
    """A picture file (absolute path) with its kind and answer."""

    path: Path
    part: str
    kind: str
    answer: Answer


@dataclass(frozen=True)
class DataSet:
    """The samples of one part, in the order of the manifest."""

    name: str
    part: str
    folder: Path
    samples: tuple[DataSample, ...]


def load_dataset(folder: Path) -> DataSet:
    """Load one part, `calibrate` or `validate`: a folder whose parent holds the manifest.

    Pictures are not decoded here (`litebundle.run.read_image` does that), but each file's digest is compared.

    Raises:
        LitebundleError: The manifest is missing or wrong, the part has no samples, a file is missing or is not the
            one the manifest was written for, or a file is in both parts.
    """
    part = folder.name
    if part not in PARTS:
        raise LitebundleError(f"{folder}: a data set's parts are folders named {' and '.join(PARTS)}; rename it")
    root = folder.parent
    manifest = read_manifest(root)
    listed = [sample for sample in manifest.sample if sample.part == part]
    if not listed:
        raise LitebundleError(
            f"{folder}: no samples of part {part!r} in {root / MANIFEST}; {_wish(manifest, part)}, put them there and "
            f"list them ('litebundle data check {root}' says how)"
        )
    for sample in listed:
        _check_file(root, sample)
    _refuse_shared(root, manifest)
    return DataSet(
        name=manifest.name,
        part=part,
        folder=folder,
        samples=tuple(_as_data_sample(root, sample) for sample in listed),
    )


def _wish(manifest: Manifest, part: str) -> str:
    wanted = [f"{kind.wanted.of(part)} {name}" for name, kind in manifest.kinds.items() if kind.wanted.of(part)]
    return "wanted are " + (", ".join(wanted) or "some pictures")


def _check_file(root: Path, sample: Sample) -> None:
    path = root / sample.file
    if not path.is_file():
        raise LitebundleError(
            f"{path}: listed in {root / MANIFEST} but not there; restore the file or remove its [[sample]]"
        )
    if digest_file(path) != sample.sha256:
        raise LitebundleError(
            f"{path}: its SHA-256 is not the one in {root / MANIFEST}; restore the file, or correct the manifest and "
            "the answer if the change is meant"
        )


def _refuse_shared(root: Path, manifest: Manifest) -> None:
    calibrate = {sample.sha256: sample.file for sample in manifest.sample if sample.part == "calibrate"}
    for sample in manifest.sample:
        if sample.part == "validate" and sample.sha256 in calibrate:
            raise LitebundleError(
                f"{root / sample.file} is the same file as {root / calibrate[sample.sha256]}; what ranges are taken "
                "from cannot also judge them, remove one of the two"
            )


def _as_data_sample(root: Path, sample: Sample) -> DataSample:
    items = tuple(item.model_dump(exclude_unset=True) for item in sample.answer.items)
    return DataSample(root / sample.file, sample.part, sample.kind, Answer(items=items))
