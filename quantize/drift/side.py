"""One of the two models under comparison: its tensors, their quantization, one run at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from quantize.errors import QuantizationError

Array = NDArray[Any]


@dataclass(frozen=True)
class TensorInfo:
    """A tensor of the main subgraph. ``scale`` and ``zero_point`` broadcast against it; scale None: not
    quantized.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: NDArray[np.float64] | None
    zero_point: NDArray[np.float64] | None

    @classmethod
    def of(cls, details: dict[str, Any]) -> TensorInfo:
        """From one entry of the interpreter's tensor details; per-channel parameters lie along their axis."""
        shape = tuple(int(n) for n in details["shape"])
        parameters = details["quantization_parameters"]
        scales = np.asarray(parameters["scales"], np.float64)
        scale = zero_point = None
        if scales.size:
            along = [1] * len(shape)
            if scales.size > 1:
                along[parameters["quantized_dimension"]] = scales.size
            scale = scales.reshape(along)
            zero_point = np.asarray(parameters["zero_points"], np.float64).reshape(along)
        dtype = np.dtype(details["dtype"])
        return cls(details["index"], details["name"], shape, dtype, scale, zero_point)

    def dequantize(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """``(q - zero_point) * scale`` in float64, in place; ``values`` may carry a leading sample axis."""
        if self.scale is not None and self.zero_point is not None:
            values -= self.zero_point
            values *= self.scale
        return values

    def decode(self, values: Array) -> Array:
        """The real numbers behind ``values`` where they are this tensor's raw integers, else ``values`` as
        they are.
        """
        if self.scale is None or values.dtype != self.dtype:
            return values
        return self.dequantize(values.astype(np.float64))

    def encode(self, values: Array) -> Array:
        """Real numbers as this tensor stores them: ``clamp(rint(x / scale) + zero_point)`` where it is
        quantized.
        """
        if self.scale is None or self.zero_point is None:
            return values.astype(self.dtype, copy=False)
        limits = np.iinfo(self.dtype)
        steps = np.rint(values.astype(np.float64) / self.scale) + self.zero_point
        return np.clip(steps, limits.min, limits.max).astype(self.dtype)


class Side:
    """An interpreter, 1 thread by default, with what drift needs to know about its tensors.

    With ``preserve`` every intermediate tensor can be read after `run`; that costs the delegate, so it is
    meant for few samples.
    """

    def __init__(self, model: bytes, role: str, *, preserve: bool = False, threads: int = 1) -> None:
        self.role = role
        resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if preserve else OpResolverType.AUTO
        try:
            self._interpreter = Interpreter(
                model_content=model,
                num_threads=threads,
                experimental_preserve_all_tensors=preserve,
                experimental_op_resolver_type=resolver,
            )
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as fault:
            raise QuantizationError(f"the {role} model is not one that LiteRT can run: {fault}") from fault
        self.inputs = tuple(TensorInfo.of(d) for d in self._interpreter.get_input_details())
        self.outputs = tuple(TensorInfo.of(d) for d in self._interpreter.get_output_details())

    def tensors(self) -> dict[int, TensorInfo]:
        """Every tensor of the main subgraph by its index."""
        return {d["index"]: TensorInfo.of(d) for d in self._interpreter.get_tensor_details() if d["name"]}

    def run(self, values: tuple[Array, ...]) -> None:
        """One invocation from real zero state; ``values`` in the order of `inputs`, encoded where those are
        quantized.
        """
        self._interpreter.reset_all_variables()
        for tensor, value in zip(self.inputs, values, strict=True):
            self._interpreter.set_tensor(tensor.index, tensor.encode(value))
        self._interpreter.invoke()

    def raw(self, tensor: TensorInfo) -> Array:
        """The tensor's stored values after the last run, a copy."""
        values: Array = self._interpreter.get_tensor(tensor.index)
        return values
