"""Stages that do not join, and layouts at their joints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from litebundle import Bundle
from litebundle.build.builder import build
from litebundle.errors import LitebundleError
from litebundle.run import read_image
from tests.litebundle.build.conftest import RecordedProgress
from tests.litebundle.build.scanner import change_setting, change_weights, decode

BUNDLE = "dist/scanner-1.0.0.litebundle"


def widen_memory(root: Path) -> None:
    """The decoder takes four places where the encoder gives two."""
    change_setting(root, "shape = [1, 2, 4]", "shape = [1, 4, 4]")
    model = decode()
    model.graph.input[2].type.tensor_type.shape.dim[1].dim_value = 4
    places = next(each for each in model.graph.initializer if each.name == "places")
    places.CopyFrom(numpy_helper.from_array(np.eye(4, dtype=np.float32), "places"))
    onnx.save(model, root / "models/decode.onnx")


def see_nothing(root: Path) -> None:
    change_weights(root, "find", "offset", lambda array: array - 50)


def forget_a_label(root: Path) -> None:
    (root / "labels.json").write_text('["<pad>", "<start>", "<end>", "a"]', encoding="utf-8")


FAULTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "shapes": (widen_memory, r"stage 'decode': input 'memory' is \[1, 4, 4\] but 'encode/memory'.* \[1, 2, 4\]"),
    "nothing found": (see_nothing, "got no input from any of 4 pictures.*weights and thresholds"),
    "labels": (forget_a_label, "label"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_refused(scanner: Path, fault: str) -> None:
    spoil, words = FAULTS[fault]
    before = (scanner / BUNDLE).read_bytes()
    spoil(scanner)
    with pytest.raises(LitebundleError, match=words):
        build(scanner, scanner / "dist", RecordedProgress())
    assert (scanner / BUNDLE).read_bytes() == before


def test_an_input_declared_nhwc_stays(scanner: Path, built: Path) -> None:
    """An encoder whose source takes NHWC gives what the same encoder gives whose source takes NCHW."""
    path = scanner / "models/encode.onnx"
    model = onnx.load(path)
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, [1, 16, 16, 1]))
    model.graph.node[0].input[0] = "planes"
    model.graph.node.insert(0, helper.make_node("Transpose", ["image"], ["planes"], perm=[0, 3, 1, 2]))
    onnx.save(model, path)
    change_setting(
        scanner,
        'source = "onnx:models/encode.onnx"',
        'source = "onnx:models/encode.onnx"\ninput = { name = "image", shape = [1, 16, 16, 1], layout = "NHWC" }',
    )
    build(scanner, scanner / "dist", RecordedProgress())
    with Bundle.open(scanner / BUNDLE) as ours, Bundle.open(built / BUNDLE) as reference:
        stage = next(stage for stage in ours.stages if stage.name == "encode")
        assert stage.inputs[0].shape == (1, 16, 16, 1)
        for picture in (built / "data/validate").rglob("*.png"):
            photo = read_image(picture)
            found, expected = ours.run(photo).items, reference.run(photo).items
            assert [item["text"] for item in found] == [item["text"] for item in expected]
            assert len(found) > 0
