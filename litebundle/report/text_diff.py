"""Where an answer's text differs from what was expected, token by token, as the edit distance counts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rapidfuzz.distance import Levenshtein

from litebundle.metrics.tokens import tokenize


@dataclass(frozen=True)
class Part:
    """A run of text: in both, missing from the answer, or only in the answer."""

    text: str
    kind: Literal["same", "missing", "extra"]


def diff(expected: str, answer: str) -> tuple[Part, ...]:
    """The answer with what it lacks and what it has too much; white space alone is no difference."""
    wanted, found = _spelled(expected), _spelled(answer)
    parts: list[Part] = []
    for code in Levenshtein.opcodes(tokenize(expected), tokenize(answer)):
        there = "".join(found[code.dest_start : code.dest_end])
        if code.tag == "equal":
            parts.append(Part(there, "same"))
            continue
        lacking = "".join(wanted[code.src_start : code.src_end])
        parts += [Part(lacking, "missing"), Part(there, "extra")]
    return tuple(part for part in parts if part.text)


def _spelled(text: str) -> list[str]:
    """The tokens with the white space before each."""
    spelled, at = [], 0
    for token in tokenize(text):
        end = text.index(token, at) + len(token)
        spelled.append(text[at:end])
        at = end
    return spelled
