"""Float `.tflite` plus calibration samples in, quantized `.tflite` plus its drift out."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quantize.bias import BiasRepair as BiasRepair
    from quantize.calibrate import calibrate as calibrate
    from quantize.drift import drift as drift
    from quantize.drift.bootstrap import Interval as Interval
    from quantize.drift.bootstrap import bootstrap_mean_difference as bootstrap_mean_difference
    from quantize.drift.result import Drift as Drift
    from quantize.drift.result import TensorDrift as TensorDrift
    from quantize.errors import QuantizationError as QuantizationError
    from quantize.io import Io as Io
    from quantize.observers import Range as Range
    from quantize.observers import Ranges as Ranges
    from quantize.preflight import Preflight as Preflight
    from quantize.preflight import PreflightRow as PreflightRow
    from quantize.preflight import preflight as preflight
    from quantize.quantizer import Quantized as Quantized
    from quantize.quantizer import quantize as quantize
    from quantize.samples import load_samples as load_samples
    from quantize.schemes import SCHEMES as SCHEMES

_HOMES = {
    "BiasRepair": "quantize.bias",
    "Drift": "quantize.drift.result",
    "Interval": "quantize.drift.bootstrap",
    "Io": "quantize.io",
    "Preflight": "quantize.preflight",
    "PreflightRow": "quantize.preflight",
    "QuantizationError": "quantize.errors",
    "Quantized": "quantize.quantizer",
    "Range": "quantize.observers",
    "Ranges": "quantize.observers",
    "SCHEMES": "quantize.schemes",
    "TensorDrift": "quantize.drift.result",
    "bootstrap_mean_difference": "quantize.drift.bootstrap",
    "calibrate": "quantize.calibrate",
    "drift": "quantize.drift",
    "load_samples": "quantize.samples",
    "preflight": "quantize.preflight",
    "quantize": "quantize.quantizer",
}

__all__ = sorted(_HOMES)


class _Package(ModuleType):
    def __setattr__(self, name: str, value: Any) -> None:
        # Importing a submodule binds it here; it must not hide the function of the same name.
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'quantize' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
