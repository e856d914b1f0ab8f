from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from litebundle.errors import LitebundleError
from litebundle.pipeline import load_pipeline

Edit = Callable[[str, str], Path]


def test_a_folder_and_its_file_give_the_same_pipeline(scanner: Path) -> None:
    assert load_pipeline(scanner) == load_pipeline(scanner / "pipeline.toml")


def test_the_pipeline_says_what_the_file_says(scanner: Path) -> None:
    pipeline = load_pipeline(scanner)
    assert (pipeline.name, pipeline.version, pipeline.root) == ("formula_scan", "0.1.0", scanner.resolve())
    assert pipeline.data.calibrate == scanner / "data/calibrate"
    assert pipeline.data.validate == scanner / "data/validate"
    assert [stage.name for stage in pipeline.stages] == ["locate", "orient", "encode", "decode"]
    requirements = pipeline.requirements
    assert requirements.offline_latency_p90_ms == 400
    assert (requirements.memory_mb, requirements.qps) == (None, None)
    assert [(metric.name, metric.max, metric.min) for metric in requirements.metric] == [("edit_distance", 0.1, None)]
    locate = pipeline.stage("locate")
    assert [(item.name, item.shape, item.graph_shape) for item in locate.inputs] == [
        ("image", (1, 3, 320, 320), (1, 320, 320, 3))
    ]
    assert (locate.quantize.scheme, locate.quantize.io.input, locate.quantize.io.output) == ("int8", "uint8", "uint8")
    assert [(budget.metric, budget.max_drop) for budget in locate.budget] == [("box_f1", 0.01)]
    assert pipeline.labels() == {"labels/decode.json": scanner / "labels/tokens.json"}


def test_defaults(scanner: Path) -> None:
    encode = load_pipeline(scanner).stage("encode")
    assert (encode.quantize.scheme, encode.quantize.calibration) == ("none", "minmax")
    assert (encode.parity_tolerance, encode.accelerators, encode.budget) == (1e-4, ("cpu",), ())


def test_an_onnx_stage_has_the_tensors_of_its_file(scanner: Path) -> None:
    orient = load_pipeline(scanner).stage("orient")
    assert [(item.name, item.shape, item.dtype) for item in orient.inputs] == [("crop", (1, 3, 64, 64), "float32")]
    assert orient.outputs == ("scores",)


def test_steps_have_their_defaults_filled_in(scanner: Path) -> None:
    letterbox = load_pipeline(scanner).stage("locate").before[0]
    assert letterbox.attributes == {"size": [320, 320], "fill": 114, "align": "center"}


