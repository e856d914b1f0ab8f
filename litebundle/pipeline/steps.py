"""Glue steps of `before` and `after`: known operations, each with the attributes its own model asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from litebundle.errors import LitebundleError
from litebundle.graph import FAN_OUT
from litebundle.pipeline.labels import read_labels
from litebundle.pipeline.model import Stage, Step
from litebundle.toml import Loc, Problem, from_validation, nearest


def check_steps(document: Mapping[str, Any], root: Path) -> list[Problem]:
    """Problems of every well-formed glue step of the tables, however wrong the rest of the file is."""
    return [problem for loc, step in _steps(document) for problem in _check(loc, step, root)]


def complete_steps(stage: Stage) -> Stage:
    """The stage with each step's defaults filled in, as plain JSON values."""
    return stage.model_copy(
        update={
            "before": tuple(_complete(step) for step in stage.before),
            "after": tuple(_complete(step) for step in stage.after),
        }
    )


def _steps(document: Mapping[str, Any]) -> Iterator[tuple[Loc, Mapping[str, Any]]]:
    for i, stage in enumerate(_sequence(document.get("stage"))):
        for side in ("before", "after"):
            for j, step in enumerate(_sequence(stage.get(side) if isinstance(stage, Mapping) else None)):
                if isinstance(step, Mapping) and isinstance(step.get("op"), str):
                    yield ("stage", i, side, j), step


def _sequence(value: object) -> Sequence[Any]:
    return value if isinstance(value, tuple) else ()


def _check(loc: Loc, step: Mapping[str, Any], root: Path) -> Iterator[Problem]:
    from litebundle.glue import OPERATIONS

    op = step["op"]
    if op == "autoregressive_decode":
        yield Problem((*loc, "op"), "the token loop surrounds a model; give it to the stage as loop = { ... }")
    elif op not in OPERATIONS:
        known = ", ".join(sorted(OPERATIONS))
        yield Problem((*loc, "op"), f"unknown operation {op!r}{nearest(op, OPERATIONS)} (known: {known})")
    else:
        model = OPERATIONS[op].attributes
        try:
            model.model_validate(_attributes(step))
        except ValidationError as error:
            yield from from_validation(error, model, loc)
        if "labels" in model.model_fields:
            yield from _check_labels(loc, step, root)


def _attributes(step: Mapping[str, Any]) -> Mapping[str, Any]:
    sugar = ("op", "of") if step["op"] == FAN_OUT else ("op",)
    return {key: value for key, value in step.items() if key not in sugar}


def _check_labels(loc: Loc, step: Mapping[str, Any], root: Path) -> Iterator[Problem]:
    labels = step.get("labels", ".")
    if not isinstance(labels, str):
        yield Problem((*loc, "labels"), 'must be the path of a JSON file, for example labels = "labels.json"')
    elif "labels" in step:
        try:
            read_labels(root / labels)
        except LitebundleError as error:
            yield Problem((*loc, "labels"), str(error))


def _complete(step: Step) -> Step:
    from litebundle.glue import OPERATIONS

    attributes = OPERATIONS[step.op].attributes.model_validate(dict(step.attributes))
    return step.model_copy(update={"attributes": attributes.model_dump(mode="json")})
