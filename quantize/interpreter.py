"""Running a model on samples with the LiteRT interpreter, one thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from quantize.errors import QuantizationError
from quantize.model_file import read_model

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
    """An interpreter with its tensors allocated.

    Raises QuantizationError when the interpreter does not take the model.
    """
    try:
        interpreter = Interpreter(model_content=model, num_threads=1)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as fault:
        raise QuantizationError(f"the LiteRT interpreter refuses the model: {fault}") from fault
    return interpreter


def read_sound_model(model: bytes) -> Any:
    """The schema's `ModelT` of a `.tflite` that the interpreter takes: its operators have the operands they need."""
    tree = read_model(model)
    open_interpreter(model)
    return tree


def input_slots(interpreter: Any) -> tuple[InputSlot, ...]:
    return tuple(
        InputSlot(d["name"], d["index"], tuple(int(n) for n in d["shape"]), np.dtype(d["dtype"]))
        for d in interpreter.get_input_details()
    )


class SampleRunner:
    """Sets a sample's inputs and invokes; recurrent state starts anew for each sample."""

    def __init__(self, model: bytes) -> None:
        self.interpreter = open_interpreter(model)
        self.outputs = [detail["index"] for detail in self.interpreter.get_output_details()]
        self._slots = input_slots(self.interpreter)

    def run(self, sample: Sample, number: int) -> None:
        """Raises QuantizationError unless sample `number` has exactly the model's inputs, shapes and dtypes."""
        if len(sample) != len(self._slots):
            self._refuse_names(sample, number)
        for slot in self._slots:
            value = sample.get(slot.name)
            if value is None:
                self._refuse_names(sample, number)
            elif value.shape != slot.shape or value.dtype != slot.dtype:
                raise QuantizationError(
                    f"sample {number}: input '{slot.name}' is {value.dtype} {list(value.shape)},"
                    f" the model takes {slot.dtype} {list(slot.shape)}"
                )
            self.interpreter.set_tensor(slot.index, value)
        self.interpreter.reset_all_variables()
        self.interpreter.invoke()

    def _refuse_names(self, sample: Sample, number: int) -> None:
        names = sorted(slot.name for slot in self._slots)
        raise QuantizationError(f"sample {number} has inputs {sorted(sample)}, the model has {names}: use its names")
