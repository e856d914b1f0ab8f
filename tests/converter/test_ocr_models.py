"""Three stages of a real text recogniser, and one whose declared output shape lies, against onnxruntime."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import pytest

from converter import convert_onnx
from tests.converter.against_onnxruntime import operators

CASES = Path(os.environ.get("LITEBUNDLE_CASES", Path(__file__).parents[3] / "shared" / "cases"))
MODELS = CASES / "ocr" / "resources" / "models"
pytestmark = pytest.mark.skipif(not MODELS.is_dir(), reason=f"the OCR models are not at {MODELS}; set LITEBUNDLE_CASES")


@pytest.mark.parametrize(
    ("name", "shape", "output"),
    [
        ("ch_ppocr_mobile_v2.0_det_infer", (1, 3, 64, 224), (1, 64, 224, 1)),
        ("ch_ppocr_mobile_v2.0_det_infer", (1, 3, 320, 320), (1, 320, 320, 1)),
        ("ch_ppocr_mobile_v2.0_cls_infer", (1, 3, 48, 192), (1, 2)),
        ("en_number_mobile_v2.0_rec_infer", (1, 3, 32, 320), (1, 80, 97)),
        ("japan_rec_crnn", (1, 3, 32, 320), (1, 80, 4400)),
    ],
)
def test_parity_and_no_transpose_is_left(name, shape, output):
    model = onnx.load(MODELS / f"{name}.onnx")
    result = model.graph.output[0].name
    layouts = {"x": "NHWC"} | ({result: "NHWC"} if len(output) == 4 else {})
    sample = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    conversion = convert_onnx(model, shapes={"x": shape}, layouts=layouts, samples=[{"x": sample}])
    assert conversion.parity is not None
    assert conversion.parity.max_rel < 1e-4
    assert conversion.outputs[0].shape == output
    assert "TRANSPOSE" not in operators(conversion)
