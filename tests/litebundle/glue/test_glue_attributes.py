"""What the attributes of an operation refuse, and what importing the vocabulary costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from litebundle.errors import LitebundleError
from litebundle.glue import OPERATIONS


@pytest.mark.parametrize(
    ("op", "attributes"),
    [
        ("resize", {}),
        ("resize", {"size": [0, 4]}),
        ("resize", {"size": [4, 4, 3]}),
        ("resize", {"size": ["4", 4]}),
        ("resize", {"size": [4, 4], "filter": "nearest"}),
        ("letterbox", {"size": [4, 4], "fill": 256}),
        ("letterbox", {"size": [4, 4], "align": "right"}),
        ("fit_height", {"height": 32}),
        ("convert_color", {"to": "hsv"}),
        ("normalize", {"mean": [0.0], "std": [0.0]}),
        ("normalize", {"mean": [], "std": [1.0]}),
        ("normalize", {"mean": [float("nan")], "std": [1.0]}),
        ("crop_boxes", {"margin": -0.1}),
        ("crop_boxes", {"min_size": 0}),
        ("rotate_upright", {"angles": [0, 45]}),
        ("rotate_upright", {"angles": [0, 90, 90]}),
        ("rotate_upright", {"angles": []}),
        ("rotate_upright", {"angles": [180, 0], "threshold": 0.5}),
        ("heatmap_boxes", {}),
        ("heatmap_boxes", {"threshold": 0.4, "kernel": 2}),
        ("heatmap_boxes", {"threshold": 0.4, "iou": 1.5}),
        ("heatmap_boxes", {"threshold": 0.4, "max": True}),
        ("dbnet_boxes", {"unclip": -1.0}),
        ("softmax_top_k", {"labels": "labels.json", "k": 2}),
        ("ctc_decode", {"labels": "labels.json", "blank": -1}),
        ("detokenize", {"labels": "labels.json"}),
        ("detokenize", {"labels": "labels.json", "style": "html"}),
    ],
)
def test_refused(op: str, attributes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OPERATIONS[op].attributes.model_validate(attributes)


@pytest.mark.parametrize("op", sorted(OPERATIONS))
def test_attributes_survive_json(op: str) -> None:
    examples: dict[str, dict[str, Any]] = {
        "resize": {"size": [2, 3]},
        "letterbox": {"size": [2, 3]},
        "fit_height": {"height": 2, "max_width": 3},
        "convert_color": {"to": "gray"},
        "normalize": {"mean": [127.5], "std": [127.5]},
        "pad": {"size": [2, 3]},
        "heatmap_boxes": {"threshold": 0.4},
        "softmax_top_k": {"labels": "labels/classify.json"},
        "ctc_decode": {"labels": "labels/read.json"},
        "detokenize": {"labels": ["a", "b"], "style": "latex"},
    }
    model = OPERATIONS[op].attributes
    attributes = model.model_validate(examples.get(op, {}))
    assert model.model_validate_json(attributes.model_dump_json()) == attributes


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
