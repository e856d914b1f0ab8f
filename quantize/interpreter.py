"""Opening a model with the LiteRT interpreter, and checking a sample against its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from quantize.errors import QuantizationError

Array = np.ndarray[Any, Any]
Sample = Mapping[str, Array]


@dataclass(frozen=True)
class InputSlot:
    """One input of a model: where its value goes and what it must look like."""

    name: str
    index: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def open_interpreter(model: bytes) -> Any:
    """An interpreter with its tensors allocated, on one thread.

    Raises QuantizationError when the interpreter does not take the model.
    """
    try:
        interpreter = Interpreter(model_content=model, num_threads=1)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as fault:
        raise QuantizationError(f"the LiteRT interpreter refuses the model: {fault}") from fault
    return interpreter


def input_slots(interpreter: Any) -> tuple[InputSlot, ...]:
    return tuple(
        InputSlot(d["name"], d["index"], tuple(int(n) for n in d["shape"]), np.dtype(d["dtype"]))
        for d in interpreter.get_input_details()
    )


def check_sample(slots: tuple[InputSlot, ...], sample: Sample, number: int) -> None:
    """Raises QuantizationError unless `sample` has exactly the inputs, shapes and dtypes of `slots`."""
    names = {slot.name for slot in slots}
    if set(sample) != names:
        raise QuantizationError(
            f"sample {number} has inputs {sorted(sample)}, the model has {sorted(names)}: use the model's names"
        )
    for slot in slots:
        value = sample[slot.name]
        if tuple(value.shape) != slot.shape or value.dtype != slot.dtype:
            raise QuantizationError(
                f"sample {number}: input '{slot.name}' is {value.dtype} {list(value.shape)},"
                f" the model takes {slot.dtype} {list(slot.shape)}"
            )
