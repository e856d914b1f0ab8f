"""A small pipeline with all that makes builds hard: found boxes, crops, a token loop, three models in ONNX.

A page is dark. A card on it is 24 x 16 pixels with a red spot in the middle; each of its halves is dark ("a") or
green ("b"). `find` makes boxes of the spots, `encode` looks at the halves of a crop, `decode` spells them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, helper, load, numpy_helper, save
from PIL import Image

LABELS = ("<pad>", "<start>", "<end>", "a", "b")
SIDE = 64
KINDS = ("plain", "dim")
COUNTS = {"calibrate": 2, "validate": 3}

PIPELINE = """
[pipeline]
name = "scanner"
version = "1.0.0"
summary = "cards on a page to their letters"
licence = "Apache-2.0"

[requirements]
bundle_mb = 1
metric = { name = "exact_match", min = 0.5 }

[data]
calibrate = "data/calibrate"
validate = "data/validate"

[[stage]]
name = "find"
source = "onnx:models/find.onnx"
before = [{ op = "letterbox", size = [32, 32], fill = 0 }, { op = "normalize", mean = [0], std = [255] }]
after = [{ op = "heatmap_boxes", threshold = 0.5, max = 4 }]
quantize = { scheme = "int8", io = { input = "uint8", output = "float32" } }
budget = { metric = "box_f1", max_drop = 0.1 }

[[stage]]
name = "encode"
source = "onnx:models/encode.onnx"
before = [
  { op = "crop_boxes", of = "find", margin = 0 },
  { op = "convert_color", to = "gray" },
  { op = "resize", size = [16, 16] },
  { op = "normalize", mean = [0], std = [255] },
]
quantize = { scheme = "fp16" }

[[stage]]
name = "decode"
source = "onnx:models/decode.onnx"
inputs = [
  { name = "token", shape = [1], dtype = "int64" },
  { name = "state", shape = [1, 4] },
  { name = "memory", shape = [1, 2, 4], from = "encode.memory" },
]
loop = { op = "autoregressive_decode", constants = ["memory"], state = { state = "state_out" }, max_tokens = 4, start = 1, end = 2 }
after = [{ op = "detokenize", labels = "labels.json", style = "none" }]
quantize = { scheme = "int8" }
budget = { metric = "edit_distance", max_drop = 0.2 }
"""  # noqa: E501


def create_scanner(root: Path) -> Path:
    """Write the project into a new folder: pipeline.toml, models, labels and data set, always the same bytes."""
    (root / "models").mkdir(parents=True)
    for name, model in {"find": find(), "encode": encode(), "decode": decode()}.items():
        save(model, root / f"models/{name}.onnx")
    (root / "pipeline.toml").write_text(PIPELINE, encoding="utf-8")
    (root / "labels.json").write_text(json.dumps(LABELS), encoding="utf-8")
    write_data(root / "data")
    return root


def change_weights(root: Path, stage: str, name: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Put other numbers into one initializer of a stage's ONNX file."""
    path = root / f"models/{stage}.onnx"
    model = load(path)
    (tensor,) = [each for each in model.graph.initializer if each.name == name]
    tensor.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(tensor)), name))
    save(model, path)


def change_setting(root: Path, old: str, new: str) -> None:
    """Replace one text of pipeline.toml, which must be there once."""
    path = root / "pipeline.toml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def change_picture(root: Path, part: str) -> None:
    """Make the first picture of a part a little lighter, and correct its entry in the manifest."""
    path = sorted((root / "data" / part).rglob("*.png"))[0]
    before = sha256(path.read_bytes()).hexdigest()
    pixels = np.array(Image.open(path))
    Image.fromarray(np.minimum(pixels + 3, 255).astype(np.uint8)).save(path)
    manifest = root / "data/manifest.toml"
    text = manifest.read_text(encoding="utf-8")
    assert before in text
    manifest.write_text(text.replace(before, sha256(path.read_bytes()).hexdigest()), encoding="utf-8")


def write_data(folder: Path, counts: dict[str, int] = COUNTS) -> None:
    random = np.random.default_rng(5)
    text = 'format_version = 1\nname = "cards"\nlicence = "CC0-1.0"\n'
    for kind in KINDS:
        wish = f"{{ calibrate = {counts['calibrate']}, validate = {counts['validate']} }}"
        text += f"[kinds.{kind}]\nwanted = {wish}\npresent = {wish}\n"
    for part, count in counts.items():
        for kind in KINDS:
            (folder / part / kind).mkdir(parents=True)
            for number in range(count):
                file = f"{part}/{kind}/{number}.png"
                pixels, items = page(random, 0.8 if kind == "dim" else 1.0)
                Image.fromarray(pixels).save(folder / file)
                digest = sha256((folder / file).read_bytes()).hexdigest()
                text += f'[[sample]]\nfile = "{file}"\npart = "{part}"\nkind = "{kind}"\nsha256 = "{digest}"\n'
                text += f"answer = {{ items = [{', '.join(items)}] }}\n"
    (folder / "manifest.toml").write_text(text, encoding="utf-8")


