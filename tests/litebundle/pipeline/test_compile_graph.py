"""The graph against the rules of docs/pipeline.md, "How stages join"."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from litebundle.errors import LitebundleError
from litebundle.graph import Graph, ResultField
from litebundle.pipeline import check_shapes, compile_graph, foldable_normalize, load_pipeline

Edit = Callable[[str, str], Path]
CASES = Path(os.environ.get("LITEBUNDLE_CASES", Path(__file__).parents[4] / "shared/cases"))

SCANNER_NODES = """\
locate/letterbox: photo -> locate/letterbox locate/geometry
locate/normalize: locate/letterbox -> locate/normalize
locate/model: locate/normalize -> locate/heatmap locate/box
locate/heatmap_boxes: locate/heatmap locate/box locate/geometry photo -> locate/boxes
orient/crop_boxes: photo locate/boxes -> orient/crop_boxes orient/boxes
orient/resize (each): orient/crop_boxes -> orient/resize
orient/normalize (each): orient/resize -> orient/normalize
orient/model (each): orient/normalize -> orient/scores
orient/rotate_upright (each): orient/crop_boxes orient/scores -> orient/rotate_upright orient/angle
encode/convert_color (each): orient/rotate_upright -> encode/convert_color
encode/letterbox (each): encode/convert_color -> encode/letterbox encode/geometry
encode/normalize (each): encode/letterbox -> encode/normalize
encode/model (each): encode/normalize -> encode/memory
decode/autoregressive_decode (each): encode/memory -> decode/tokens decode/score
decode/detokenize (each): decode/tokens -> decode/text
"""


def written(graph: Graph) -> str:
    return "".join(
        f"{node.name}{' (each)' if node.each else ''}: {' '.join(node.inputs)} -> {' '.join(node.outputs)}\n"
        for node in graph.nodes
    )


def test_the_scanner(scanner: Path) -> None:
    graph = compile_graph(load_pipeline(scanner))
    assert written(graph) == SCANNER_NODES
    assert graph.results == (
        ResultField("box", "orient/boxes"),
        ResultField("angle", "orient/angle"),
        ResultField("score", "decode/score"),
        ResultField("text", "decode/text"),
    )
    nodes = {node.name: node for node in graph.nodes}
    assert nodes["decode/autoregressive_decode"].attributes == {
        "token": "token",
        "constants": ["memory"],
        "state": {"state": "state_out"},
        "logits": "logits",
        "start": 1,
        "end": 2,
        "max_tokens": 24,
        "beam": 1,
    }
    assert nodes["decode/detokenize"].attributes == {"labels": "labels/decode.json", "style": "latex"}
    assert {node.stage for node in graph.nodes} == {"locate", "orient", "encode", "decode"}
    json.dumps(graph.to_json(), allow_nan=False)


def test_a_folded_stage_is_fed_pixels(scanner: Path) -> None:
    pipeline = load_pipeline(scanner)
    plain, folded = compile_graph(pipeline), compile_graph(pipeline, folded=["locate", "encode"])
    expected = written(plain)
    for stage in ("locate", "encode"):
        expected = expected.replace(f"{stage}/normalize", f"{stage}/to_tensor")
    assert written(folded) == expected
    assert folded.results == plain.results


def test_a_stage_that_cannot_be_folded_is_refused(edit: Edit) -> None:
    pipeline = load_pipeline(edit("mean = [127.5], std = [127.5]", "mean = [1, 2, 3], std = [4]"))
    with pytest.raises(LitebundleError, match="'locate': its normalisation cannot be folded"):
        compile_graph(pipeline, folded=["locate"])


def test_layouts_that_the_converter_is_asked_for(edit: Edit) -> None:
    pipeline = load_pipeline(edit("shape = [1, 1, 48, 256] }", 'shape = [1, 48, 256, 1], layout = "NHWC" }'))
    assert pipeline.stage("locate").layouts == {"*": "NHWC", "image": "NHWC"}
    assert pipeline.stage("orient").layouts == {"*": "NHWC", "crop": "NHWC"}
    assert pipeline.stage("encode").layouts == {"image": ""}
    assert pipeline.stage("decode").layouts == {"token": "", "state": "", "memory": ""}


def test_the_same_file_gives_the_same_graph(scanner: Path) -> None:
    first, second = (json.dumps(compile_graph(load_pipeline(scanner)).to_json()) for _ in range(2))
    assert first == second


def test_model_outputs_bind_by_name_before_order(edit: Edit) -> None:
    by_name = compile_graph(load_pipeline(edit('["heatmap", "box"]', '["box", "heatmap"]')))
    by_order = compile_graph(load_pipeline(edit('["box", "heatmap"]', '["a", "b"]')))
    assert [n.inputs[:2] for n in by_name.nodes if n.op == "heatmap_boxes"] == [("locate/heatmap", "locate/box")]
    assert [n.inputs[:2] for n in by_order.nodes if n.op == "heatmap_boxes"] == [("locate/a", "locate/b")]


def test_boxes_without_crops_are_the_result_themselves(scanner: Path) -> None:
    file = scanner / "pipeline.toml"
    text = file.read_text(encoding="utf-8")
    metric = 'metric = { name = "edit_distance", max = 0.10 }'
    file.write_text(text[: text.index('[[stage]]\nname = "orient"')].replace(metric, ""), encoding="utf-8")
    assert compile_graph(load_pipeline(file)).results == (ResultField("box", "locate/boxes"),)


def test_nms_replaces_the_boxes_it_thins(edit: Edit) -> None:
    step = '{ op = "heatmap_boxes", threshold = 0.4, max = 32 }'
    graph = compile_graph(load_pipeline(edit(step, step + ', { op = "nms", iou = 0.3 }')))
    nms = next(node for node in graph.nodes if node.op == "nms")
    crop = next(node for node in graph.nodes if node.op == "crop_boxes")
    assert nms.inputs == ("locate/boxes",)
    assert crop.inputs == ("photo", *nms.outputs)


def test_a_repeated_field_is_named_after_its_stage(edit: Edit, scanner: Path) -> None:
    (scanner / "labels/turns.json").write_text('["up", "left", "down", "right"]')
    step = '{ op = "softmax_top_k", labels = "labels/turns.json" }'
    file = edit('after = [{ op = "rotate_upright" }]', f'after = [{{ op = "rotate_upright" }}, {step}]')
    fields = [(result.field, result.value) for result in compile_graph(load_pipeline(file)).results]
    assert fields == [
        ("box", "orient/boxes"),
        ("angle", "orient/angle"),
        ("label", "orient/label"),
        ("score", "orient/score"),
        ("decode_score", "decode/score"),
        ("text", "decode/text"),
    ]


def test_shapes_of_converted_models_are_compared(scanner: Path) -> None:
    pipeline = load_pipeline(scanner)
    graph = compile_graph(pipeline)
    check_shapes(pipeline, graph, {"encode/memory": (1, 64, 128), "decode/state_out": (1, 256)})
    with pytest.raises(LitebundleError, match=r"input 'memory' is \[1, 64, 128\] but 'encode/memory'.*\[1, 65, 128\]"):
        check_shapes(pipeline, graph, {"encode/memory": (1, 65, 128)})
    with pytest.raises(LitebundleError, match=r"output 'state_out' is \[1, 255\] and cannot become state 'state'"):
        check_shapes(pipeline, graph, {"decode/state_out": (1, 255)})


@pytest.mark.parametrize(("mean", "std"), [(127.5, 127.5), (0, 255), (128, 64), (3.2, 0.5), (255, 1)])
def test_a_folded_normalisation_is_the_normalisation(edit: Edit, mean: float, std: float) -> None:
    stage = load_pipeline(edit("mean = [127.5], std = [127.5]", f"mean = [{mean}], std = [{std}]")).stage("locate")
    affine = foldable_normalize(stage)
    assert affine is not None
    pixels = np.arange(256, dtype=np.float64)
    wanted = (pixels - mean) / std
    error = np.abs(affine.scale * (pixels - affine.zero_point) - wanted).max()
    assert affine.exact == (mean == int(mean))
    assert error <= (1e-12 if affine.exact else 0.5 / std + 1e-12)


@pytest.mark.parametrize(
    "normalize", ["mean = [1, 2, 3], std = [4]", "mean = [1], std = [1, 2, 3]", "mean = [-1], std = [1]"]
)
def test_what_one_scale_cannot_say_is_not_foldable(edit: Edit, normalize: str) -> None:
    stage = load_pipeline(edit("mean = [127.5], std = [127.5]", normalize)).stage("locate")
    assert foldable_normalize(stage) is None


def test_a_stage_fed_by_another_is_not_foldable(scanner: Path) -> None:
    assert foldable_normalize(load_pipeline(scanner).stage("decode")) is None


OCR = """\
[pipeline]
name = "ocr"
version = "1.0.0"
summary = "digits of a card"
licence = "Apache-2.0"

