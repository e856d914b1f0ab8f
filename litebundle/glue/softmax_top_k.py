"""The best class of a classifier."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field, StrictBool

from litebundle.errors import LitebundleError
from litebundle.glue.kinds import Tensor, check_floats, loaded_labels
from litebundle.glue.operation import Attributes, Operation, Port


class SoftmaxTopKAttributes(Attributes):
    """k is 1 in this version: a result field holds one label."""

    labels: str | tuple[str, ...]
    k: Annotated[int, Field(strict=True, ge=1, le=1)] = 1
    softmax: StrictBool = True


def run(attributes: SoftmaxTopKAttributes, scores: Tensor) -> tuple[str, float]:
    """scores [1, K] -> the label of the highest score, ties to the lowest index, and its score.

    softmax: the score becomes 1 / sum(exp(x - max)), in float64; otherwise it stays as the model gave it.
    """
    check_floats("softmax_top_k", "scores", scores, (1, None))
    row = scores[0].astype(np.float64)
    labels = loaded_labels("softmax_top_k", attributes.labels, len(row))
    best = int(np.argmax(row))
    if not np.isfinite(row[best]):
        raise LitebundleError("softmax_top_k: the scores hold NaN or infinity; the model is broken for this input")
    score = 1.0 / np.exp(row - row[best]).sum() if attributes.softmax else row[best]
    return labels[best], float(score)


OPERATION = Operation(
    "softmax_top_k",
    SoftmaxTopKAttributes,
    (Port("scores", "tensor"),),
    (Port("label", "text"), Port("score", "score")),
    run,
)
