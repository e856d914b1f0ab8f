"""Normalisation as the scale and zero point of a uint8 input."""

from __future__ import annotations

from dataclasses import dataclass

from litebundle.pipeline.model import Stage


@dataclass(frozen=True)
class Affine:
    """real = scale * (pixel - zero_point), pixel and zero_point in 0..255.

    `exact`: the mean is a whole number. Otherwise the zero point is the mean rounded half to even, and every
    real value is off by the same `scale * (mean - zero_point)`, at most half a pixel step.
    """

    scale: float
    zero_point: int
    exact: bool


def foldable_normalize(stage: Stage) -> Affine | None:
    """The affine form of the stage's normalisation, if it can be folded into a uint8 input.

    It can when `normalize` is the last step of `before`, uses one mean and one standard deviation for all
    channels, and its mean lies in 0..255: (pixel - mean) / std = scale * (pixel - zero_point) with
    scale = 1 / std.
    """
    if not stage.before or stage.before[-1].op != "normalize":
        return None
    means, stds = (set(stage.before[-1].attributes[key]) for key in ("mean", "std"))
    if len(means) != 1 or len(stds) != 1:
        return None
    mean, std = means.pop(), stds.pop()
    if not 0 <= mean <= 255:
        return None
    return Affine(scale=1 / std, zero_point=round(mean), exact=mean == int(mean))
