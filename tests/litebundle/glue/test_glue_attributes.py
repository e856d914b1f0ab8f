"""What the attributes of an operation refuse, and what importing the vocabulary costs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from litebundle.errors import LitebundleError
from litebundle.glue import OPERATIONS
from tests.litebundle.glue.vector_files import FOLDER

CASES = json.loads((FOLDER.parent / "glue_attributes.json").read_text("utf-8"))


@pytest.mark.parametrize(("op", "attributes"), CASES["refused"])
def test_refused(op: str, attributes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OPERATIONS[op].attributes.model_validate(attributes)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_json_lacks_is_refused(value: float) -> None:
    with pytest.raises(ValidationError):
        OPERATIONS["normalize"].attributes.model_validate({"mean": [value], "std": [1.0]})


@pytest.mark.parametrize(("op", "attributes"), CASES["accepted"])
def test_accepted_and_survives_json(op: str, attributes: dict[str, Any]) -> None:
    model = OPERATIONS[op].attributes
    checked = model.model_validate(attributes)
    assert model.model_validate_json(checked.model_dump_json()) == checked


def test_every_operation_has_attributes_of_both_sorts() -> None:
    for cases in CASES.values():
        assert {op for op, _ in cases} == OPERATIONS.keys()


def test_a_label_file_that_nobody_read_is_refused() -> None:
    operation = OPERATIONS["detokenize"]
    attributes = operation.attributes.model_validate({"labels": "labels.json", "style": "none"})
    with pytest.raises(LitebundleError, match=r"still the file name 'labels\.json'"):
        operation.run(attributes, np.zeros(1, np.int32))


def test_outputs_of_other_shapes_are_refused_by_name() -> None:
    operation = OPERATIONS["heatmap_boxes"]
    attributes = operation.attributes.model_validate({"threshold": 0.5})
    heatmap, box = np.zeros((1, 4, 4, 1), np.float32), np.zeros((1, 4, 4, 4), np.float32)
    geometry, picture = np.ones(6), np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(LitebundleError, match="heatmap_boxes: input 'box' is"):
        operation.run(attributes, heatmap, heatmap, geometry, picture)
    with pytest.raises(LitebundleError, match="heatmap_boxes: input 'heatmap' is"):
        operation.run(attributes, box, box, geometry, picture)
    with pytest.raises(LitebundleError, match="the geometry has the shape"):
        operation.run(attributes, heatmap, box, geometry[:4], picture)
    with pytest.raises(LitebundleError, match="the boxes are"):
        OPERATIONS["nms"].run(OPERATIONS["nms"].attributes(), np.zeros((3, 4), np.float32))


def test_every_operation_is_defined_in_the_documentation() -> None:
    text = (Path(__file__).parents[3] / "docs" / "glue.md").read_text("utf-8")
    headings = {line[3:] for line in text.splitlines() if line.startswith("## ")}
    assert {*OPERATIONS, "autoregressive_decode"} <= headings


def test_the_vocabulary_needs_numpy_and_pydantic_alone() -> None:
    code = "import sys, litebundle.glue; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"PIL", "cv2", "scipy", "onnx", "ai_edge_litert", "torch", "matplotlib", "rich"} & set(loaded)
