"""Reading pipeline.toml: text -> tables -> typed and checked pipeline."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from litebundle.errors import LitebundleError
from litebundle.pipeline.checks import check_document, check_metrics
from litebundle.pipeline.compile import JoinError, compile_graph
from litebundle.pipeline.model import DataFolders, Document, Pipeline
from litebundle.pipeline.shapes import check_shapes
from litebundle.pipeline.signatures import complete_signature
from litebundle.pipeline.steps import check_steps, complete_steps
from litebundle.toml import Problem, from_validation, read_toml

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
    file = read_toml(_find(Path(path)))
    root = file.path.parent.resolve()
    problems = check_steps(file.tables, root)
    try:
        document = Document.model_validate(file.tables)
    except ValidationError as error:
        file.refuse([*problems, *from_validation(error, Document)])
        raise
    file.refuse(problems)
    file.refuse(check_document(document, root))
    completed = [complete_signature(complete_steps(stage), root) for stage in document.stage]
    file.refuse(
        Problem(("stage", i, *problem.loc), problem.message)
        for i, (_, found) in enumerate(completed)
        for problem in found
    )
    pipeline = Pipeline(
        **dict(document.pipeline),
        requirements=document.requirements,
        data=DataFolders((root / document.data.calibrate).resolve(), (root / document.data.validate_).resolve()),
        stages=tuple(stage for stage, _ in completed),
        root=root,
    )
    try:
        graph = compile_graph(pipeline)
        check_shapes(pipeline, graph)
    except JoinError as error:
        file.refuse([Problem(error.loc, str(error))])
        raise
    file.refuse(check_metrics(document, [result.field for result in graph.results]))
    return pipeline


def _find(path: Path) -> Path:
    file = path / FILE_NAME if path.is_dir() else path
    if not file.is_file():
        raise LitebundleError(
            f"{file}: no such file; give a {FILE_NAME} or its folder, or begin one with 'litebundle init'"
        )
    return file
