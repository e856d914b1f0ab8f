"""Rules of pipeline.toml that need more than one key, or the files beside it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path

from litebundle.pipeline.model import Data, Document, Stage
from litebundle.toml import Loc, Problem


def check_document(document: Document, root: Path) -> list[Problem]:
    """Every broken rule of a well-typed document whose folder is `root`."""
    problems = [*_check_names(document.stage), *_check_data(document.data, root)]
    for i, stage in enumerate(document.stage):
        problems += [Problem(("stage", i, *problem.loc), problem.message) for problem in _check_stage(stage, root)]
    return problems


def check_metrics(document: Document, fields: Sequence[str]) -> Iterator[Problem]:
    """Metrics that read none of the pipeline's result fields."""
    from litebundle.metrics import METRICS

    asked: list[tuple[Loc, str]] = [
        (("requirements", "metric", i, "name"), metric.name) for i, metric in enumerate(document.requirements.metric)
    ]
    for i, stage in enumerate(document.stage):
        asked += [(("stage", i, "budget", j, "metric"), budget.metric) for j, budget in enumerate(stage.budget)]
    for loc, name in asked:
        if not set(METRICS[name].fields) & set(fields):
            yield Problem(
                loc,
                f"{name!r} compares {' or '.join(METRICS[name].fields)}, which no stage gives (the result has: "
                f"{', '.join(fields)}); choose another metric or add an operation that gives one",
            )


def _check_names(stages: Sequence[Stage]) -> Iterator[Problem]:
    names = [stage.name for stage in stages]
    for i, name in enumerate(names):
        if name in names[:i]:
            yield Problem(
                ("stage", i, "name"),
                f"the name {name!r} is taken by an earlier stage; stage names are unique",
            )


def _check_data(data: Data, root: Path) -> Iterator[Problem]:
    folders = {"calibrate": root / data.calibrate, "validate": root / data.validate_}
    absent = [key for key, folder in folders.items() if not folder.is_dir()]
    for key in absent:
        yield Problem(("data", key), f"{str(folders[key])!r} is no folder; {_RELATIVE}")
    if absent:
        return
    calibrate, validate = (folder.resolve() for folder in folders.values())
    if calibrate == validate:
        yield Problem(
            ("data", "validate"),
            "calibrate and validate are the same folder; what ranges are taken from cannot also judge them",
        )
    elif calibrate.parent != validate.parent:
        yield Problem(
            ("data", "validate"),
            "calibrate and validate lie in different folders; give the two parts of one data set, whose one manifest "
            "shows that they share no file",
        )


def _check_stage(stage: Stage, root: Path) -> Iterator[Problem]:
    yield from _check_unique("inputs", [item.name for item in stage.inputs])
    yield from _check_unique("outputs", stage.outputs)
    yield from _check_labels(stage)
    if not stage.is_torch:
        yield from _check_file("source", root / stage.target)
    elif not _module_exists(stage.target.partition(":")[0], root):
        yield Problem(
            ("source",),
            f"there is no module {stage.target.partition(':')[0]!r} in {str(root)!r}, nor is it installed",
        )
    if stage.weights is not None:
        yield from _check_file("weights", root / stage.weights)


def _check_unique(key: str, names: Sequence[str]) -> Iterator[Problem]:
    for i, name in enumerate(names):
        if name in names[:i]:
            yield Problem((key, i), f"{name!r} is there twice; tensor names are unique within a model")


def _check_labels(stage: Stage) -> Iterator[Problem]:
    given = {step.attributes["labels"] for step in stage.after if "labels" in step.attributes}
    if len(given) > 1:
        yield Problem(
            ("after",),
            f"two label files ({', '.join(sorted(given))}); a stage has one, which all its steps share",
        )


def _check_file(key: str, path: Path) -> Iterator[Problem]:
    if not path.exists():
        yield Problem((key,), f"{str(path)!r}: no such file; {_RELATIVE}")
    elif not path.is_file():
        yield Problem((key,), f"{str(path)!r} is not a plain file")


def _module_exists(module: str, root: Path) -> bool:
    path = root.joinpath(*module.split("."))
    if path.with_suffix(".py").is_file() or (path / "__init__.py").is_file():
        return True
    package = module.partition(".")[0]
    is_local = (root / package).is_dir() or (root / f"{package}.py").is_file()
    return not is_local and importlib.util.find_spec(package) is not None


_RELATIVE = "paths are relative to the folder of pipeline.toml"