def test_a_dump_is_the_same_in_every_folder(scanner: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    before = load_pipeline(scanner).model_dump_json()
    scanner.rename(moved)
    assert load_pipeline(moved).model_dump_json() == before
    assert str(tmp_path) not in before


def test_absolute_and_parent_paths(edit: Edit, tmp_path: Path, scanner: Path) -> None:
    outside = tmp_path / "shared data"
    (scanner / "data").rename(outside)
    edit('"data/calibrate"', '"../shared data/calibrate"')
    file = edit('"data/validate"', f'"{outside}/validate"')
    data = load_pipeline(file).data
    assert (data.calibrate, data.validate) == (outside / "calibrate", outside / "validate")


# What is changed in the scanner's file; the text that stands in the line complained of; what the message must say.
WRONG = {
    "wrong key": (
        'weights = "weights/locate.safetensors"',
        'weight = "weights/locate.safetensors"',
        "weight =",
        ["stage 'locate'", "unknown key", "did you mean 'weights'?"],
    ),
    "wrong unit": (
        "offline_latency_p90_ms = 400",
        "offline_latency_ms = 400",
        "offline_latency_ms",
        ["[requirements]", "unknown key", "did you mean 'offline_latency_p90_ms'?"],
    ),
    "wrong table": ("[data]", "[dat]", "[dat]", ["unknown key", "did you mean 'data'?"]),
    "missing key": ('licence = "Apache-2.0"\n', "", "[pipeline]", ["licence: is missing", "Apache-2.0"]),
    "wrong type": (
        "bundle_mb = 8",
        'bundle_mb = "8"',
        "bundle_mb",
        ["[requirements] bundle_mb", 'must be a number, not "8"', "bundle_mb = 8"],
    ),
    "a bool is no number": ("bundle_mb = 8", "bundle_mb = true", "bundle_mb", ["must be a number, not true"]),
    "not a number": ("bundle_mb = 8", "bundle_mb = nan", "bundle_mb", ["finite"]),
    "negative": ("bundle_mb = 8", "bundle_mb = -8", "bundle_mb", ["must be more than 0", "not -8"]),
    "a fraction of a pixel": (
        "shape = [1, 3, 320, 320]",
        "shape = [1, 3, 320.5, 320]",
        "320.5",
        ["stage 'locate'", "input.shape[2]", "must be a whole number, not 320.5", "shape = [1, 3, 320, 320]"],
    ),
    "shape of no axis": ("shape = [1, 1, 48, 256]", "shape = []", "shape = []", ["inputs[0].shape", "not be empty"]),
    "shape that does not fit": (
        "shape = [1, 3, 320, 320]",
        "shape = [1, 3, 300, 320]",
        "300",
        ["input 'image' is [1, 300, 320, 3]", "'locate/normalize'", "[1, 320, 320, 3]"],
    ),
    "shape that does not fit the file": (
        'source = "onnx:models/orient.onnx"',
        'source = "onnx:models/orient.onnx"\ninput = { name = "crop", shape = [1, 3, 64, 65] }',
        "65",
        ["[1, 3, 64, 65] does not fit", "'crop'", "[1, 3, 64, 64]"],
    ),
    "channels": (
        '  { op = "convert_color", to = "gray" },\n',
        "",
        "[1, 1, 48, 256]",
        ["stage 'encode'", "[1, 48, 256, 1]", "[1, 48, 256, 3]"],
    ),
    "open size": (
        '{ op = "letterbox", size = [48, 256], fill = 255, align = "left" }',
        '{ op = "fit_height", height = 48, max_width = 256 }',
        "[1, 1, 48, 256]",
        ["differs from photo to photo", "pad"],
    ),
    "tensor that the file lacks": (
        'source = "onnx:models/orient.onnx"',
        'source = "onnx:models/orient.onnx"\ninput = { name = "corp", shape = [1, 3, 64, 64] }',
        "corp",
        ["no input 'corp'", "did you mean 'crop'?"],
    ),
    "layout of three axes": (
        "shape = [1, 1, 48, 256]",
        'shape = [48, 256], layout = "NCHW"',
        "[48, 256], layout",
        ["layout 'NCHW' names four axes", "the shape has 2"],
    ),
    "layout": ('layout = "NCHW"', 'layout = "NCWH"', "NCWH", ["not allowed", "did you mean 'NCHW'?"]),
    "missing source": (
        "models/orient.onnx",
        "models/orien.onnx",
        "orien.onnx",
        ["stage 'orient', source", "no such file", "relative to the folder of pipeline.toml"],
    ),
    "folder for a file": ("weights/locate.safetensors", "weights", '"weights"', ["weights", "not a plain file"]),
    "missing data": ('"data/validate"', '"data/validat"', "validat", ["[data] validate", "no folder", "relative"]),
    "same data": ('"data/validate"', '"data/calibrate"', "validate =", ["are the same folder"]),
    "data of two sets": ('"data/validate"', '"data"', "validate =", ["different folders", "two parts of one data set"]),
    "missing module": (
        "scan_models:Locator",
        "scan_model:Locator",
        "scan_model:",
        ["no module 'scan_model'", "nor is it installed"],
    ),
    "no factory": ("torch:scan_models:Locator", "torch:scan_models", "scan_models", ["torch:package.module:Factory"]),
    "no such door": ("torch:scan_models:Locator", "keras:x.h5", "keras", ["no model source", "onnx:"]),
    "weights of an ONNX file": (
        'source = "onnx:models/orient.onnx"',
        'source = "onnx:models/orient.onnx"\nweights = "weights/locate.safetensors"',
        'name = "orient"',
        ["stage 'orient'", "holds its own weights", "remove weights"],
    ),
    "no outputs": ('outputs = ["memory"]\n', "", 'name = "encode"', ["no stored signature", "outputs ="]),
    "missing labels": ("labels/tokens.json", "labels/x.json", "x.json", ["stage 'decode'", "labels", "no such file"]),
    "name": ('name = "orient"', 'name = "Orient-2"', "Orient-2", ["cannot name a stage", "small letters"]),
    "bundle name": ('name = "formula_scan"', 'name = "수식"', "수식", ["cannot name a bundle"]),
    "same name": ('name = "orient"', 'name = "locate"', None, ["'locate' is taken by an earlier stage"]),
    "version": ('version = "0.1.0"', 'version = "0.1"', "0.1", ["not a semantic version", "0.1.0"]),
    "version as a number": ('version = "0.1.0"', "version = 1", "version", ["must be a text in quotes"]),
    "auto": ('scheme = "int8"', 'scheme = "auto"', "auto", ["not part of this version", "choose one"]),
    "scheme": ('scheme = "int8"', 'scheme = "int9"', "int9", ["not allowed", "did you mean 'int8'?"]),
    "integer io in float": ('scheme = "int8"', 'scheme = "fp16"', "fp16", ['need scheme = "int8"', "fp16"]),
    "percentile alone": (
        'scheme = "int8"',
        'scheme = "int8", percentile = 99.0',
        "percentile",
        ['calibration = "percentile"'],
    ),
    "metric": ('name = "edit_distance"', 'name = "edit_dist"', "edit_dist", ["did you mean 'edit_distance'?"]),
    "bound on the wrong side": ("max = 0.10", "min = 0.10", "min = 0.10", ["better when lower", "'max'"]),
    "budget without a metric": ('metric = "box_f1", ', "", "max_drop", ["budget.metric", "is missing", "box_f1"]),
    "operation": ('op = "heatmap_boxes"', 'op = "heatmap_box"', "heatmap_box", ["did you mean 'heatmap_boxes'?"]),
    "attribute": ("fill = 255", "filll = 255", "filll", ["before[1].filll", "unknown key", "did you mean 'fill'?"]),
    "attribute's type": ("threshold = 0.4", 'threshold = "0.4"', "threshold", ["after[0].threshold", "a number"]),
    "attribute missing": ("threshold = 0.4, ", "", "heatmap_boxes", ["threshold: is missing"]),
    "half a size": ("size = [64, 64]", "size = [64]", "size = [64]", ["before[1].size[1]", "is missing"]),
    "loop as a step": (
        'op = "detokenize"',
        'op = "autoregressive_decode"',
        "after = [{ op",
        ["give it to the stage as loop"],
    ),
    "boxes of nobody": ('of = "locate"', 'of = "locat"', "locat", ["finds boxes", "did you mean 'locate'?"]),
    "boxes of oneself": ('of = "locate"', 'of = "orient"', "of =", ["no earlier stage 'orient' finds boxes"]),
    "boxes unnamed": (', of = "locate"', "", "crop_boxes", ['write of = "..."']),
    "of elsewhere": ('op = "resize"', 'op = "resize", of = "locate"', "resize", ["of: unknown key"]),
    "from of no stage": ("encode.memory", "encod.memory", "encod.", ["no stage 'encod'", "did you mean 'encode'?"]),
    "from of no tensor": ("encode.memory", "encode.memor", "memor", ["no tensor 'memor'", "did you mean 'memory'?"]),
    "from without a stage": ('"encode.memory"', '"memory"', "from", ["names no value", "encode.memory"]),
    "no from": ('from = "encode.memory"\n', "", 'name = "decode"', ["'memory'", "from"]),
    "geometry": (
        '{ op = "letterbox", size = [320, 320] }',
        '{ op = "resize", size = [320, 320] }',
        "heatmap_boxes",
        ["takes geometry", "add letterbox to before"],
    ),
    "image into a model": (
        ', { op = "normalize", mean = [127.5], std = [127.5] }]',
        "]",
        None,
        ["input 'image' takes a tensor", "normalize or to_tensor"],
    ),
    "order of before": (
        '{ op = "letterbox", size = [320, 320] }, { op = "normalize", mean = [127.5], std = [127.5] }',
        '{ op = "normalize", mean = [127.5], std = [127.5] }, { op = "letterbox", size = [320, 320] }',
        "normalize",
        ["letterbox takes an image", "behind normalize", "order"],
    ),
    "tensor operation on an image": (
        '{ op = "convert_color", to = "gray" }',
        '{ op = "pad", size = [48, 256], value = 0.0 }',
        "pad",
        ["pad takes a tensor", "order"],
    ),
    "after in before": (
        '{ op = "convert_color", to = "gray" }',
        '{ op = "rotate_upright" }',
        "rotate_upright",
        ["takes what a model makes", "move it to after"],
    ),
    "before in after": (
        'after = [{ op = "rotate_upright" }]',
        'after = [{ op = "rotate_upright" }, { op = "resize", size = [1, 1] }]',
        "resize",
        ["prepares a picture or tensor for a model", "move it to before"],
    ),
    "crops behind a model": (
        "threshold = 0.4, max = 32 }",
        'threshold = 0.4, max = 32 }, { op = "crop_boxes", of = "locate" }',
        "crop_boxes",
        ["belongs in the before of the stage that takes the crops"],
    ),
    "crops of a changed picture": (
        '  { op = "crop_boxes", of = "locate", margin = 0.1 },\n  { op = "resize", size = [64, 64] },',
        '  { op = "resize", size = [64, 64] },\n  { op = "crop_boxes", of = "locate", margin = 0.1 },',
        "crop_boxes",
        ["must come first in before"],
    ),
    "crops of crops": (
        '{ op = "convert_color", to = "gray" }',
        '{ op = "crop_boxes", of = "locate" }, { op = "convert_color", to = "gray" }',
        "crop_boxes",
        ["cuts boxes once"],
    ),
    "two prepared inputs": (
        'inputs = [{ name = "image", shape = [1, 1, 48, 256] }]',
        'inputs = [{ name = "image", shape = [1, 1, 48, 256] }, { name = "mask", shape = [1, 1, 48, 256] }]',
        'name = "encode"',
        ["'image', 'mask' would all take the prepared picture", "from"],
    ),
    "before for nobody": (
        'inputs = [{ name = "image", shape = [1, 1, 48, 256] }]',
        'inputs = [{ name = "image", shape = [1, 4], from = "orient.scores" }]',
        "before = [",
        ["no input takes what before prepares"],
    ),
    "loop's output": ('"state_out" }', '"state_ou" }', "state_ou", ["no output 'state_ou'", "'state_out'"]),
    "loop's input": ("state = { state", "state = { stat", "stat =", ["no input 'stat'", "'state'"]),
    "means per channel": ("mean = [127.5]", "mean = [1, 2]", "mean = [1, 2]", ["2 values of mean", "3 channels"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_told_with_line_rule_and_way_out(case: str, edit: Edit) -> None:
    old, new, marker, fragments = WRONG[case]
    file = edit(old, new)
    with pytest.raises(LitebundleError) as caught:
        load_pipeline(file)
    told = [text.strip() for text in str(caught.value).splitlines() if text.strip().startswith(f"{file}:")]
    matching = [text for text in told if all(fragment in text for fragment in fragments)]
    assert matching, f"{fragments} not in {caught.value}"
    line = int(matching[0].removeprefix(f"{file}:").split(":")[0])
    lines = file.read_text(encoding="utf-8").splitlines()
    # A key that is missing has no line of its own: its table's is told.
    assert marker is None or any(marker in text for text in lines[line - 1 : line + 1]), lines[line - 1]


def test_metric_that_compares_what_no_stage_gives(edit: Edit) -> None:
    file = edit('after = [{ op = "rotate_upright" }]', 'budget = { metric = "accuracy", max_drop = 0.01 }')
    with pytest.raises(LitebundleError, match=r"stage 'orient', budget.metric: 'accuracy' compares angle or label"):
        load_pipeline(file)


@pytest.mark.parametrize("key", ["calibrate", "validate"])
def test_a_path_that_no_file_system_has(edit: Edit, key: str) -> None:
    file = edit(f'"data/{key}"', '"a\\u0000b"')
    with pytest.raises(LitebundleError, match=rf"\[data\] {key}: .* is no folder"):
        load_pipeline(file)


def test_several_errors_are_told_together_in_the_order_of_the_file(edit: Edit) -> None:
    edit("bundle_mb = 8", 'bundle_mb = "8"')
    edit('op = "heatmap_boxes"', 'op = "heatmap_box"')
    file = edit('version = "0.1.0"', 'version = "one"')
    with pytest.raises(LitebundleError) as caught:
        load_pipeline(file)
    first, *told = str(caught.value).splitlines()
    assert first == "3 errors in pipeline.toml"
    assert [("version" in a, "bundle_mb" in a, "heatmap_box" in a) for a in told] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]


def test_no_stages(edit: Edit, scanner: Path) -> None:
    file = scanner / "pipeline.toml"
    text = file.read_text(encoding="utf-8")
    head = text[: text.index("[[stage]]")]
    file.write_text(head, encoding="utf-8")
    with pytest.raises(LitebundleError, match=r"stage: is missing; add a table \[\[stage\]\]"):
        load_pipeline(file)
    file.write_text("stage = []\n" + head, encoding="utf-8")
    with pytest.raises(LitebundleError, match=r"toml:1: \[stage\]: must not be empty"):
        load_pipeline(file)


def test_no_result(edit: Edit) -> None:
    edit('after = [{ op = "heatmap_boxes", threshold = 0.4, max = 32 }]', "")
    file = edit('{ op = "crop_boxes", of = "locate", margin = 0.1 },', "")
    text = file.read_text(encoding="utf-8").replace('after = [{ op = "rotate_upright" }]', "")
    cut = text.index('[[stage]]\nname = "encode"')
    metric = 'metric = { name = "edit_distance", max = 0.10 }'
    file.write_text(text[:cut].replace(metric, "").replace('budget = { metric = "box_f1", max_drop = 0.01 }', ""))
    with pytest.raises(LitebundleError, match="has no result"):
        load_pipeline(file)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[pipeline]\nname = "a\n', 2),
        ("[pipeline]\nname = a\n", 2),
        ("[pipeline\n", 1),
        ("a = 1\n\na = 2\n", 3),
        ("a = [1,\n2\n", 2),
    ],
)
def test_not_toml(tmp_path: Path, text: str, line: int) -> None:
    file = tmp_path / "pipeline.toml"
    file.write_text(text)
    with pytest.raises(LitebundleError, match=rf"pipeline\.toml:{line}: not valid TOML: "):
        load_pipeline(file)


def test_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "pipeline.toml").write_bytes('a = 1\nb = "가"\n'.encode("cp949"))
    with pytest.raises(LitebundleError, match=r"pipeline\.toml:2: not UTF-8 text"):
        load_pipeline(tmp_path)


def test_a_byte_order_mark_does_no_harm(scanner: Path) -> None:
    file = scanner / "pipeline.toml"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert load_pipeline(file).name == "formula_scan"


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(LitebundleError, match=r"pipeline\.toml: no such file.*litebundle init"):
        load_pipeline(tmp_path)


@pytest.mark.parametrize("size", [0, 1, 40])
def test_a_cut_onnx_file(scanner: Path, size: int) -> None:
    model = scanner / "models/orient.onnx"
    model.write_bytes(model.read_bytes()[:size])
    with pytest.raises(LitebundleError, match=r"stage 'orient', source: .*not an ONNX model, or cut short"):
        load_pipeline(scanner)


@pytest.mark.parametrize("content", ["{}", "[]", "[1]", "nonsense", '"text"'])
def test_labels_that_are_no_list_of_texts(scanner: Path, content: str) -> None:
    (scanner / "labels/tokens.json").write_text(content)
    with pytest.raises(LitebundleError, match=r"stage 'decode', after\[0\]\.labels: .*JSON"):
        load_pipeline(scanner)


def test_importing_the_package_imports_no_numpy() -> None:
    code = "import sys, litebundle.pipeline; print('numpy' in sys.modules or 'onnx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
