"""A model and what the manifest says of it: made from each other, and held against each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from litebundle.bundle.integrity import digest
from litebundle.bundle.layout import stage_file
from litebundle.bundle.manifest import Accelerators, Stage, TensorInfo
from litebundle.errors import LitebundleError
from litebundle.run.model import LiteRTModel, Tensor


def describe_stage(
    index: int,
    name: str,
    content: bytes,
    precision: str,
    *,
    layouts: Mapping[str, str] | None = None,
    value_ranges: Mapping[str, tuple[float, float]] | None = None,
    accelerators: Accelerators | None = None,
) -> Stage:
    """The manifest's entry for a model.

    Args:
        index: Place of the stage in the pipeline, from 0.
        name: The stage's name.
        content: The `.tflite`.
        precision: Quantization scheme: none, fp16, int8_weights, int8_dynamic or int8.
        layouts: Tensor name -> layout such as "NHWC"; tensors without one have named no axes.
        value_ranges: Tensor name -> lowest and highest real value. A quantized tensor's follows from its scale.
        accelerators: Where the stage may run; by default on the CPU.

    Raises:
        LitebundleError: LiteRT cannot load the model.
        pydantic.ValidationError: A value that the manifest has no place for.
    """
    model = LiteRTModel.from_buffer(content, name=name)

    def info(tensor: Tensor) -> TensorInfo:
        return _tensor_info(tensor, (layouts or {}).get(tensor.name, ""), (value_ranges or {}).get(tensor.name))

    return Stage.model_validate(
        {
            "name": name,
            "file": stage_file(index, name),
            "sha256": digest(content),
            "size_bytes": len(content),
            "precision": precision,
            "signature": model.signature,
            "inputs": tuple(info(tensor) for tensor in model.inputs),
            "outputs": tuple(info(tensor) for tensor in model.outputs),
            "accelerators": accelerators or Accelerators(),
        }
    )


def load_stage(stage: Stage, content: memoryview, threads: int, path: Path) -> LiteRTModel:
    """Load a stage's model and hold its tensors against the manifest.

    Raises:
        LitebundleError: LiteRT refuses the model, or its tensors are not the manifest's.
    """
    try:
        model = LiteRTModel.from_buffer(content, threads, stage.name)
    except LitebundleError as error:
        raise LitebundleError(f"{path}: file {stage.file!r}: {error}") from error
    for role, said, found in (
        ("inputs", stage.inputs, model.inputs),
        ("outputs", stage.outputs, model.outputs),
    ):
        if [_identity(info) for info in said] != [_identity(_tensor_info(t, "", None)) for t in found]:
            raise LitebundleError(
                f"{path}: file {stage.file!r}: its {role} are not as the manifest says: name, dtype, shape, scale "
                "or zero point differ; build the bundle again"
            )
    return model


def _tensor_info(tensor: Tensor, layout: str, value_range: tuple[float, float] | None) -> TensorInfo:
    quantization = tensor.quantization
    if quantization is not None:
        limits = np.iinfo(quantization.dtype)
        low, high = (float(limit - quantization.zero_point) * quantization.scale for limit in (limits.min, limits.max))
        value_range = (low, high)
    return TensorInfo.model_validate(
        {
            "name": tensor.name,
            "dtype": tensor.dtype.name,
            "shape": tensor.shape,
            "layout": layout,
            "value_range": value_range,
            "scale": tensor.scale,
            "zero_point": tensor.zero_point,
        }
    )


def _identity(info: TensorInfo) -> tuple[object, ...]:
    scale = None if info.scale is None else np.float32(info.scale)
    return info.name, info.dtype, info.shape, scale, info.zero_point
