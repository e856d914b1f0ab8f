"""What a drift measurement says."""

from __future__ import annotations

from dataclasses import dataclass

from quantize.drift.cosine import cosine
from quantize.drift.max_abs import max_abs
from quantize.drift.moments import Moments
from quantize.drift.rms import rms
from quantize.drift.sqnr import sqnr_db


@dataclass(frozen=True)
class TensorDrift:
    """How far one tensor of the quantized model strays from the reference's, over all its samples.

    ``name`` is the reference's. ``sqnr_db`` may be +inf (identical) or -inf (dead reference, live test);
    ``max_abs`` and ``rms`` are in the tensor's own unit, quantized values being dequantized first.
    """

    name: str
    sqnr_db: float
    cosine: float
    max_abs: float
    rms: float
    samples: int
    finite: bool

    @classmethod
    def of(cls, name: str, moments: Moments, samples: int) -> TensorDrift:
        return cls(
            name=name,
            sqnr_db=sqnr_db(moments),
            cosine=cosine(moments),
            max_abs=max_abs(moments),
            rms=rms(moments),
            samples=samples,
            finite=moments.finite,
        )


@dataclass(frozen=True)
class Drift:
    """Drift of every output over all samples, of every intermediate tensor over the first few.

    ``tensors`` are in the reference's graph order; ``unmatched`` names those of its intermediate tensors
    that have no counterpart of the same name and shape in the quantized model.
    """

    outputs: tuple[TensorDrift, ...]
    tensors: tuple[TensorDrift, ...]
    unmatched: tuple[str, ...]
    samples: int
