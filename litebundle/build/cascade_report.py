"""What quantizing each stage costs the whole pipeline, by task metric and kind of input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litebundle.metrics import SampleScore

ALL = "all"


@dataclass(frozen=True)
class KindCount:
    kind: str
    samples: int


@dataclass(frozen=True)
class Comparison:
    """One metric of one variant against the float pipeline, on the samples of one kind (or `all`).

    `score_low` and `score_high` are the 95 % interval of `score`. `drop` is the quality lost, positive when
    the variant is worse whichever way the metric is better; its 95 % interval comes from the paired bootstrap
    over samples. `samples` counts those that ask something of the metric, `changed` those whose score
    differs. Figures are None where no sample does.
    """

    metric: str
    variant: str
    kind: str
    samples: int
    changed: int
    float_score: float | None
    score: float | None
    score_low: float | None
    score_high: float | None
    drop: float | None
    drop_low: float | None
    drop_high: float | None


@dataclass(frozen=True)
class StageDrift:
    """One output of one stage, quantized against float on the float pipeline's own inputs.

    `runs` counts the model's runs: more than `samples` where a stage runs once per crop. `max_abs`, in the
    tensor's unit, was seen in `worst_sample`. SQNR may be infinite; None where the stage never ran on that
    kind. A stage inside a token loop has no row: once a token differs, its runs answer different questions.
    """

    stage: str
    tensor: str
    kind: str
    samples: int
    runs: int
    sqnr_db: float | None
    cosine: float | None
    max_abs: float
    worst_sample: str | None


@dataclass(frozen=True)
class WorstSample:
    """A sample on which the quantized pipeline lost much of a metric, with what was expected and both
    answers.
    """

    metric: str
    sample: str
    kind: str
    drop: float
    float_score: float
    quantized_score: float
    expected: tuple[Mapping[str, Any], ...]
    float_items: tuple[Mapping[str, Any], ...]
    quantized_items: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class SampleRecord:
    """Scores of one sample: variant -> metric -> score. `sample` is its path inside the data set's part."""

    sample: str
    kind: str
    scores: Mapping[str, Mapping[str, SampleScore]]


@dataclass(frozen=True)
class CascadeReport:
    """Everything in a fixed order: variants `float`, `quantized`, then each stage alone in the graph's order;
    kinds as the data set first shows them, then `all`.
    """

    metrics: tuple[str, ...]
    variants: tuple[str, ...]
    kinds: tuple[KindCount, ...]
    comparisons: tuple[Comparison, ...]
    stage_drift: tuple[StageDrift, ...]
    worst: tuple[WorstSample, ...]
    records: tuple[SampleRecord, ...]

    def comparison(self, metric: str, variant: str, kind: str = ALL) -> Comparison:
        """The one entry of that metric, variant and kind; KeyError if it was not measured."""
        for entry in self.comparisons:
            if (entry.metric, entry.variant, entry.kind) == (metric, variant, kind):
                return entry
        raise KeyError(f"metric {metric!r}, variant {variant!r}, kind {kind!r}")
