"""One file per operator family; importing the package fills the table of rules."""

from __future__ import annotations

from converter.lowering import (
    activation,
    convolution,
    elementwise,
    gathering,
    linear,
    normalization,
    padding,
    pooling,
    recurrent,
    reduction,
    resize,
    shaping,
    slicing,
    softmax,
    sorting,
)
from converter.lowering.registry import RULES

FAMILIES = (
    activation,
    convolution,
    elementwise,
    gathering,
    linear,
    normalization,
    padding,
    pooling,
    recurrent,
    reduction,
    resize,
    shaping,
    slicing,
    softmax,
    sorting,
)

__all__ = ["FAMILIES", "RULES"]
