from __future__ import annotations


class QuantizationError(Exception):
    """A model, its calibration samples or the request cannot be quantized as asked.

    The message names the object, the rule it broke and the way out.
    """
