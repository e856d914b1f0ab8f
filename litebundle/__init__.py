"""A pipeline of PyTorch/ONNX stages as one verified bundle of quantized LiteRT models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from litebundle.bundle import Bundle as Bundle

__version__ = "0.1.0"
__all__ = ["Bundle", "__version__"]


def __getattr__(name: str) -> Any:
    # Lazy, so that `litebundle --help` does not pay for numpy and the interpreter.
    if name == "Bundle":
        from litebundle.bundle import Bundle

        return Bundle
    raise AttributeError(f"module 'litebundle' has no attribute {name!r}")
