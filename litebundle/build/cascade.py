"""The float pipeline, the quantized one and each stage quantized alone, end to end over a data set."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from litebundle.build.cascade_report import (
    ALL,
    CascadeReport,
    Comparison,
    KindCount,
    SampleRecord,
    StageDrift,
    WorstSample,
)
from litebundle.build.variants import FLOAT, QUANTIZED, Evaluation, Evaluator, Job
from litebundle.data import DataSample, DataSet
from litebundle.errors import LitebundleError
from litebundle.metrics import METRICS, SampleScore
from litebundle.run import read_image
from quantize.drift.bootstrap import Interval, bootstrap_mean_difference
from quantize.drift.cosine import cosine
from quantize.drift.moments import Moments
from quantize.drift.sqnr import sqnr_db

WORST_SAMPLES = 8


@dataclass(frozen=True)
class _OutputMoments:
    stage: str
    tensor: str
    runs: int
    moments: Moments


@dataclass(frozen=True)
class _Outcome:
    """One sample, as a worker hands it back."""

    record: SampleRecord
    expected: tuple[Mapping[str, object], ...]
    float_items: tuple[Mapping[str, object], ...]
    quantized_items: tuple[Mapping[str, object], ...]
    outputs: tuple[_OutputMoments, ...]


def run_cascade(
    job: Job,
    data: DataSet,
    *,
    metrics: Sequence[str] | None = None,
    workers: int = 2,
    advance: Callable[[int], None] = lambda count: None,
) -> CascadeReport:
    """Runs every variant on every sample and compares their scores.

    Args:
        job: The pipeline in float and quantized.
        data: The samples with their kinds and answers.
        metrics: Names of METRICS; by default all that the pipeline's results and the answers have fields for.
        workers: Threads; the report does not depend on their number.
        advance: Called with 1 after each sample.

    Raises: LitebundleError: A picture that cannot be read, a metric over a field that the results lack, or a
    value that is not finite; the message names the sample, stage and value.
    """
    names = tuple(METRICS[name].name for name in metrics) if metrics is not None else applicable_metrics(job, data)
    outcomes = []
    for outcome in _outcomes(job, data, names, workers):
        outcomes.append(outcome)
        advance(1)
    return _report(names, tuple(job.variants), outcomes)


def applicable_metrics(job: Job, data: DataSet) -> tuple[str, ...]:
    """Metrics with a field that both the pipeline's results and some answer have."""
    answered = {field for sample in data.samples for item in sample.answer.items for field in item}
    fields = answered & {result.field for result in job.float_graph.results}
    return tuple(name for name, metric in METRICS.items() if fields & set(metric.fields))


def _outcomes(job: Job, data: DataSet, metrics: tuple[str, ...], workers: int) -> Iterator[_Outcome]:
    """One outcome per sample, in the data set's order.

    Threads, each with models of its own: LiteRT gives up the GIL while a model runs, and numpy while it works
    on arrays; processes would pay for their start and for loading everything again.
    """
    own = threading.local()

    def judge(sample: DataSample) -> _Outcome:
        if not hasattr(own, "worker"):
            own.worker = _Worker(job, metrics)
        worker: _Worker = own.worker
        return worker.judge(sample, sample.path.relative_to(data.folder).as_posix())

    with ThreadPoolExecutor(workers) as pool:
        try:
            yield from pool.map(judge, data.samples)
        finally:
            pool.shutdown(cancel_futures=True)


class _Worker:
    def __init__(self, job: Job, metrics: tuple[str, ...]) -> None:
        self._evaluator, self._metrics = Evaluator(job), metrics

    def judge(self, sample: DataSample, name: str) -> _Outcome:
        try:
            evaluation = self._evaluator.evaluate(read_image(sample.path))
            expected = sample.answer.items
            scores = {
                variant: {metric: METRICS[metric].score(items, expected) for metric in self._metrics}
                for variant, items in evaluation.items.items()
            }
        except LitebundleError as error:
            raise LitebundleError(f"sample '{name}': {error}") from error
        return _Outcome(
            record=SampleRecord(name, sample.kind, scores),
            expected=expected,
            float_items=evaluation.items[FLOAT],
            quantized_items=evaluation.items[QUANTIZED],
            outputs=tuple(_output_moments(evaluation)),
        )


