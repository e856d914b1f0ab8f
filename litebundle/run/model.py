"""One `.tflite` model on the LiteRT interpreter, with its tensors in the file's order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from litebundle.errors import LitebundleError
from litebundle.glue.boundary import Quantization

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Tensor:
    """An input or output of a model; real = (raw - zero_point) * scale where it is quantized."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    quantization: Quantization | None

    @property
    def scale(self) -> float | None:
        return self.quantization.scale if self.quantization else None

    @property
    def zero_point(self) -> int | None:
        return self.quantization.zero_point if self.quantization else None


class LiteRTModel:
    """A loaded model. Not thread-safe: the interpreter's memory is used by one run at a time.

    `signature` is the key of its one signature, which names the tensors; None if it has none or several.

    The interpreter takes its model as `bytes` only, so one in a mapped bundle is copied once, when loaded.
    """

    def __init__(self, content: bytes, threads: int = 1, name: str = "model") -> None:
        self.name = name
        self._ran = False
        self._kept: frozenset[int] = frozenset()
        try:
            self._load(content, threads)
        # Damage that a loaded model still has shows in its details, as any of these.
        except (ValueError, RuntimeError, TypeError, KeyError) as error:
            raise LitebundleError(f"model {name!r}: LiteRT cannot load it ({error}); build it again") from error

    def _load(self, content: bytes, threads: int) -> None:
        self._interpreter = Interpreter(model_content=content, num_threads=threads)
        # Read before allocation, which may overwrite a stored output shape with the computed one.
        stored = self._interpreter.get_output_details()
        self._interpreter.allocate_tensors()
        signatures = list(self._interpreter.get_signature_list())
        self.signature = str(signatures[0]) if len(signatures) == 1 else None
        inputs = self._interpreter.get_input_details()
        keys = self._signature_keys()
        self.inputs = tuple(_tensor(detail, keys, self.name) for detail in inputs)
        self.outputs = tuple(_tensor(detail, keys, self.name) for detail in stored)
        self._input_indices = tuple(int(detail["index"]) for detail in inputs)
        self._output_indices = tuple(int(detail["index"]) for detail in stored)

    @classmethod
    def from_buffer(cls, buffer: bytes | memoryview, threads: int = 1, name: str = "model") -> LiteRTModel:
        """Load a model from memory; `name` is how errors call it.

        Raises:
            LitebundleError: LiteRT cannot load it, or an input or output is quantized per channel.
        """
        return cls(bytes(buffer), threads, name)

    def run(self, inputs: Sequence[Array], unchanged: frozenset[int] = frozenset()) -> list[Array]:
        """Run once on `inputs`, raw arrays in the order, shapes and dtypes of `self.inputs`.

        Those at the places in `unchanged` are the previous run's, and are not copied in again.

        Returns:
            Raw outputs in the order of `self.outputs`. They own their memory: the interpreter's own is written
            over by the next run, and a copy costs less than guarding a view of it.

        Raises:
            LitebundleError: A wrong number of inputs, a wrong shape or dtype, a failing operator, or an
                output whose shape is not the one stored in the file.
        """
        if len(inputs) != len(self.inputs):
            raise LitebundleError(f"model {self.name!r} takes {len(self.inputs)} inputs, not {len(inputs)}")
        there = unchanged & self._kept
        for place, (tensor, index, array) in enumerate(zip(self.inputs, self._input_indices, inputs, strict=True)):
            if place in there:
                continue
            if array.shape != tensor.shape or array.dtype != tensor.dtype:
                raise LitebundleError(
                    f"model {self.name!r}: input {tensor.name!r} is {tensor.dtype} {list(tensor.shape)}, "
                    f"but got {array.dtype} {list(array.shape)}"
                )
            self._interpreter.set_tensor(index, array)
        try:
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise LitebundleError(f"model {self.name!r} failed while it ran: {error}") from error
        if not self._ran:
            self._kept, self._ran = self._survivors(inputs), True
        return [self._output(tensor, index) for tensor, index in zip(self.outputs, self._output_indices, strict=True)]

    def _survivors(self, inputs: Sequence[Array]) -> frozenset[int]:
        """Places of the inputs that a run leaves as they were; the memory plan is fixed, so every run does."""
        given = zip(self._input_indices, inputs, strict=True)
        return frozenset(
            place
            for place, (index, array) in enumerate(given)
            if self._interpreter.get_tensor(index).tobytes() == array.tobytes()
        )

    def _output(self, tensor: Tensor, index: int) -> Array:
        array: Array = self._interpreter.get_tensor(index)
        if array.shape != tensor.shape:
            raise LitebundleError(
                f"model {self.name!r}: output {tensor.name!r} is stored as {list(tensor.shape)} but computes "
                f"{list(array.shape)}; convert the model again so that the stored shapes are true"
            )
        return array

    def _signature_keys(self) -> dict[int, str]:
        """Tensor index -> name in the signature, which survives a quantizer's renaming of the tensors."""
        if self.signature is None:
            return {}
        runner = self._interpreter.get_signature_runner(self.signature)
        details = {**runner.get_input_details(), **runner.get_output_details()}
        return {int(detail["index"]): str(key) for key, detail in details.items()}


def _tensor(detail: dict[str, Any], keys: dict[int, str], model: str) -> Tensor:
    scales = detail["quantization_parameters"]["scales"]
    name = keys.get(int(detail["index"]), str(detail["name"]))
    if len(scales) > 1:
        raise LitebundleError(
            f"model {model!r}: tensor {name!r} is quantized per channel; inputs and outputs take one scale"
        )
    dtype = np.dtype(detail["dtype"])
    quantization = None
    if len(scales):
        if dtype not in (np.int8, np.uint8):
            raise LitebundleError(
                f"model {model!r}: tensor {name!r} is quantized as {dtype}; use int8 or uint8 at the border"
            )
        zero_point = int(detail["quantization_parameters"]["zero_points"][0])
        quantization = Quantization("int8" if dtype == np.int8 else "uint8", float(scales[0]), zero_point)
    return Tensor(
        name=name,
        shape=tuple(int(side) for side in detail["shape"]),
        dtype=dtype,
        quantization=quantization,
    )
