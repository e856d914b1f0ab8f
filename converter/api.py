"""The public conversions: lowered and proven equal to their source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto
from onnx.helper import tensor_dtype_to_np_dtype

from converter.conversion import Conversion, Lowered, Parity, TensorSpec
from converter.onnx_convert import lower
from converter.onnx_file import load_model
from converter.parity import check_parity


def convert_onnx(
    model: ModelProto | bytes | str | Path,
    *,
    shapes: Mapping[str, Sequence[int]] | None = None,
    layouts: Mapping[str, str] | None = None,
    samples: Iterable[Mapping[str, NDArray[Any]]] = (),
    tolerance: float = 1e-4,
    torch_outputs: Sequence[Mapping[str, NDArray[Any]]] | None = None,
) -> Conversion:
    """Convert an ONNX model to TFLite and compare both on the same inputs.

    ``shapes`` fixes dynamic inputs; it and ``samples`` speak of ONNX names and the source's axes. ``layouts`` maps
    names of rank-4 inputs and outputs, or ``"*"`` for all of them, to ``"NHWC"``; by default the result keeps the
    source's axes. int64 becomes int32. Each output may differ from onnxruntime's by ``tolerance`` times its own
    scale, on the samples, on random inputs and on edge values; ``torch_outputs`` are what torch, where the model came
    from, answered on these (see ``check_parity``). Raises ConversionError naming the object, the rule and the way out.
    """
    source = load_model(model)
    lowered = lower(source, shapes, layouts)
    parity = check_parity(source, lowered, samples, tolerance, torch_outputs)
    return Conversion(lowered.tflite, lowered.inputs, lowered.outputs, lowered.tensor_map, parity)


def prove(
    model: ModelProto | bytes | str | Path,
    conversion: Conversion,
    samples: Iterable[Mapping[str, NDArray[Any]]],
    *,
    tolerance: float = 1e-4,
) -> Parity:
    """Compare a conversion with its source once more, on inputs that came up later.

    ``samples`` are feeds of the *converted* model: its input names, axes and dtypes. Raises ConversionError when
    an output differs by more than ``tolerance`` times its scale.
    """
    source = load_model(model)
    dtypes = {value.name: tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type) for value in source.graph.input}
    feeds = [
        {spec.onnx_name: _as_source(sample[spec.tflite_name], spec, dtypes) for spec in conversion.inputs}
        for sample in samples
    ]
    lowered = Lowered(conversion.tflite, conversion.inputs, conversion.outputs, conversion.tensor_map)
    return check_parity(source, lowered, feeds, tolerance)


def _as_source(array: NDArray[Any], spec: TensorSpec, dtypes: Mapping[str, np.dtype[Any]]) -> NDArray[Any]:
    axes = array.transpose(0, 3, 1, 2) if spec.layout == "NHWC" else array
    return axes.astype(dtypes[spec.onnx_name], copy=False)
