"""docs/pipeline.md and docs/data.md name every key there is, and their examples hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

from pydantic import BaseModel

from litebundle.data.manifest import Manifest, read_manifest
from litebundle.data.report import Rule
from litebundle.pipeline import load_pipeline
from litebundle.pipeline.model import Document

WriteOnnx = Callable[[Path, dict[str, list[int | str]], dict[str, list[int | str]]], None]
DOCS = Path(__file__).parents[3] / "docs"


def keys(annotation: object) -> Iterator[str]:
    """Every key of a model and of the models inside it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if name != "attributes":
                yield field.alias or name
            yield from keys(field.annotation)
    for argument in get_args(annotation):
        yield from keys(argument)


def code(file: str) -> set[str]:
    """Words that stand in code type."""
    text = (DOCS / file).read_text(encoding="utf-8")
    return set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", text) + re.findall(r"^#+ (.*)$", text, re.M))))


def example(file: str) -> str:
    return (DOCS / file).read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]


def test_every_key_of_pipeline_toml_is_documented() -> None:
    assert set(keys(Document)) - code("pipeline.md") == set()


def test_every_key_of_the_manifest_and_every_finding_is_documented() -> None:
    assert set(keys(Manifest)) - code("data.md") == set()
    assert set(get_args(Rule)) - code("data.md") == set()


def test_the_example_pipeline_loads(tmp_path: Path, write_onnx: WriteOnnx) -> None:
    for folder in ("data/calibrate", "data/validate", "meter", "weights", "models", "labels"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "pipeline.toml").write_text(example("pipeline.md"))
    (tmp_path / "meter/models.py").touch()
    (tmp_path / "weights/find.safetensors").touch()
    (tmp_path / "labels/digits.json").write_text('["", "0", "1"]')
    write_onnx(tmp_path / "models/read.onnx", {"image": [1, 3, 32, 128]}, {"logits": [1, 32, 3]})
    assert load_pipeline(tmp_path).name == "digits"


def test_the_example_manifest_is_one(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_text(example("data.md"))
    assert [sample.part for sample in read_manifest(tmp_path).sample] == ["calibrate"]
