"""A formula scanner's pipeline.toml with the files it names, small enough to change one line at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

SCANNER = """\
[pipeline]
name = "formula_scan"
version = "0.1.0"
summary = "photo of a page to the LaTeX of every formula on it"
licence = "Apache-2.0"

[requirements]
serving = "mobile"
metric = { name = "edit_distance", max = 0.10 }
offline_latency_p90_ms = 400
bundle_mb = 8
devices = ["pixel-6a"]

[data]
calibrate = "data/calibrate"
validate = "data/validate"

[[stage]]
name = "locate"
source = "torch:scan_models:Locator"
weights = "weights/locate.safetensors"
input = { name = "image", shape = [1, 3, 320, 320], layout = "NCHW" }
outputs = ["heatmap", "box"]
before = [{ op = "letterbox", size = [320, 320] }, { op = "normalize", mean = [127.5], std = [127.5] }]
after = [{ op = "heatmap_boxes", threshold = 0.4, max = 32 }]
quantize = { scheme = "int8", io = "uint8" }
budget = { metric = "box_f1", max_drop = 0.01 }

[[stage]]
name = "orient"
source = "onnx:models/orient.onnx"
before = [
  { op = "crop_boxes", of = "locate", margin = 0.1 },
  { op = "resize", size = [64, 64] },
  { op = "normalize", mean = [0], std = [255] },
]
after = [{ op = "rotate_upright" }]

[[stage]]
name = "encode"
source = "torch:scan_models:Encoder"
inputs = [{ name = "image", shape = [1, 1, 48, 256] }]
outputs = ["memory"]
before = [
  { op = "convert_color", to = "gray" },
  { op = "letterbox", size = [48, 256], fill = 255, align = "left" },
  { op = "normalize", mean = [128], std = [64] },
]

[[stage]]
name = "decode"
source = "torch:scan_models:Step"
outputs = ["logits", "state_out"]
loop = { op = "autoregressive_decode", state = { state = "state_out" }, start = 1, end = 2, max_tokens = 24 }
after = [{ op = "detokenize", labels = "labels/tokens.json", style = "latex" }]

[[stage.inputs]]
name = "token"
shape = [1, 1]
dtype = "int32"

[[stage.inputs]]
name = "state"
shape = [1, 256]

[[stage.inputs]]
name = "memory"
shape = [1, 64, 128]
from = "encode.memory"
"""


def save_onnx(path: Path, inputs: dict[str, list[int | str]], outputs: dict[str, list[int | str]]) -> None:
    """An ONNX file with these float32 inputs and outputs, an initializer and nodes that need not run."""
    graph = helper.make_graph(
        [helper.make_node("Identity", ["weight"], [name]) for name in outputs],
        "graph",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [helper.make_tensor("weight", TensorProto.FLOAT, [2], [1.0, 2.0])],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph), path)


@pytest.fixture
def write_onnx() -> Callable[[Path, dict[str, list[int | str]], dict[str, list[int | str]]], None]:
    return save_onnx


@pytest.fixture
def scanner(tmp_path: Path) -> Path:
    """Folder of the scanner, under a Korean name with a space."""
    root = tmp_path / "수식 판독기"
    for folder in ("data/calibrate", "data/validate", "weights", "labels"):
        (root / folder).mkdir(parents=True)
    (root / "pipeline.toml").write_text(SCANNER, encoding="utf-8")
    (root / "scan_models.py").write_text("raise RuntimeError('reading a pipeline imports no model')\n")
    (root / "weights/locate.safetensors").write_bytes(b"weights")
    (root / "labels/tokens.json").write_text(json.dumps(["<pad>", "<start>", "<end>", "α", "\\beta"]))
    save_onnx(root / "models/orient.onnx", {"crop": [1, 3, 64, 64]}, {"scores": [1, 4]})
    return root


@pytest.fixture
def edit(scanner: Path) -> Callable[[str, str], Path]:
    """Replace a text of the scanner's pipeline.toml that is there exactly once; gives the file."""

    def change(old: str, new: str) -> Path:
        file = scanner / "pipeline.toml"
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        file.write_text(text.replace(old, new), encoding="utf-8")
        return file

    return change
