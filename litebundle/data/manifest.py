"""manifest.toml of a data set: which kinds of picture are wanted, which are there, and the answer to each.

Its format is described in docs/data.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from litebundle.errors import LitebundleError
from litebundle.toml import Problem, from_validation, nearest, read_toml

MANIFEST = "manifest.toml"
PARTS = ("calibrate", "validate")
Part = Literal["calibrate", "validate"]
Count = Annotated[int, Field(ge=0)]


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class PartCounts(Table):
    """Number of samples per part."""

    calibrate: Count = 0
    validate_: Count = Field(default=0, alias="validate")

    def of(self, part: str) -> int:
        return self.calibrate if part == "calibrate" else self.validate_


class Kind(Table):
    """How many samples of a kind are wanted and, as the manifest says, present."""

    wanted: PartCounts = Field(examples=[{"calibrate": 10, "validate": 20}])
    present: PartCounts = PartCounts(calibrate=0, validate=0)
    summary: str = ""


class AnswerItem(Table):
    """One expected item of a result; keys are those of the pipeline's result fields.

    `box` is x0 y0 x1 y1 in pixels of the upright picture. `ignore`: a place where any result, or none, is right.
    """

    box: tuple[float, float, float, float] | None = None
    angle: int | None = None
    text: str | None = None
    label: str | None = None
    ignore: bool = False

    @field_validator("box")
    @classmethod
    def _box_has_an_area(cls, box: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if box is not None and not (0 <= box[0] < box[2] and 0 <= box[1] < box[3]):
            raise ValueError(f"{list(box)} is no box; write x0, y0, x1, y1 in pixels with x0 < x1 and y0 < y1")
        return box

    @model_validator(mode="after")
    def _says_something(self) -> AnswerItem:
        if self.ignore and self.box is None:
            raise ValueError("ignore needs the box that is to be ignored")
        if self.box is None and self.angle is None and self.text is None and self.label is None:
            raise ValueError("an item needs a box, an angle, a text or a label")
        return self


class StatedAnswer(Table):
    """The expected items; none of them means that nothing is to be found."""

    items: tuple[AnswerItem, ...]


class Sample(Table):
    """One picture: its file relative to the manifest, part, kind, digest and answer."""

    file: str = Field(examples=["validate/clean/0001.png"])
    part: Part = Field(examples=["validate"])
    kind: str = Field(examples=["clean"])
    sha256: str = Field(examples=["(64 hexadecimal digits)"])
    answer: StatedAnswer = Field(examples=[{"items": [{"text": "42"}]}])

    @field_validator("file")
    @classmethod
    def _stays_inside(cls, file: str) -> str:
        path = PurePosixPath(file)
        if not file or path.is_absolute() or ".." in path.parts or "\\" in file or path.as_posix() != file:
            raise ValueError(f"{file!r} must be a path inside the data set's folder, for example validate/1.png")
        return file

    @field_validator("sha256")
    @classmethod
    def _is_a_digest(cls, digest: str) -> str:
        if len(digest) != 64 or digest.strip("0123456789abcdef"):
            raise ValueError("must be the file's SHA-256, 64 small hexadecimal digits")
        return digest

    @model_validator(mode="after")
    def _lies_in_its_part(self) -> Sample:
        if PurePosixPath(self.file).parts[0] != self.part:
            raise ValueError(f"a sample of part {self.part!r} must lie in the folder {self.part}/; move the file")
        return self


class Manifest(Table):
    """The whole file. `generator` and `seed` say how the pictures were made, where a program made them."""

    format_version: Literal[1] = Field(examples=[1])
    name: str = Field(min_length=1, examples=["my_app"])
    licence: str = Field(min_length=1, examples=["CC0-1.0"])
    generator: str = ""
    seed: int | None = None
    kinds: Mapping[str, Kind] = Field(min_length=1)
    sample: tuple[Sample, ...] = ()


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a data set.

    Args:
        folder: The data set's folder, which holds manifest.toml and one folder per part.

    Raises:
        LitebundleError: There is none, or it breaks rules; the message has every problem with its line.
    """
    path = folder / MANIFEST
    if not folder.is_dir():
        raise LitebundleError(f"{folder}: no such folder; give the folder of a data set, the one with {MANIFEST}")
    if not path.is_file():
        raise LitebundleError(f"{path}: no such file; a data set's folder holds {MANIFEST} (see docs/data.md)")
    file = read_toml(path)
    try:
        manifest = Manifest.model_validate(file.tables)
    except ValidationError as error:
        file.refuse(from_validation(error, Manifest))
        raise
    file.refuse(_cross_check(manifest))
    return manifest


def _cross_check(manifest: Manifest) -> list[Problem]:
    problems: list[Problem] = []
    files: set[str] = set()
    for i, sample in enumerate(manifest.sample):
        if sample.kind not in manifest.kinds:
            known = ", ".join(manifest.kinds)
            problems.append(
                Problem(
                    ("sample", i, "kind"),
                    f"unknown kind {sample.kind!r}{nearest(sample.kind, manifest.kinds)} (known: {known})",
                )
            )
        if sample.file in files:
            problems.append(Problem(("sample", i, "file"), "listed a second time; remove one of the two"))
        files.add(sample.file)
    return problems
