"""Reading pipeline.toml: text -> tables -> typed and checked pipeline."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from litebundle.errors import LitebundleError
from litebundle.pipeline.checks import check_document
from litebundle.pipeline.compile import JoinError, compile_graph
from litebundle.pipeline.model import Document, Pipeline
from litebundle.pipeline.positions import line_numbers
from litebundle.pipeline.problems import Problem, from_validation, raise_all
from litebundle.pipeline.shapes import check_shapes
from litebundle.pipeline.signatures import complete_signature
from litebundle.pipeline.steps import check_steps, complete_steps

FILE_NAME = "pipeline.toml"


def load_pipeline(path: Path | str) -> Pipeline:
    """Read and check a pipeline.

    Args:
        path: A pipeline.toml, or the folder that holds one.

    Returns:
        The pipeline, the attributes of its glue steps complete.

    Raises:
        LitebundleError: The file is missing, is not TOML, or breaks rules of docs/pipeline.md; the message
            has every problem found with file, line, table, rule and way out.
    """
    path = _find(Path(path))
    text = _read(path)
    tables = _parse(text, path)
    lines = line_numbers(text)
    frozen: Mapping[str, Any] = _freeze(tables)
    root = path.parent.resolve()
    problems = check_steps(frozen, root)
    try:
        document = Document.model_validate(frozen)
    except ValidationError as error:
        raise_all(path, tables, lines, [*problems, *from_validation(error, Document)])
        raise
    raise_all(path, tables, lines, problems)
    raise_all(path, tables, lines, check_document(document, root))
    completed = [complete_signature(complete_steps(stage), root) for stage in document.stage]
    problems = [
        Problem(("stage", i, *problem.loc), problem.message)
        for i, (_, found) in enumerate(completed)
        for problem in found
    ]
    raise_all(path, tables, lines, problems)
    pipeline = Pipeline(
        **dict(document.pipeline),
        requirements=document.requirements,
        data=document.data,
        stages=tuple(stage for stage, _ in completed),
        root=root,
    )
    try:
        check_shapes(pipeline, compile_graph(pipeline))
    except JoinError as error:
        raise_all(path, tables, lines, [Problem(error.loc, str(error))])
    return pipeline


def _find(path: Path) -> Path:
    file = path / FILE_NAME if path.is_dir() else path
    if not file.is_file():
        raise LitebundleError(
            f"{file}: no such file; give a {FILE_NAME} or its folder, or begin one with 'litebundle init'"
        )
    return file


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise LitebundleError(f"{path}:{line}: not UTF-8 text; save the file as UTF-8") from error


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason, _, place = str(error).partition(" (at ")
        line = (
            place.split("line ")[-1].split(",")[0] if "line " in place else str(text.rstrip().count("\n") + 1)
        )
        raise LitebundleError(
            f"{path}:{line}: not valid TOML: {reason[0].lower()}{reason[1:]}; texts stand in quotes, tables "
            "like [data] and [[stage]] on lines of their own"
        ) from error


def _freeze(value: Any) -> Any:
    """Lists as tuples, which strict validation of frozen models wants."""
    if isinstance(value, dict):
        return {key: _freeze(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_freeze(item) for item in value)
    return value
