"""formula_scan's networks and their committed weights."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="the example's models are PyTorch modules; install the extra 'torch'")

from formula_scan.flow import Scanner, box_iou  # noqa: E402
from formula_scan.grammar import VOCABULARY, detokenize  # noqa: E402
from formula_scan.models import MEMORY_SIZE, STATE_SIZE, Decoder, Encoder, Locator, Orienter  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "formula_scan"
DATA = ROOT / "calibration_data" / "formula_scan"


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_weights_stay_under_8_mb() -> None:
    files = [*EXAMPLE.glob("weights/*.safetensors"), *EXAMPLE.glob("models/*.onnx")]
    assert len(files) == 4
    assert sum(file.stat().st_size for file in files) < 8e6


@torch.inference_mode()
def test_locator_gives_probabilities_and_distances() -> None:
    heatmap, box = Locator().eval()(torch.rand(1, 3, 320, 320))
    assert heatmap.shape == (1, 1, 80, 80)
    assert box.shape == (1, 4, 80, 80)
    assert 0 <= heatmap.min() <= heatmap.max() <= 1
    assert box.min() >= 0


@torch.inference_mode()
def test_reader_has_the_shapes_of_the_pipeline() -> None:
    stages = {stage["name"]: stage for stage in tomllib.loads((EXAMPLE / "pipeline.toml").read_text())["stage"]}
    memory = Encoder().eval()(torch.rand(1, 1, 48, 256))
    assert 0 <= memory.min() <= memory.max() <= 6
    logits, state = Decoder().eval()(torch.tensor([1]), torch.zeros(1, STATE_SIZE), memory)
    shapes = {given["name"]: tuple(given["shape"]) for given in stages["decode"]["inputs"]}
    assert shapes == {"token": (1,), "state": tuple(state.shape), "memory": tuple(memory.shape)}
    assert memory.shape[2] == MEMORY_SIZE
    assert logits.shape == (1, len(VOCABULARY))
    assert state.abs().max() <= 1


@torch.inference_mode()
def test_orienter_is_exported_at_batch_1() -> None:
    import onnxruntime

    given = onnxruntime.InferenceSession(EXAMPLE / "models" / "orient.onnx")
    assert [tuple(value.shape) for value in (*given.get_inputs(), *given.get_outputs())] == [(1, 1, 64, 64), (1, 4)]
    assert Orienter().eval()(torch.rand(1, 1, 64, 64)).shape == (1, 4)


def test_most_formulas_of_clean_pages_are_read() -> None:
    """Fewer than half would mean broken weights or a flow that differs from training's."""
    scanner = Scanner(EXAMPLE)
    samples = tomllib.loads((DATA / "manifest.toml").read_text())["sample"]
    right = asked = 0
    for sample in [s for s in samples if s["part"] == "validate" and s["kind"] == "clean"][:5]:
        found = scanner.scan(np.asarray(Image.open(DATA / sample["file"]).convert("RGB")))
        for item in sample["answer"]["items"]:
            asked += 1
            right += any(
                detokenize(f.tokens) == item["text"] and box_iou(f.box, np.array(item["box"])) >= 0.5 for f in found
            )
    assert right > asked / 2
