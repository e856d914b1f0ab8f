"""Tokens to text."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np

from litebundle.errors import LitebundleError
from litebundle.glue.kinds import Tokens, loaded_labels
from litebundle.glue.operation import Attributes, Operation, Port

_CONTROL_WORD = re.compile(r"\\[A-Za-z]+")
_LETTER = re.compile(r"[A-Za-z]")


class DetokenizeAttributes(Attributes):
    labels: str | tuple[str, ...]
    style: Literal["latex", "space", "none"]


def run(attributes: DetokenizeAttributes, tokens: Tokens) -> tuple[str]:
    """tokens int32 [T] -> labels[token] of each, joined; no tokens give the empty text.

    latex: one space where a control word (a backslash and ASCII letters, nothing else) is directly followed
    by a token that begins with an ASCII letter, and nowhere else. space: one space between all. none:
    nothing between.
    """
    labels = loaded_labels("detokenize", attributes.labels)
    if len(tokens) and (np.min(tokens) < 0 or np.max(tokens) >= len(labels)):
        raise LitebundleError(
            f"detokenize: tokens {int(np.min(tokens))}..{int(np.max(tokens))} for {len(labels)} labels; "
            "the label file must name every token of the model's vocabulary"
        )
    words = [labels[token] for token in tokens]
    if attributes.style == "latex":
        return (_join_latex(words),)
    return ((" " if attributes.style == "space" else "").join(words),)


def _join_latex(words: list[str]) -> str:
    parts: list[str] = []
    after_control_word = False
    for word in words:
        if after_control_word and _LETTER.match(word):
            parts.append(" ")
        parts.append(word)
        after_control_word = _CONTROL_WORD.fullmatch(word) is not None
    return "".join(parts)


OPERATION = Operation("detokenize", DetokenizeAttributes, (Port("tokens", "tokens"),), (Port("text", "text"),), run)
