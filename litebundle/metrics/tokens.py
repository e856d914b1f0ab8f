"""Text as the tokens that exact match and edit distance compare."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\\[A-Za-z]+|\\\S|\S")


def tokenize(text: str) -> tuple[str, ...]:
    r"""LaTeX tokens: control words (``\frac``), escaped characters (``\{``), single characters.

    White space separates and is itself ignored.

    Text without backslashes falls into its visible characters, so the same tokens serve plain text.
    """
    return tuple(_TOKEN.findall(text))
