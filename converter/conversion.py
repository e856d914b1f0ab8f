"""What a conversion hands back: the model and how its tensors answer to the source's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of the converted model.

    ``shape``, ``dtype`` and ``layout`` describe the TFLite tensor; ``layout`` is ``"NHWC"`` where the source's
    NCHW axes were reordered on request, ``""`` where the source's own order is kept.
    """

    onnx_name: str
    tflite_name: str
    shape: tuple[int, ...]
    dtype: str
    layout: str


@dataclass(frozen=True)
class TensorRef:
    """Where an ONNX value lives: TFLite axis ``i`` is ONNX axis ``permutation[i]``; ``None`` = same order."""

    tflite_name: str
    permutation: tuple[int, ...] | None


@dataclass(frozen=True)
class Lowered:
    """A converted model that has not been compared with its source yet.

    ``tensor_map`` holds every ONNX value that still exists; values that were folded or fused away are absent.
    """

    tflite: bytes
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    tensor_map: Mapping[str, TensorRef]


@dataclass(frozen=True)
class OutputParity:
    """The largest difference of one output (ONNX name) over all inputs; `max_rel`: relative to its scale."""

    name: str
    max_abs: float
    max_rel: float


@dataclass(frozen=True)
class Parity:
    """How far a conversion is from its source.

    `max_rel` is the largest difference divided by the scale of its output: the largest finite magnitude that
    the source gives it over the samples and the random inputs, or on that very input where this is larger (so
    that an output that an extreme input drives to zero is not judged by its rounding), and at least one for
    what a sigmoid, softmax or tanh computed. `samples` counts the inputs judged. `passed`: no output is beyond
    `tolerance` (integers and booleans: any difference is).
    """

    max_abs: float
    max_rel: float
    worst_tensor: str
    samples: int
    tolerance: float
    passed: bool
    outputs: tuple[OutputParity, ...]


@dataclass(frozen=True)
class Conversion:
    """A converted model together with the proof that it computes what its source computes."""

    tflite: bytes
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    tensor_map: Mapping[str, TensorRef]
    parity: Parity | None
