"""CPU time of a drift measurement against a plain loop over the same two models, taken in one run.

    python bench/drift.py [--samples 200] [--repeats 9] [REFERENCE.tflite QUANTIZED.tflite ...]

The plain loop loads both models, runs every sample through both with the same threads and takes, per
output, what any script would: float64 error, SQNR, cosine, largest error. Without models: the pairs of
MLPerf Tiny among the cases.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from quantize.drift import drift

Sample = Mapping[str, NDArray[Any]]

CASES = Path(os.environ.get("LITEBUNDLE_CASES", Path(__file__).parents[2] / "shared" / "cases"))
TINY = CASES / "mlperf_tiny" / "benchmark" / "training"
PAIRS = {
    "anomaly_detection": ("ad01_fp32.tflite", "ad01_int8.tflite"),
    "image_classification": ("pretrainedResnet.tflite", "pretrainedResnet_quant.tflite"),
    "keyword_spotting": ("kws_ref_model_float32.tflite", "kws_ref_model.tflite"),
    "visual_wake_words": ("vww_96_float.tflite", "vww_96_int8.tflite"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=Path, help="reference and quantized model, in turn")
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    models = arguments.models or [TINY / task / "trained_models" / n for task, names in PAIRS.items() for n in names]
    ratios = []
    print(f"{'pair':<40} {'plain ms':>10} {'drift ms':>10} {'ratio':>7}")
    for reference, quantized in zip(models[::2], models[1::2], strict=True):
        plain_s, drift_s = compare(reference.read_bytes(), quantized.read_bytes(), arguments.samples, arguments.repeats)
        ratios.append(drift_s / plain_s)
        print(f"{quantized.stem:<40} {1e3 * plain_s:>10.2f} {1e3 * drift_s:>10.2f} {ratios[-1]:>7.3f}")
    print(f"{'geometric mean':<40} {math.exp(statistics.fmean(map(math.log, ratios))):>29.3f}")


def compare(reference: bytes, quantized: bytes, samples: int, repeats: int) -> tuple[float, float]:
    """Least CPU time of ``repeats`` for the plain loop and for drift, in seconds, taken in turns after one
    unmeasured round.
    """
    values = make_samples(reference, quantized, samples)
    times = [
        (
            seconds(lambda: plain_loop(reference, quantized, values)),
            seconds(lambda: drift(reference, quantized, values)),
        )
        for _ in range(repeats + 1)
    ][1:]
    return min(plain for plain, _ in times), min(own for _, own in times)


def seconds(action: Callable[[], Any]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def make_samples(reference: bytes, quantized: bytes, count: int) -> list[Sample]:
    """Uniform noise over the range that the quantized model's inputs can hold."""
    generator = np.random.default_rng(0)
    ends = zip(inputs_of(reference), inputs_of(quantized), strict=True)
    plans = [(own, *held_range(other)) for own, other in ends]
    return [
        {own["name"]: generator.uniform(low, high, own["shape"]).astype(own["dtype"]) for own, low, high in plans}
        for _ in range(count)
    ]


def inputs_of(model: bytes) -> list[dict[str, Any]]:
    details: list[dict[str, Any]] = Interpreter(model_content=model).get_input_details()
    return details


def held_range(details: dict[str, Any]) -> tuple[float, float]:
    scale, zero_point = details["quantization"]
    if not scale:
        return -1.0, 1.0
    limits = np.iinfo(details["dtype"])
    return (limits.min - zero_point) * scale, (limits.max - zero_point) * scale


def plain_loop(reference: bytes, quantized: bytes, samples: list[Sample]) -> list[tuple[float, float, float]]:
    runners = [Interpreter(model_content=model, num_threads=1) for model in (reference, quantized)]
    for runner in runners:
        runner.allocate_tensors()
    inputs = [runner.get_input_details() for runner in runners]
    outputs = [runner.get_output_details() for runner in runners]
    signal = np.zeros(len(outputs[0]))
    noise, test, product, largest = (np.zeros_like(signal) for _ in range(4))
    for sample in samples:
        for runner, details in zip(runners, inputs, strict=True):
            for own, other in zip(details, inputs[0], strict=True):
                runner.set_tensor(own["index"], stored(sample[other["name"]], own))
            runner.invoke()
        for k, pair in enumerate(zip(*outputs, strict=True)):
            r, t = (real(runner.get_tensor(own["index"]), own) for runner, own in zip(runners, pair, strict=True))
            error = r - t
            signal[k] += (r * r).sum()
            noise[k] += (error * error).sum()
            test[k] += (t * t).sum()
            product[k] += (r * t).sum()
            largest[k] = max(largest[k], np.abs(error).max())
    with np.errstate(divide="ignore"):
        sqnr = 10 * np.log10(signal / noise)
    return list(zip(sqnr, product / np.sqrt(signal * test), largest, strict=True))


def stored(value: NDArray[Any], details: dict[str, Any]) -> NDArray[Any]:
    scale, zero_point = details["quantization"]
    if scale:
        limits = np.iinfo(details["dtype"])
        value = np.clip(np.rint(value / scale) + zero_point, limits.min, limits.max).astype(details["dtype"])
    return value


def real(value: NDArray[Any], details: dict[str, Any]) -> NDArray[np.float64]:
    scale, zero_point = details["quantization"]
    real_value: NDArray[np.float64] = value.astype(np.float64)
    if scale:
        real_value -= zero_point
        real_value *= scale
    return real_value


if __name__ == "__main__":
    main()
