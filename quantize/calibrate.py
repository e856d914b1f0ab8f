"""Running samples through a model to learn the range of each float tensor."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from quantize.errors import QuantizationError
from quantize.instrument import Instrumented, expose, instrument
from quantize.interpreter import Array, Sample, check_sample, input_slots, open_interpreter
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
    plan = plan_ranges(read_model(model))
    collect = _collect_minmax if method == "minmax" else _collect_histograms
    observed = collect(model, plan, samples, progress or (lambda done: None))
    return Ranges(method, percentile, observed, plan.derived)


def _collect_minmax(
    model: bytes, plan: RangePlan, samples: Collection[Sample], progress: Callable[[int], None]
) -> dict[str, Observer]:
    if not plan.looks:
        return {}
    watched = instrument(model, plan.looks)
    highs = np.full(len(watched.maxima), -np.inf, np.float32)
    lows = np.full(len(watched.minima), np.inf, np.float32)
    for first, block in _blocks(_vectors(watched, samples), progress):
        if not np.isfinite(block).all():
            row = int(np.argmin(np.isfinite(block).all(axis=1)))
            _explain(model, samples, first + row)
        np.maximum(highs, block[:, : highs.size].max(axis=0), out=highs)
        np.minimum(lows, block[:, highs.size : highs.size + lows.size].min(axis=0), out=lows)
    lowest = dict(zip(watched.minima, lows.tolist(), strict=True))
    return {
        name: MinMax(lowest.get(name, 0.0), high, len(samples))
        for name, high in zip(watched.maxima, highs.tolist(), strict=True)
    }


def _vectors(watched: Instrumented, samples: Collection[Sample]) -> Iterator[Array]:
    interpreter = open_interpreter(watched.model)
    output = interpreter.get_output_details()[0]["index"]
    for _ in _runs(interpreter, samples):
        yield interpreter.get_tensor(output)


def _blocks(vectors: Iterator[Array], progress: Callable[[int], None]) -> Iterator[tuple[int, Array]]:
    """Groups of vectors [n, length] with the number of their first sample."""
    block: list[Array] = []
    done = 0
    for vector in vectors:
        block.append(vector)
        done += 1
        progress(done)
        if len(block) == _BLOCK_SAMPLES:
            yield done - len(block), np.stack(block)
            block = []
    if block:
        yield done - len(block), np.stack(block)


def _collect_histograms(
    model: bytes, plan: RangePlan, samples: Collection[Sample], progress: Callable[[int], None]
) -> dict[str, Observer]:
    interpreter = open_interpreter(expose(model, plan.looks))
    indices = [detail["index"] for detail in interpreter.get_output_details()]
    observed: dict[str, Histogram] = {}
    for number, _ in enumerate(_runs(interpreter, samples)):
        for look, index in zip(plan.looks, indices, strict=True):
            values = interpreter.get_tensor(index)
            if not np.isfinite(values).all():
                _explain(model, samples, number)
            seen = Histogram.of(values)
            known = observed.get(look.name)
            observed[look.name] = known.merge(seen) if known else seen
        progress(number + 1)
    return {**observed}


def _runs(interpreter: Any, samples: Collection[Sample]) -> Iterator[None]:
    """Invokes once per sample; recurrent state starts anew each time."""
    slots = input_slots(interpreter)
    for number, sample in enumerate(samples):
        check_sample(slots, sample, number)
        for slot in slots:
            interpreter.set_tensor(slot.index, sample[slot.name])
        interpreter.reset_all_variables()
        interpreter.invoke()
        yield


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
