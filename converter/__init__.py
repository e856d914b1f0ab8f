"""PyTorch and ONNX models to float TFLite models that are proven to compute the same.

The names below load what they need on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from converter.api import convert_onnx, prove
    from converter.conversion import Conversion, Parity, TensorRef, TensorSpec
    from converter.errors import ConversionError
    from converter.torch_export import (
        InputSpec,
        TorchExport,
        TorchModel,
        convert_torch,
        export_many,
        export_torch,
    )

__all__ = [
    "Conversion",
    "ConversionError",
    "InputSpec",
    "Parity",
    "TensorRef",
    "TensorSpec",
    "TorchExport",
    "TorchModel",
    "convert_onnx",
    "convert_torch",
    "export_many",
    "export_torch",
    "prove",
]

_HOMES = {
    "Conversion": "conversion",
    "ConversionError": "errors",
    "InputSpec": "torch_export",
    "Parity": "conversion",
    "TensorRef": "conversion",
    "TensorSpec": "conversion",
    "convert_onnx": "api",
    "convert_torch": "torch_export",
    "TorchExport": "torch_export",
    "TorchModel": "torch_export",
    "export_many": "torch_export",
    "export_torch": "torch_export",
    "prove": "api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'converter' has no attribute '{name}'")
    return getattr(import_module(f"converter.{_HOMES[name]}"), name)
