"""Running samples through a model to learn the range of each float tensor."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection
from itertools import islice

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from quantize.errors import QuantizationError
from quantize.instrument import expose, instrument
from quantize.interpreter import Array, Sample, SampleRunner, input_slots, read_sound_model
from quantize.model_file import is_float_activation, read_model, text
from quantize.observers import Histogram, MinMax, Observer, Ranges
from quantize.range_plan import RangePlan, plan_ranges

METHODS = ("minmax", "percentile")
_BLOCK_SAMPLES = 256


def calibrate(
    model: bytes,
    samples: Collection[Sample],
    *,
    method: str = "minmax",
    percentile: float = 99.99,
    progress: Callable[[int], None] | None = None,
) -> Ranges:
    """The range of every float tensor of `model` over `samples`, whatever their order.

    model: a float `.tflite`. samples: sized, each a mapping from input name to an array of the input's exact
    shape and dtype. method "minmax" keeps the smallest and largest value; "percentile" cuts (100 - percentile) %
    of the values off either end. progress(n) is called after each sample with the number done.

    Raises QuantizationError for an empty sample set, a sample that does not fit, and a NaN or infinity, naming
    the first tensor in graph order and the sample.
    """
    if method not in METHODS:
        raise QuantizationError(f"calibration method '{method}' is unknown; use one of {', '.join(METHODS)}")
    if not 50 < percentile <= 100:
        raise QuantizationError(f"percentile {percentile} is not in (50, 100]")
    if len(samples) == 0:
        raise QuantizationError("the calibration set is empty; give at least one sample")
    plan = plan_ranges(read_sound_model(model))
    collect = _collect_minmax if method == "minmax" else _collect_histograms
    observed = collect(model, plan, samples, progress) if plan.looks else {}
    return Ranges(method, percentile, observed, plan.derived)


def _collect_minmax(
    model: bytes, plan: RangePlan, samples: Collection[Sample], progress: Callable[[int], None] | None
) -> dict[str, Observer]:
    watched = instrument(model, plan.looks)
    runner = SampleRunner(watched.model)
    highs, lows = len(watched.maxima), len(watched.minima)
    block = np.empty((_BLOCK_SAMPLES, highs + lows + len(watched.probes)), np.float32)
    high, low = np.full(highs, -np.inf, np.float32), np.full(lows, np.inf, np.float32)
    for number, sample in enumerate(samples):
        runner.run(sample, number)
        row = number % _BLOCK_SAMPLES
        block[row] = runner.interpreter.get_tensor(runner.outputs[0])
        if row == _BLOCK_SAMPLES - 1 or number == len(samples) - 1:
            seen = block[: row + 1]
            _check_finite(seen, model, samples, number - row)
            np.maximum(high, seen[:, :highs].max(axis=0), out=high)
            np.minimum(low, seen[:, highs : highs + lows].min(axis=0), out=low)
        if progress:
            progress(number + 1)
    low, high = low + 0.0, high + 0.0  # -0.0 becomes 0.0: equal sets of samples, equal ranges
    lowest = dict(zip(watched.minima, low.tolist(), strict=True))
    return {
        name: MinMax(lowest.get(name, 0.0), highest, len(samples))
        for name, highest in zip(watched.maxima, high.tolist(), strict=True)
    }


def _collect_histograms(
    model: bytes, plan: RangePlan, samples: Collection[Sample], progress: Callable[[int], None] | None
) -> dict[str, Observer]:
    runner = SampleRunner(expose(model, plan.looks))
    observed: dict[str, Histogram] = {}
    for number, sample in enumerate(samples):
        runner.run(sample, number)
        for look, index in zip(plan.looks, runner.outputs, strict=True):
            values = runner.interpreter.get_tensor(index)
            if not np.isfinite(values).all():
                _explain(model, samples, number)
            seen = Histogram.of(values)
            known = observed.get(look.name)
            observed[look.name] = known.merge(seen) if known else seen
        if progress:
            progress(number + 1)
    return {**observed}


def _check_finite(rows: Array, model: bytes, samples: Collection[Sample], first: int) -> None:
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        _explain(model, samples, first + int(np.argmin(finite)))


def _explain(model: bytes, samples: Collection[Sample], number: int) -> None:
    """Runs sample `number` again, keeping all tensors; raises with the first non-finite one in graph order."""
    sample = next(islice(samples, number, None))
    tree = read_model(model)
    graph = tree.subgraphs[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # keeping every tensor is for finding faults, as here
        interpreter = Interpreter(model_content=model, num_threads=1, experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    for slot in input_slots(interpreter):
        interpreter.set_tensor(slot.index, sample[slot.name])
    interpreter.invoke()
    for index in [*graph.inputs, *(i for op in graph.operators for i in op.outputs)]:
        tensor = graph.tensors[index]
        if is_float_activation(tree, tensor) and not np.isfinite(interpreter.get_tensor(int(index))).all():
            raise QuantizationError(
                f"calibration sample {number} gives NaN or infinity in tensor '{text(tensor.name)}';"
                " correct the sample, or the model where the tensor is made"
            )
