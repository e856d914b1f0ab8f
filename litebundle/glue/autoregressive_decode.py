"""The token loop: a model that says one token at a time, greedy or by beam search.

The runner supplies the step, so this is no entry of OPERATIONS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from litebundle.errors import LitebundleError
from litebundle.glue.kinds import Tokens
from litebundle.glue.operation import Attributes, Count, Identifier

State = TypeVar("State")


class AutoregressiveDecodeAttributes(Attributes):
    """The tensor names of a stage that is one step, and how to loop it.

    token: input of the previous token. constants: inputs that stay, in the order of the node's inputs. state:
    input name -> the output that becomes it. logits: output over the vocabulary.
    """

    token: str
    constants: tuple[str, ...] = ()
    state: dict[str, str] = Field(default_factory=dict)
    logits: str
    start: Identifier
    end: Identifier
    max_tokens: Count
    beam: Count = 1


@dataclass(frozen=True)
class Decoded:
    """tokens int32 [T] without start and end; score: mean log-probability per step, the end's step
    included."""

    tokens: Tokens
    score: float


@dataclass(frozen=True)
class _Hypothesis(Generic[State]):
    tokens: tuple[int, ...]
    log_probability: float
    steps: int
    last: int
    state: State

    @property
    def score(self) -> float:
        return self.log_probability / self.steps


def decode(
    step: Callable[[int, State], tuple[NDArray[Any], State]],
    state: State,
    *,
    start: int,
    end: int,
    max_tokens: int,
    beam: int = 1,
) -> Decoded:
    """Beam search of `beam` hypotheses; greedy when it is 1.

    step(previous token, state) gives logits [V] or [1, V] and the next state, which later calls must leave
    as it is. Each round, every open hypothesis is extended by every token; of all extensions the best by
    summed log-probability stay (ties: the earlier hypothesis, then the lower token), as many as places are
    left. One that ends in `end` is finished and keeps its place. It stops when all places are finished or
    after max_tokens steps; then the highest mean log-probability wins, ties to the one finished first.
    Raises LitebundleError if a logit is NaN or +inf.
    """
    finished: list[_Hypothesis[State]] = []
    open_: list[_Hypothesis[State]] = [_Hypothesis((), 0.0, 0, start, state)]
    for _ in range(max_tokens):
        extensions = _best_extensions(step, open_, beam - len(finished))
        finished += [hypothesis for hypothesis in extensions if hypothesis.last == end]
        open_ = [hypothesis for hypothesis in extensions if hypothesis.last != end]
        if not open_:
            break
    best = max(finished + open_, key=lambda hypothesis: hypothesis.score)
    tokens = best.tokens[:-1] if best.last == end else best.tokens
    return Decoded(np.array(tokens, np.int32), best.score)


def _best_extensions(
    step: Callable[[int, State], tuple[NDArray[Any], State]], open_: list[_Hypothesis[State]], places: int
) -> list[_Hypothesis[State]]:
    totals: list[NDArray[np.float64]] = []
    states: list[State] = []
    for hypothesis in open_:
        logits, state = step(hypothesis.last, hypothesis.state)
        totals.append(hypothesis.log_probability + _log_softmax(logits))
        states.append(state)
    table = np.stack(totals)
    order = [int(np.argmax(table))] if places == 1 else np.argsort(-table, axis=None, kind="stable")[:places].tolist()
    result: list[_Hypothesis[State]] = []
    for parent, token in (divmod(index, table.shape[1]) for index in order):
        before = open_[parent]
        result.append(
            _Hypothesis((*before.tokens, token), float(table[parent, token]), before.steps + 1, token, states[parent])
        )
    return result


def _log_softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    """float64 [V]: x - max - log(sum(exp(x - max)))."""
    values = np.asarray(logits, np.float64).reshape(-1)
    highest = values.max()
    if not np.isfinite(highest):
        raise LitebundleError(
            "autoregressive_decode: the step's logits hold NaN or infinity; the model is broken for this input"
        )
    shifted = values - highest
    return shifted - np.log(np.exp(shifted).sum())  # type: ignore[no-any-return]
