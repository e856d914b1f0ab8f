"""How far a quantized model strays from its reference, in float64, streaming.

One file holds one metric: a pure function of the `Moments` that are gathered once per tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from quantize.drift.result import Drift

__all__ = ["drift"]


def drift(
    reference: bytes,
    quantized: bytes,
    samples: Collection[Mapping[str, NDArray[Any]]],
    *,
    tensor_samples: int = 4,
    tensor_names: Mapping[str, str] | None = None,
    progress: Callable[[int], None] | None = None,
    threads: int = 1,
) -> Drift:
    """Runs two ``.tflite`` models on the same samples and measures SQNR, cosine, largest and rms error.

    A sample maps each input name of ``reference`` to an array of that input's exact shape, real-valued (or
    raw integers where the reference's own input is quantized); where an input of ``quantized`` is int8,
    uint8 or int16 it gets ``clamp(rint(x / scale) + zero_point)``. Quantized tensors are dequantized, per
    channel where they are, before they are compared. Outputs are compared on all samples with LiteRT's
    default kernels; intermediate tensors on the first ``tensor_samples`` with the plain ones, which keep
    every tensor. ``tensor_names`` maps a reference tensor to its counterpart where their names differ.
    ``progress`` gets the number of samples done.

    Raises QuantizationError when there is no sample, a sample or the two models do not fit each other, or
    any compared value is NaN or infinite: the message names the first bad tensor in run order, its model
    and the sample.
    """
    # Here, not above: `import quantize` must stay cheap, and this name must not depend on who imports what
    # first.
    from quantize.drift.measure import measure

    return measure(
        reference,
        quantized,
        samples,
        tensor_samples=tensor_samples,
        tensor_names=tensor_names or {},
        progress=progress,
        threads=threads,
    )
