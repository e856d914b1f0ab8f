"""The best path of a CTC model as text."""

from __future__ import annotations

import numpy as np

from litebundle.errors import LitebundleError
from litebundle.glue.kinds import Tensor, check_floats, loaded_labels
from litebundle.glue.operation import Attributes, Identifier, Operation, Port


class CtcDecodeAttributes(Attributes):
    """labels names every class, the blank included."""

    labels: str | tuple[str, ...]
    blank: Identifier = 0


def run(attributes: CtcDecodeAttributes, probabilities: Tensor) -> tuple[str, float]:
    """probabilities [1, T, C] -> text, score.

    Per step the class of highest probability, ties to the lowest index. A step is kept if its class is not
    the blank and differs from the class of the step before. text: the labels of the kept steps; score: the
    mean of their probabilities in float64, added from the first to the last; 0 if none is kept. Source:
    Graves et al., Connectionist Temporal Classification, 2006, section 3.2 (best path decoding).
    """
    check_floats("ctc_decode", "probabilities", probabilities, (1, None, None))
    _, steps, classes = probabilities.shape
    labels = loaded_labels("ctc_decode", attributes.labels, classes)
    if attributes.blank >= classes:
        raise LitebundleError(
            f"ctc_decode: blank is {attributes.blank}, but the classes are 0 to {classes - 1}; "
            "set blank to the one that means no character"
        )
    if np.isnan(probabilities).any():
        raise LitebundleError("ctc_decode: the probabilities hold NaN; the model is broken for this input")
    path = np.argmax(probabilities[0], axis=1)
    kept = path != attributes.blank
    kept[1:] &= path[1:] != path[:-1]
    highest = probabilities[0, np.arange(steps), path][kept].astype(np.float64)
    # cumsum, not mean: the definition adds from first to last, numpy's sum adds in pairs.
    score = float(np.cumsum(highest)[-1] / len(highest)) if len(highest) else 0.0
    return "".join(labels[index] for index in path[kept]), score


OPERATION = Operation(
    "ctc_decode",
    CtcDecodeAttributes,
    (Port("probabilities", "tensor"),),
    (Port("text", "text"), Port("score", "score")),
    run,
)
