"""The last look at a quantized model: it is loaded and run beside the float model, and must be finite where that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from quantize.errors import QuantizationError
from quantize.interpreter import Array, open_interpreter
from quantize.observers import Range

_RANDOM_RUNS = 2
_UNKNOWN = Range(-1.0, 1.0, 0)


def verify(model: bytes, reference: bytes, ranges: Mapping[str, Range]) -> tuple[tuple[int, ...], ...]:
    """Runs `model` on zeros and on seeded random inputs within `ranges`; the shapes that its outputs really have.

    Raises QuantizationError when the interpreter refuses the model, or when an output is not finite on an input on
    which that of the float model `reference` is.
    """
    test, truth = open_interpreter(model), open_interpreter(reference)
    random = np.random.default_rng(0)
    for run in range(1 + _RANDOM_RUNS):
        sample = {d["name"]: _value(d, ranges, random, run > 0) for d in truth.get_input_details()}
        for value, expected, detail in zip(
            _run(test, sample), _run(truth, sample), test.get_output_details(), strict=True
        ):
            if _finite(expected) and not _finite(value):
                raise QuantizationError(
                    f"output '{detail['name']}' of the result is NaN or infinite on"
                    f" {'random inputs' if run else 'zeros'}, where the float model's is finite; use another scheme"
                )
    return tuple(test.get_tensor(d["index"]).shape for d in test.get_output_details())


def _value(detail: Mapping[str, Any], ranges: Mapping[str, Range], random: np.random.Generator, moving: bool) -> Array:
    """A real input; an index or a flag is zero, the one value known to be valid."""
    dtype = np.dtype(detail["dtype"])
    value: Array = np.zeros(detail["shape"], dtype)
    if moving and dtype.kind == "f":
        known = ranges.get(detail["name"], _UNKNOWN)
        value = random.uniform(known.min, known.max, detail["shape"]).astype(dtype)
    return value


def _run(interpreter: Any, sample: Mapping[str, Array]) -> list[Array]:
    interpreter.reset_all_variables()
    for detail in interpreter.get_input_details():
        value = sample[detail["name"]]
        scale, zero_point = detail["quantization"]
        if value.dtype != detail["dtype"]:
            limits = np.iinfo(detail["dtype"])
            value = np.clip(np.rint(value / scale) + zero_point, limits.min, limits.max).astype(detail["dtype"])
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def _finite(value: Array) -> bool:
    return value.dtype.kind != "f" or bool(np.isfinite(value).all())
