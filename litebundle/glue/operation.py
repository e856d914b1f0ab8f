"""What a glue operation is: a name, checked attributes, typed ports and one pure function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["image", "images", "tensor", "boxes", "geometry", "tokens", "text", "index", "score"]

Count = Annotated[int, Field(strict=True, ge=1, le=16384)]
"""A whole number from 1 to the longest side of an image: pixels, entries, steps."""

Identifier = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]
"""The index of a class or token."""

Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]

Size = tuple[Count, Count]
"""Height, width in pixels."""


class Attributes(BaseModel):
    """The constants of one use of an operation, as written in pipeline.toml and in the manifest's graph."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Port(NamedTuple):
    """One input or output of an operation."""

    name: str
    kind: Kind


@dataclass(frozen=True)
class Operation:
    """`run(attributes, *inputs)` returns one value per output port and changes none of its inputs.

    An output of kind `images` is a list that fans the graph out: the nodes behind it run once per item.
    `replaces_picture`: the stages that follow work on this operation's first output.
    """

    name: str
    attributes: type[Attributes]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    run: Callable[..., tuple[Any, ...]]
    replaces_picture: bool = False
