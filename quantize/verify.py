"""The last look at a quantized model: it is loaded, run, and must give finite values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from quantize.errors import QuantizationError
from quantize.interpreter import Array, open_interpreter
from quantize.observers import Range

_RANDOM_RUNS = 2


def verify(model: bytes, ranges: Mapping[str, Range]) -> tuple[tuple[int, ...], ...]:
    """Runs `model` on zeros and on seeded random inputs within `ranges`; the shapes that its outputs really have.

    Raises QuantizationError when the interpreter refuses the model or an output is not finite.
    """
    interpreter = open_interpreter(model)
    random = np.random.default_rng(0)
    for run in range(1 + _RANDOM_RUNS):
        interpreter.reset_all_variables()
        for detail in interpreter.get_input_details():
            value = _zeros(detail) if run == 0 else _random(detail, ranges, random)
            interpreter.set_tensor(detail["index"], value)
        interpreter.invoke()
        for detail in interpreter.get_output_details():
            value = interpreter.get_tensor(detail["index"])
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                raise QuantizationError(
                    f"output '{detail['name']}' of the result is NaN or infinite on"
                    f" {'zeros' if run == 0 else 'random inputs'}; use another scheme, or correct the model"
                )
    return tuple(interpreter.get_tensor(d["index"]).shape for d in interpreter.get_output_details())


def _zeros(detail: Mapping[str, Any]) -> Array:
    """Real zero: the zero point where the input is quantized."""
    value: Array = np.full(detail["shape"], detail["quantization"][1], detail["dtype"])
    return value


def _random(detail: Mapping[str, Any], ranges: Mapping[str, Range], random: np.random.Generator) -> Array:
    dtype = np.dtype(detail["dtype"])
    value: Array = np.zeros(detail["shape"], dtype)  # an index or a flag: zero is the one value known to be valid
    if dtype.kind == "f":
        known = ranges.get(detail["name"], Range(-1.0, 1.0, 0))
        value = random.uniform(known.min, known.max, detail["shape"]).astype(dtype)
    elif dtype.itemsize == 1 and detail["quantization"][0]:
        limits = np.iinfo(dtype)
        value = random.integers(limits.min, limits.max, detail["shape"], dtype, endpoint=True)
    return value