[data]
calibrate = "calibrate"
validate = "validate"

[[stage]]
name = "detect"
source = "onnx:{models}/ch_ppocr_mobile_v2.0_det_infer.onnx"
input = {{ name = "x", shape = [1, 3, 640, 640] }}
before = [
  {{ op = "letterbox", size = [640, 640], align = "left" }},
  {{ op = "convert_color", to = "bgr" }},
  {{ op = "normalize", mean = [123.675, 116.28, 103.53], std = [58.395, 57.12, 57.375] }},
]
after = [{{ op = "dbnet_boxes" }}]

[[stage]]
name = "turn"
source = "onnx:{models}/ch_ppocr_mobile_v2.0_cls_infer.onnx"
input = {{ name = "x", shape = [1, 3, 48, 192] }}
before = [
  {{ op = "crop_boxes", of = "detect" }},
  {{ op = "fit_height", height = 48, max_width = 192 }},
  {{ op = "normalize", mean = [127.5], std = [127.5] }},
  {{ op = "pad", size = [48, 192], value = 0 }},
]
after = [{{ op = "rotate_upright", angles = [0, 180], threshold = 0.9 }}]

[[stage]]
name = "read"
source = "onnx:{models}/en_number_mobile_v2.0_rec_infer.onnx"
input = {{ name = "x", shape = [1, 3, 32, 320] }}
before = [
  {{ op = "fit_height", height = 32, max_width = 320 }},
  {{ op = "normalize", mean = [127.5], std = [127.5] }},
  {{ op = "pad", size = [32, 320], value = 0 }},
]
after = [{{ op = "ctc_decode", labels = "labels.json" }}]
"""


@pytest.mark.skipif(not CASES.is_dir(), reason=f"no real models at {CASES}; set LITEBUNDLE_CASES")
def test_three_real_onnx_stages_with_open_axes(tmp_path: Path) -> None:
    for part in ("calibrate", "validate"):
        (tmp_path / part).mkdir()
    (tmp_path / "labels.json").write_text('["", "0"]')
    (tmp_path / "pipeline.toml").write_text(OCR.format(models=(CASES / "ocr/resources/models").resolve()))
    graph = compile_graph(load_pipeline(tmp_path))
    assert [(result.field, result.value) for result in graph.results] == [
        ("box", "turn/boxes"),
        ("angle", "turn/angle"),
        ("text", "read/text"),
        ("score", "read/score"),
    ]
    read = next(node for node in graph.nodes if node.name == "read/model")
    assert read.inputs == ("read/pad",)
    assert read.outputs == ("read/save_infer_model/scale_0.tmp_1",)
