"""What quantizing did to the operators of each stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from litebundle.report.documents import StagePreflight
from quantize.preflight import PreflightRow

MAX_ROWS = 300
# From the best for an integer accelerator to what costs most.
VERDICTS = ("int8", "weights", "fp16", "integer", "data", "float")


@dataclass(frozen=True)
class Share:
    """`left` and `width` in percent of all operators."""

    verdict: str
    count: int
    left: float
    width: float


@dataclass(frozen=True)
class OperatorGroup:
    """Operators of one kind that fared alike."""

    op: str
    verdict: str
    reason: str
    count: int


@dataclass(frozen=True)
class StageOperators:
    """`groups` begin with what stayed float; `listed` are at most MAX_ROWS operators in run order."""

    stage: str
    preflight: StagePreflight
    shares: tuple[Share, ...]
    groups: tuple[OperatorGroup, ...]
    listed: tuple[PreflightRow, ...]


def stage_operators(preflights: Mapping[str, StagePreflight]) -> tuple[StageOperators, ...]:
    return tuple(_stage(name, preflight) for name, preflight in preflights.items())


def _stage(name: str, preflight: StagePreflight) -> StageOperators:
    counts = Counter((row.op, row.verdict, row.reason) for row in preflight.rows)
    groups = [OperatorGroup(*key, count) for key, count in counts.items()]
    return StageOperators(
        stage=name,
        preflight=preflight,
        shares=_shares(Counter(row.verdict for row in preflight.rows)),
        groups=tuple(sorted(groups, key=lambda g: (-_rank(g.verdict), -g.count, g.op))),
        listed=preflight.rows[:MAX_ROWS],
    )


def _rank(verdict: str) -> int:
    return VERDICTS.index(verdict) if verdict in VERDICTS else len(VERDICTS)


def _shares(counts: Mapping[str, int]) -> tuple[Share, ...]:
    total = sum(counts.values())
    shares: list[Share] = []
    done = 0
    for verdict in sorted(counts, key=_rank):
        shares.append(
            Share(verdict, counts[verdict], round(100 * done / total, 2), round(100 * counts[verdict] / total, 2))
        )
        done += counts[verdict]
    return tuple(shares)