def page(random: np.random.Generator, light: float) -> tuple[np.ndarray, list[str]]:
    """uint8 [64, 64, 3] with one or two cards, and their answers as TOML."""
    pixels = random.integers(0, 20, (SIDE, SIDE, 3)).astype(np.float64)
    items = []
    for top in random.permutation([4, 36])[: random.integers(1, 3)]:
        left = 8 * int(random.integers(1, 4))
        word = "".join(random.choice(["a", "b"], 2))
        for half, letter in enumerate(word):
            start = left + 12 * half
            pixels[top : top + 16, start : start + 12, 1] = random.integers(0, 60) + 190 * (letter == "b")
        pixels[top + 4 : top + 12, left + 8 : left + 16, 0] = 255
        items.append(f'{{ box = [{left}, {top}, {left + 24}, {top + 16}], text = "{word}" }}')
    return np.clip(pixels * light, 0, 255).astype(np.uint8), items


def find() -> ModelProto:
    """image float32 [1, 3, 32, 32] -> heatmap [1, 1, 8, 8], box [1, 4, 8, 8]: the redness of 4 x 4 pixels."""
    red = np.zeros((1, 3, 4, 4), np.float32)
    red[0, 0] = 1 / 16
    return _model(
        "find",
        [
            helper.make_node("Conv", ["image", "red"], ["redness"], strides=[4, 4]),
            helper.make_node("Mul", ["redness", "steep"], ["steeper"]),
            helper.make_node("Add", ["steeper", "offset"], ["peaks"]),
            helper.make_node("Sigmoid", ["peaks"], ["heatmap"]),
            helper.make_node("Conv", ["redness", "sides", "side_offsets"], ["box"]),
        ],
        {"image": (TensorProto.FLOAT, [1, 3, 32, 32])},
        {"heatmap": [1, 1, 8, 8], "box": [1, 4, 8, 8]},
        {
            "red": red,
            "steep": np.array(12, np.float32),
            "offset": np.array(-6, np.float32),
            "sides": np.full((4, 1, 1, 1), 0.01, np.float32),
            "side_offsets": np.array([12, 8, 12, 8], np.float32) / SIDE - 0.01,
        },
    )


def encode() -> ModelProto:
    """image float32 [1, 1, 16, 16] -> memory [1, 2, 4]: brightness and darkness of the left and the right half."""
    kernels = np.zeros((4, 1, 16, 8), np.float32)
    kernels[0], kernels[1], kernels[2, :, :8], kernels[3, :, 8:] = 1 / 128, -1 / 128, 1 / 64, 1 / 64
    return _model(
        "encode",
        [
            helper.make_node("Conv", ["image", "kernels", "dark"], ["looked"], strides=[16, 8]),
            helper.make_node("Relu", ["looked"], ["positive"]),
            helper.make_node("Reshape", ["positive", "flat"], ["columns"]),
            helper.make_node("Transpose", ["columns"], ["memory"], perm=[0, 2, 1]),
        ],
        {"image": (TensorProto.FLOAT, [1, 1, 16, 16])},
        {"memory": [1, 2, 4]},
        {"kernels": kernels, "dark": np.array([0, 0.6, 0, 0], np.float32), "flat": np.array([1, 4, 2])},
    )


def decode() -> ModelProto:
    """token int64 [1], state [1, 4], memory [1, 2, 4] -> logits [1, 5], state_out [1, 4]: which step it is."""
    shift = np.eye(4, k=1, dtype=np.float32)
    shift[:, 0] -= 1
    letters = np.zeros((4, 5), np.float32)
    letters[:, 4], letters[:, 3], letters[1, 4] = 8, -2, -8
    letters[1, 3] = 16
    ends = np.zeros((4, 5), np.float32)
    ends[:2, 2], ends[2:, 2] = -8, 20
    return _model(
        "decode",
        [
            helper.make_node("MatMul", ["state", "shift"], ["moved"]),
            helper.make_node("Add", ["moved", "first"], ["state_out"]),
            helper.make_node("MatMul", ["state_out", "places"], ["place"]),
            helper.make_node("Unsqueeze", ["place", "axis"], ["row"]),
            helper.make_node("MatMul", ["row", "memory"], ["context"]),
            helper.make_node("Squeeze", ["context", "axis"], ["seen"]),
            helper.make_node("MatMul", ["seen", "letters"], ["letter"]),
            helper.make_node("MatMul", ["state_out", "ends"], ["end"]),
            helper.make_node("Gather", ["previous", "token"], ["habit"]),
            helper.make_node("Add", ["letter", "end"], ["both"]),
            helper.make_node("Add", ["both", "habit"], ["logits"]),
        ],
        {
            "token": (TensorProto.INT64, [1]),
            "state": (TensorProto.FLOAT, [1, 4]),
            "memory": (TensorProto.FLOAT, [1, 2, 4]),
        },
        {"logits": [1, 5], "state_out": [1, 4]},
        {
            "shift": shift,
            "first": np.eye(1, 4, dtype=np.float32),
            "places": np.eye(4, 2, dtype=np.float32),
            "axis": np.array([1]),
            "letters": letters,
            "ends": ends,
            "previous": np.random.default_rng(1).uniform(-0.1, 0.1, (5, 5)).astype(np.float32),
        },
    )


def _model(
    name: str,
    nodes: list,
    inputs: dict[str, tuple[int, list[int]]],
    outputs: dict[str, list[int]],
    weights: dict[str, np.ndarray],
) -> ModelProto:
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(key, *value) for key, value in inputs.items()],
        [helper.make_tensor_value_info(key, TensorProto.FLOAT, shape) for key, shape in outputs.items()],
        [numpy_helper.from_array(array, key) for key, array in weights.items()],
    )
    return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)])
