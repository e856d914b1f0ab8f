"""Calibration's rate against the bare interpreter's, in one run: `python bench/calibration.py [MODEL.tflite ...]`.

Bare: set the input, invoke, fetch the outputs, on one thread. Both see the same samples, take turns, and the best turn
of each in processor time counts, so that another process on the machine disturbs neither side alone. `setup` is what
calibration costs before its first sample. Without arguments: the float models of MLPerf Tiny and, once it has been
built, the stages of the example.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from quantize import calibrate

CASES = Path(os.environ.get("LITEBUNDLE_CASES", Path(__file__).parents[2] / "shared" / "cases"))
MLPERF_TINY = CASES / "mlperf_tiny" / "benchmark" / "training"
EXAMPLE = Path(__file__).parents[1] / "examples" / "formula_scan"
DEFAULT_MODELS = (
    "anomaly_detection/trained_models/ad01_fp32.tflite",
    "image_classification/trained_models/pretrainedResnet.tflite",
    "keyword_spotting/trained_models/kws_ref_model_float32.tflite",
    "visual_wake_words/trained_models/vww_96_float.tflite",
)
TURNS = 7
TURN_SECONDS = 0.15
DISTINCT_SAMPLES = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    built = sorted(EXAMPLE.glob(".litebundle/cache/convert-*/model.tflite"))
    found = [path for path in (MLPERF_TINY / name for name in DEFAULT_MODELS) if path.is_file()]
    parser.add_argument("models", nargs="*", type=Path, default=[*found, *built])
    ratios = [measure(path) for path in parser.parse_args().models]
    print(f"geometric mean {math.prod(ratios) ** (1 / len(ratios)):.2f}")


def measure(path: Path) -> float:
    model = path.read_bytes()
    bare = bare_run(model)
    distinct = [random_sample(model, seed) for seed in range(DISTINCT_SAMPLES)]
    once_s = best_turn(lambda: [bare(sample) for sample in distinct]) / len(distinct)
    samples = distinct * max(1, round(TURN_SECONDS / once_s / len(distinct)))
    setup_s = best_turn(lambda: calibrate(model, samples[:1]))
    bare_s = calibrated_s = math.inf
    for _ in range(TURNS):
        bare_s = min(bare_s, seconds(lambda: [bare(sample) for sample in samples]))
        calibrated_s = min(calibrated_s, seconds(lambda: calibrate(model, samples)))
    ratio = bare_s / (calibrated_s - setup_s)
    print(
        f"{label(path):32} {bare_s / len(samples) * 1e6:8.1f} us bare  {ratio:5.2f} of its rate"
        f"  ({bare_s / calibrated_s:.2f} over {len(samples)} samples with {setup_s * 1e3:.0f} ms setup)",
        flush=True,
    )
    return ratio


def label(path: Path) -> str:
    """A cached stage is known by the names of its inputs and outputs."""
    if path.name != "model.tflite":
        return path.name
    interpreter = Interpreter(model_path=str(path))
    return " ".join(d["name"] for d in [*interpreter.get_input_details(), *interpreter.get_output_details()])


def bare_run(model: bytes) -> Callable[[dict[str, Any]], list[Any]]:
    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    inputs = {d["name"]: d["index"] for d in interpreter.get_input_details()}
    outputs = [d["index"] for d in interpreter.get_output_details()]

    def run(sample: dict[str, Any]) -> list[Any]:
        for name, value in sample.items():
            interpreter.set_tensor(inputs[name], value)
        interpreter.invoke()
        return [interpreter.get_tensor(index) for index in outputs]

    return run


def random_sample(model: bytes, seed: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    details = Interpreter(model_content=model, num_threads=1).get_input_details()
    return {d["name"]: random.uniform(0, 1, d["shape"]).astype(d["dtype"]) for d in details}


def best_turn(work: Callable[[], object]) -> float:
    return min(seconds(work) for _ in range(TURNS))


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
