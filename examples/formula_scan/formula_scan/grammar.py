"""Random LaTeX: the vocabulary, the two directions between tokens and text, and a seeded grammar.

A formula is a tuple of tokens. Scripts always wear braces and a subscript precedes a superscript, so that a
picture has exactly one spelling. Letters that cannot be told apart once a crop is scaled (c and C, o and 0,
l and 1, v and \\nu ...) are represented by one of them only.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

import numpy as np

PAD, START, END = 0, 1, 2
MAX_TOKENS = 22
MIN_TOKENS = 3

_DIGITS = tuple("0123456789")
_LOWER = tuple("abcdefghijkmnpqrstuvwxyz")
_UPPER = tuple("ABDEFGHLMNQRTY")
_GREEK_LARGE = ("\\Gamma", "\\Delta", "\\Phi", "\\Psi", "\\Omega")
_GREEK_SMALL = (
    "\\alpha",
    "\\beta",
    "\\gamma",
    "\\delta",
    "\\varepsilon",
    "\\theta",
    "\\lambda",
    "\\mu",
    "\\xi",
    "\\pi",
)
_GREEK = (*_GREEK_SMALL, "\\sigma", "\\tau", "\\phi", "\\psi", "\\omega", *_GREEK_LARGE)
_RELATIONS = ("=", "<", ">", "\\leq", "\\geq", "\\neq", "\\approx", "\\in", "\\to")
_BINARY = ("+", "-", "\\times", "\\cdot", "\\pm", "/")
_FUNCTIONS = ("\\sin", "\\cos", "\\log")
_LARGE = ("\\sum", "\\prod", "\\int", "\\lim")
_MARKS = ("(", ")", "[", "]", "{", "}", "|", ",", "!", "^", "_", "\\frac", "\\sqrt", "\\infty", "\\partial", "\\nabla")

VOCABULARY = (
    "<pad>",
    "<start>",
    "<end>",
    *_DIGITS,
    *_LOWER,
    *_UPPER,
    *_GREEK,
    *_RELATIONS,
    *_BINARY,
    *_FUNCTIONS,
    *_LARGE,
    *_MARKS,
)
TOKEN_IDS = {token: index for index, token in enumerate(VOCABULARY)}

Tokens = tuple[str, ...]

_TOKEN = re.compile(r"\\[A-Za-z]+|[^\s\\]")


def detokenize(tokens: Tokens) -> str:
    """Join tokens; one space only where a control word would swallow the letter that follows it."""
    text = ""
    for token in tokens:
        if token[0].isalpha() and re.search(r"\\[A-Za-z]+$", text):
            text += " "
        text += token
    return text


def tokenize(text: str) -> Tokens:
    """Split detokenised LaTeX; raises ValueError on a token outside the vocabulary."""
    tokens = tuple(_TOKEN.findall(text))
    unknown = [token for token in tokens if token not in TOKEN_IDS]
    if unknown:
        raise ValueError(f"formula {text!r}: {unknown[0]!r} is not in the vocabulary; use VOCABULARY's tokens")
    return tokens


def part_of(tokens: Tokens) -> str:
    """The part ("train", "calibrate" or "validate") a formula belongs to, by the hash of its text."""
    bucket = hashlib.sha256(detokenize(tokens).encode()).digest()[0]
    if bucket < 16:
        return "calibrate"
    return "validate" if bucket < 32 else "train"


def sample(rng: np.random.Generator, part: str, max_tokens: int = MAX_TOKENS) -> Tokens:
    """One formula of `part` with MIN_TOKENS..max_tokens tokens; lengths are drawn evenly."""
    while True:
        budget = int(rng.integers(MIN_TOKENS, max_tokens + 1))
        tokens = _formula(rng, budget)
        if MIN_TOKENS <= len(tokens) <= budget and part_of(tokens) == part:
            return tokens


def _pick(rng: np.random.Generator, options: Tokens) -> str:
    return options[int(rng.integers(len(options)))]


def _formula(rng: np.random.Generator, budget: int) -> Tokens:
    if budget >= 7 and rng.random() < 0.45:
        left = _expression(rng, int(rng.integers(1, budget - 3)), 0)
        return (*left, _pick(rng, _RELATIONS), *_expression(rng, budget - len(left) - 1, 0))
    return _expression(rng, budget, 0)


def _expression(rng: np.random.Generator, budget: int, depth: int) -> Tokens:
    tokens: Tokens = ("-",) if budget >= 3 and rng.random() < 0.08 else ()
    tokens += _term(rng, budget - len(tokens), depth)
    while budget - len(tokens) >= 2 and rng.random() < 0.85:
        tokens = (*tokens, _pick(rng, _BINARY))
        tokens += _term(rng, budget - len(tokens), depth)
    return tokens


def _symbol(rng: np.random.Generator) -> str:
    return _pick(rng, (_LOWER, _LOWER, _UPPER, _GREEK)[int(rng.integers(4))])


def _number(rng: np.random.Generator, budget: int) -> Tokens:
    digits = int(rng.integers(1, min(budget, 3) + 1))
    return tuple(str(value) for value in [rng.integers(1, 10), *rng.integers(0, 10, digits - 1)])


def _atom(rng: np.random.Generator, budget: int, depth: int) -> Tokens:
    roll = rng.random()
    if roll < 0.2:
        return _number(rng, budget)
    if roll < 0.32 and budget >= 2:
        return (*_number(rng, budget - 1), _symbol(rng))
    if roll < 0.42 and budget >= 2:
        return (_symbol(rng), _symbol(rng))
    if roll < 0.46:
        return ("\\infty",)
    return (_symbol(rng),)


def _script(rng: np.random.Generator, budget: int) -> Tokens:
    if budget >= 3 and rng.random() < 0.3:
        return (_symbol(rng), _pick(rng, ("+", "-", ",", "=")), *_number(rng, 1))
    return _atom(rng, min(budget, 2), 2)


def _scripted(rng: np.random.Generator, budget: int, depth: int) -> Tokens:
    base = _symbol(rng)
    style = int(rng.integers(3)) if budget >= 9 else int(rng.integers(2))
    if style == 2:
        sub = _script(rng, (budget - 7) // 2)
        return (base, "_", "{", *sub, "}", "^", "{", *_script(rng, budget - 7 - len(sub)), "}")
    return (base, "_^"[style], "{", *_script(rng, budget - 4), "}")


def _fraction(rng: np.random.Generator, budget: int, depth: int) -> Tokens:
    top = _expression(rng, int(rng.integers(1, min(budget - 6, 9) + 1)), 1)
    bottom = _expression(rng, int(rng.integers(1, min(budget - 5 - len(top), 9) + 1)), 1)
    return ("\\frac", "{", *top, "}", "{", *bottom, "}")


def _root(rng: np.random.Generator, budget: int, depth: int) -> Tokens:
    if budget >= 7 and rng.random() < 0.3:
        index = _pick(rng, ("3", "4", "5", "n"))
        return ("\\sqrt", "[", index, "]", "{", *_expression(rng, min(budget - 6, 7), 1), "}")
    return ("\\sqrt", "{", *_expression(rng, min(budget - 3, 8), 1), "}")


def _bracketed(rng: np.random.Generator, budget: int, depth: int) -> Tokens:
    left, right = (("(", ")"), ("(", ")"), ("[", "]"), ("|", "|"))[int(rng.integers(4))]
    inner = _expression(rng, min(budget - 2, 7), 1)
    power: Tokens = ()
    if budget - len(inner) >= 6 and rng.random() < 0.4:
        power = ("^", "{", *_atom(rng, 1, 2), "}")
    return (left, *inner, right, *power)


def _call(rng: np.random.Generator, budget: int, depth: int) -> Tokens:
    inner: Tokens = (_symbol(rng),)
    if budget >= 6 and rng.random() < 0.4:
        inner = (_symbol(rng), ",", _symbol(rng))
    return (_symbol(rng), "(", *inner, ")")


def _function(rng: np.random.Generator, budget: int, depth: int) -> Tokens:
    return (_pick(rng, _FUNCTIONS), *_atom(rng, budget - 1, 1))


def _prefixed(rng: np.random.Generator, budget: int, depth: int) -> Tokens:
    return (_pick(rng, ("\\partial", "\\nabla")), _symbol(rng))


def _factorial(rng: np.random.Generator, budget: int, depth: int) -> Tokens:
    return (_symbol(rng), "!")


def _series(rng: np.random.Generator, budget: int, depth: int) -> Tokens:
    lower = (_symbol(rng), "=", *_number(rng, 1))
    upper = ("\\infty",) if rng.random() < 0.3 else (_symbol(rng),)
    head = (_pick(rng, ("\\sum", "\\prod")), "_", "{", *lower, "}", "^", "{", *upper, "}")
    return (*head, *_term(rng, budget - len(head), 1))


def _bare_sum(rng: np.random.Generator, budget: int, depth: int) -> Tokens:
    head = (_pick(rng, ("\\sum", "\\prod")), "_", "{", _symbol(rng), "}")
    return (*head, *_term(rng, budget - len(head), 1))


def _integral(rng: np.random.Generator, budget: int, depth: int) -> Tokens:
    tail = ("d", _pick(rng, _LOWER))
    head: Tokens = ("\\int",)
    if budget >= 13:
        head = ("\\int", "_", "{", *_atom(rng, 1, 2), "}", "^", "{", *_atom(rng, 1, 2), "}")
    return (*head, *_term(rng, budget - len(head) - 2, 1), *tail)


def _limit(rng: np.random.Generator, budget: int, depth: int) -> Tokens:
    head = ("\\lim", "_", "{", _symbol(rng), "\\to", *_atom(rng, 1, 2), "}")
    return (*head, *_term(rng, budget - len(head), 1))


_Rule = Callable[[np.random.Generator, int, int], Tokens]
# rule, fewest tokens it needs, deepest nesting it may stand at, weight
_RULES: tuple[tuple[_Rule, int, int, float], ...] = (
    (_atom, 1, 2, 3.0),
    (_scripted, 5, 1, 4.0),
    (_fraction, 7, 0, 3.0),
    (_root, 4, 1, 1.2),
    (_bracketed, 5, 0, 1.2),
    (_call, 4, 1, 0.8),
    (_function, 2, 1, 1.0),
    (_prefixed, 2, 1, 0.6),
    (_factorial, 2, 1, 0.4),
    (_series, 12, 0, 1.5),
    (_bare_sum, 6, 0, 0.6),
    (_integral, 5, 0, 1.5),
    (_limit, 8, 0, 0.9),
)


def _term(rng: np.random.Generator, budget: int, depth: int) -> Tokens:
    fitting = [(rule, weight) for rule, least, deepest, weight in _RULES if least <= budget and depth <= deepest]
    weights = np.array([weight for _, weight in fitting])
    rule = fitting[int(rng.choice(len(fitting), p=weights / weights.sum()))][0]
    return rule(rng, budget, depth)
