"""Finding where a NaN or an infinity was born."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantize.drift.side import Side
from quantize.drift.wiring import read_steps

_REMEDY = {
    "reference": "the float model itself fails there; correct its weights or that sample",
    "quantized": "the float model is sound there; calibrate on samples like it, or keep that op in float",
}


def first_bad_tensor(model: bytes, role: str, values: tuple[NDArray[Any], ...]) -> str | None:
    """Says which tensor goes bad first when ``model`` runs on one sample with every tensor kept, None if none
    does.

    ``values`` are the real-valued inputs in the model's order; the search follows the graph's run order.
    """
    side = Side(model, role, preserve=True)
    side.run(values)
    tensors = side.tensors()
    for step in read_steps(model):
        for index in step.outputs:
            if index in tensors and (kind := _bad_kind(side.raw(tensors[index]))):
                return f"tensor '{tensors[index].name}' (output of {step.op}) of the {role} model holds {kind}"
    return None


def remedy(role: str) -> str:
    return _REMEDY[role]


def _bad_kind(values: NDArray[Any]) -> str | None:
    if values.dtype.kind != "f":
        return None
    if np.isnan(values).any():
        return "NaN"
    return "infinity" if np.isinf(values).any() else None
