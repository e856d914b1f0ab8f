"""What a task metric is: a score per sample, pooled by weight over samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from litebundle.errors import LitebundleError

Item = Mapping[str, Any]


@dataclass(frozen=True)
class SampleScore:
    """Score of one sample and its weight in the score of a data set: ``sum weight * value / sum weight``.

    The weight is the denominator of ``value``, so the pooled score is the ratio over all samples together. It
    is 0 where the sample asks nothing of the metric.
    """

    value: float
    weight: float


@dataclass(frozen=True)
class Metric:
    """``score(results, answers)`` rates the items that a pipeline found in one sample.

    ``fields`` are the result fields it can read; at least one must be there.
    """

    name: str
    fields: tuple[str, ...]
    better: Literal["higher", "lower"]
    score: Callable[[Sequence[Item], Sequence[Item]], SampleScore]

    def drop(self, reference: float, test: float) -> float:
        """How much worse ``test`` is than ``reference``: positive when quality is lost, whichever way is
        better.
        """
        return reference - test if self.better == "higher" else test - reference


def pooled(scores: Iterable[SampleScore]) -> float | None:
    """The weighted mean, None where no sample has weight."""
    total = weight = 0.0
    for score in scores:
        total += score.weight * score.value
        weight += score.weight
    return total / weight if weight else None


def read(result: Item, field: str, metric: str) -> Any:
    """The field of a result item; a LitebundleError where the pipeline does not make it."""
    if field not in result:
        raise LitebundleError(
            f"metric '{metric}' reads the result field '{field}', and the pipeline's results have "
            f"{', '.join(result) or 'none'}; choose a metric over those, or add an operation that makes '{field}'"
        )
    return result[field]