def _output_moments(evaluation: Evaluation) -> Iterator[_OutputMoments]:
    for output in evaluation.stage_outputs:
        moments = Moments()
        for reference, test in zip(output.reference, output.test, strict=True):
            moments.update(reference.astype(np.float64), test.astype(np.float64))
        yield _OutputMoments(output.stage, output.tensor, len(output.reference), moments)


def _report(metrics: tuple[str, ...], variants: tuple[str, ...], outcomes: Sequence[_Outcome]) -> CascadeReport:
    kinds = list(dict.fromkeys(outcome.record.kind for outcome in outcomes))
    groups = {kind: [o for o in outcomes if o.record.kind == kind] for kind in kinds} | {ALL: list(outcomes)}
    return CascadeReport(
        metrics=metrics,
        variants=variants,
        kinds=tuple(KindCount(kind, len(groups[kind])) for kind in kinds),
        comparisons=tuple(
            _compare(metric, variant, kind, [outcome.record for outcome in group])
            for metric in metrics
            for variant in variants
            for kind, group in groups.items()
        ),
        stage_drift=tuple(row for kind, group in groups.items() for row in _stage_drift(kind, group)),
        worst=tuple(row for metric in metrics for row in _worst(metric, outcomes)),
        records=tuple(outcome.record for outcome in outcomes),
    )


def _compare(metric: str, variant: str, kind: str, records: Sequence[SampleRecord]) -> Comparison:
    reference = [record.scores[FLOAT][metric] for record in records]
    test = [record.scores[variant][metric] for record in records]
    drop = _interval(reference, test) if METRICS[metric].better == "higher" else _interval(test, reference)
    own, base = (_interval(scores, [SampleScore(0.0, 1.0)] * len(scores)) for scores in (test, reference))
    return Comparison(
        metric=metric,
        variant=variant,
        kind=kind,
        samples=sum(bool(a.weight or b.weight) for a, b in zip(reference, test, strict=True)),
        changed=sum(a != b for a, b in zip(reference, test, strict=True)),
        float_score=_number(base.mean),
        score=_number(own.mean),
        score_low=_number(own.low),
        score_high=_number(own.high),
        drop=_number(drop.mean),
        drop_low=_number(drop.low),
        drop_high=_number(drop.high),
    )


def _interval(minuend: Sequence[SampleScore], subtrahend: Sequence[SampleScore]) -> Interval:
    (a, a_weights), (b, b_weights) = (
        (np.array([score.value for score in side]), np.array([score.weight for score in side]))
        for side in (minuend, subtrahend)
    )
    return bootstrap_mean_difference(a, b, a_weights=a_weights, b_weights=b_weights)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _stage_drift(kind: str, outcomes: Sequence[_Outcome]) -> Iterator[StageDrift]:
    for rows in zip(*(outcome.outputs for outcome in outcomes), strict=True):
        total = Moments()
        for row in rows:
            total = total.merge(row.moments)
        worst = int(np.argmax([row.moments.error_max_abs for row in rows]))
        ran = total.elements > 0
        yield StageDrift(
            stage=rows[0].stage,
            tensor=rows[0].tensor,
            kind=kind,
            samples=sum(row.runs > 0 for row in rows),
            runs=sum(row.runs for row in rows),
            sqnr_db=sqnr_db(total) if ran else None,
            cosine=cosine(total) if ran else None,
            max_abs=total.error_max_abs,
            worst_sample=outcomes[worst].record.sample if ran else None,
        )


def _worst(metric: str, outcomes: Iterable[_Outcome]) -> list[WorstSample]:
    """The samples with the largest drops of the quantized pipeline, largest first; only real drops."""
    rows = [
        WorstSample(
            metric=metric,
            sample=outcome.record.sample,
            kind=outcome.record.kind,
            drop=METRICS[metric].drop(reference.value, test.value),
            float_score=reference.value,
            quantized_score=test.value,
            expected=outcome.expected,
            float_items=outcome.float_items,
            quantized_items=outcome.quantized_items,
        )
        for outcome in outcomes
        for reference, test in [(outcome.record.scores[FLOAT][metric], outcome.record.scores[QUANTIZED][metric])]
    ]
    lost = [row for row in rows if row.drop > 0]
    return sorted(lost, key=lambda row: (-row.drop, row.sample))[:WORST_SAMPLES]
