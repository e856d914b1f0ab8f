"""Scales, differences of text, figures: held against what they promise."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from litebundle.metrics.tokens import tokenize
from litebundle.report import figures
from litebundle.report.scale import scale_over
from litebundle.report.text_diff import diff

VALUES = st.floats(-1e6, 1e6).map(lambda x: round(x, 6))


@given(st.lists(VALUES, max_size=8), VALUES)
def test_a_scale_holds_all_values_between_round_ticks(values, include):
    scale = scale_over([*values, None, float("inf")], include=include)
    rounding = 1e-8 * (scale.high - scale.low)
    assert all(scale.low - rounding <= value <= scale.high + rounding for value in [*values, include])
    assert scale.at(scale.low) == 0 and scale.at(scale.high) == 100
    assert 2 <= len(scale.ticks) <= 7
    steps = [b - a for a, b in pairwise(scale.ticks)]
    assert max(steps) == pytest.approx(min(steps), rel=1e-6)
    assert f"{steps[0]:.2e}"[0] in "125"


@given(st.lists(VALUES, min_size=2, max_size=8))
def test_places_keep_the_order_of_values(values):
    scale = scale_over(values)
    ordered = sorted(values)
    assert [scale.at(value) for value in ordered] == sorted(scale.at(value) for value in ordered)


TEXT = st.text(alphabet="ab\\{}1 한", max_size=20)


@given(TEXT, TEXT)
def test_a_diff_spells_both_texts_with_the_fewest_edits(expected, answer):
    parts = diff(expected, answer)
    assert tokens(parts, "same", "extra") == "".join(tokenize(answer))
    assert tokens(parts, "same", "missing") == "".join(tokenize(expected))
    most = sum(len(tokenize(part.text)) for part in parts if part.kind != "same")
    # A replaced token is one edit, and both a missing and an extra one.
    least = Levenshtein.distance(tokenize(expected), tokenize(answer))
    assert least <= most <= 2 * least


def tokens(parts, *kinds: str) -> str:
    return "".join("".join(part.text.split()) for part in parts if part.kind in kinds)


def test_a_diff_keeps_the_spaces_between_words():
    assert [(part.text, part.kind) for part in diff("one two", "one too")] == [
        ("one t", "same"),
        ("w", "missing"),
        ("o", "extra"),
        ("o", "same"),
    ]


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (figures.score, 0.91249, "0.912"),
        (figures.score, None, "–"),
        (figures.loss, 0.0, "0"),
        (figures.loss, 0.02, "+0.020"),
        (figures.loss, -0.0147, "−0.015"),
        (figures.loss, 0.00031, "+0.0003"),
        (figures.general, 0.0421, "0.0421"),
        (figures.general, 12345.6, "12,346"),
        (figures.general, float("inf"), "∞"),
        (figures.decibels, float("inf"), "identical"),
        (figures.decibels, 27.94, "27.9"),
        (figures.size, 577_296, "577 kB"),
        (figures.size, 3_609_976, "3.61 MB"),
        (figures.size, 12, "12 B"),
        (figures.milliseconds, 3.254, "3.25"),
        (figures.milliseconds, 89.94, "89.9"),
        (figures.percent, 0.268, "27 %"),
    ],
)
def test_figures_read_as_documented(form, value, text):
    assert form(value) == text
