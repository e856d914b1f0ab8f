"""formula_scan's formulas: tokens, texts, parts and pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from formula_scan.grammar import (
    MAX_TOKENS,
    MIN_TOKENS,
    VOCABULARY,
    detokenize,
    part_of,
    sample,
    tokenize,
)
from formula_scan.render import HELD_OUT_FONT, MATH_FONTS, render
from hypothesis import given
from hypothesis import strategies as st

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "formula_scan"
STRUCTURE = {"{", "}", "^", "_", "\\frac", "\\sqrt", "[", "]"}
SYMBOLS = [token for token in VOCABULARY[3:] if token not in STRUCTURE]
SEEDS = st.integers(0, 2**32 - 1)


def test_vocabulary_is_large_enough_and_free_of_repeats() -> None:
    assert len(VOCABULARY) >= 70 + 3
    assert len(set(VOCABULARY)) == len(VOCABULARY)


def test_shipped_labels_are_the_vocabulary() -> None:
    assert tuple(json.loads((EXAMPLE / "labels" / "latex.json").read_text())) == VOCABULARY


@given(st.lists(st.sampled_from(VOCABULARY[3:]), min_size=1, max_size=MAX_TOKENS).map(tuple))
def test_any_tokens_survive_their_text(tokens: tuple[str, ...]) -> None:
    assert tokenize(detokenize(tokens)) == tokens


def test_a_space_stands_only_where_a_control_word_would_grow() -> None:
    assert detokenize(("\\alpha", "x", "\\beta", "2", "y")) == "\\alpha x\\beta2y"


def test_a_foreign_token_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'o' is not in the vocabulary"):
        tokenize("a+o")


@given(SEEDS, st.sampled_from(["train", "calibrate", "validate"]))
def test_samples_are_balanced_of_their_part_and_repeatable(seed: int, part: str) -> None:
    tokens = sample(np.random.default_rng(seed), part)
    assert tokens == sample(np.random.default_rng(seed), part)
    assert MIN_TOKENS <= len(tokens) <= MAX_TOKENS
    assert part_of(tokens) == part
    assert tokens.count("{") == tokens.count("}")


def test_every_token_occurs() -> None:
    rng = np.random.default_rng(0)
    seen = {token for _ in range(3000) for token in sample(rng, "train")}
    assert seen == set(VOCABULARY[3:])


@pytest.mark.parametrize("font", [*MATH_FONTS, HELD_OUT_FONT])
def test_every_symbol_draws_its_own_picture(font: str) -> None:
    pictures = {render((token,), font, 40).tobytes() for token in SYMBOLS}
    assert len(pictures) == len(SYMBOLS)


@pytest.mark.parametrize("font", [*MATH_FONTS, HELD_OUT_FONT])
def test_structure_is_drawn(font: str) -> None:
    def shape(text: str) -> tuple[int, ...]:
        return render(tokenize(text), font, 40).shape

    assert shape("x^{x}")[0] > shape("xx")[0]
    assert shape("x_{x}")[0] > shape("xx")[0]
    assert shape("\\frac{x}{2}")[0] > shape("x2")[0]
    assert shape("\\sqrt{x}")[1] > shape("x")[1]
    assert render(tokenize("\\sqrt[3]{x}"), font, 40).tobytes() != render(tokenize("\\sqrt{x}"), font, 40).tobytes()
