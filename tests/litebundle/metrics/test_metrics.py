"""Metrics against hand-worked pages, independent formulations and properties of their definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from litebundle.errors import LitebundleError
from litebundle.metrics import METRICS, SampleScore, pooled
from litebundle.metrics.matching import covered, iou, match
from litebundle.metrics.tokens import tokenize

Item = dict[str, Any]

# Three boxes far apart, so that IoU alone decides.
A, B, C = [0, 0, 10, 10], [100, 0, 120, 10], [0, 100, 10, 120]


def score(metric: str, results: list[Item], answers: list[Item]) -> tuple[float, float]:
    found = METRICS[metric].score(results, answers)
    return found.value, found.weight


def levenshtein(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """Wagner and Fischer's table, row by row."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


boxes = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 12), st.integers(1, 12)).map(
    lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]]
)
latex = st.lists(st.sampled_from(["x", "2", "{", "}", "^", "\\frac", "\\alpha", "\\{", "+"]), max_size=12)


def raster(box: list[int]) -> np.ndarray:
    picture = np.zeros((40, 40), bool)
    picture[box[1] : box[3], box[0] : box[2]] = True
    return picture


@given(boxes, boxes)
def test_overlaps_are_those_of_the_pixels(a: list[int], b: list[int]) -> None:
    both, either = raster(a) & raster(b), raster(a) | raster(b)
    assert iou(a, b) == pytest.approx(both.sum() / either.sum())
    assert covered(a, b) == pytest.approx(both.sum() / raster(a).sum())


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (r"\frac{a}{b}", ["\\frac", "{", "a", "}", "{", "b", "}"]),
        (r"\alpha x", ["\\alpha", "x"]),
        (r"\alphax", ["\\alphax"]),
        (r"\{ 1 \}", ["\\{", "1", "\\}"]),
        ("x ^ { 1 0 }", ["x", "^", "{", "1", "0", "}"]),
        (r"a\\b", ["a", "\\\\", "b"]),
        ("12 3", ["1", "2", "3"]),
        ("수식", ["수", "식"]),
        ("", []),
        ("a\\", ["a", "\\"]),
    ],
)
def test_tokens(text: str, tokens: list[str]) -> None:
    assert list(tokenize(text)) == tokens


@given(latex)
def test_spaces_between_tokens_do_not_matter(tokens: list[str]) -> None:
    assert tokenize(" ".join(tokens)) == tuple(tokens)


@given(st.lists(st.tuples(boxes, boxes), min_size=1, max_size=5))
def test_pairs_are_as_many_as_the_best_assignment_where_boxes_are_apart(
    cells: list[tuple[list[int], list[int]]],
) -> None:
    # Each cell of a wide grid holds one result and one answer, so no choice between pairs arises.
    def shifted(box: list[int], cell: int) -> list[int]:
        return [box[0] + 1000 * cell, box[1], box[2] + 1000 * cell, box[3]]

    results = [{"box": shifted(result, i)} for i, (result, _) in enumerate(cells)]
    answers = [{"box": shifted(answer, i)} for i, (_, answer) in enumerate(reversed(cells))]
    good = np.array([[iou(r["box"], a["box"]) >= 0.5 for a in answers] for r in results])
    rows, columns = linear_sum_assignment(-good.astype(int))
    hits = int(good[rows, columns].sum())
    assert len(match(results, answers).pairs) == hits
    assert score("box_f1", results, answers)[0] == pytest.approx(2 * hits / (len(results) + len(answers)))


def test_an_earlier_result_takes_the_answer_first() -> None:
    near, exact = {"box": [1, 0, 11, 10]}, {"box": A}
    matching = match([near, exact], [{"box": A}])
    assert matching.pairs == ((near, {"box": A}),) and matching.extra == (exact,)


def test_a_result_takes_the_answer_it_covers_best() -> None:
    answers = [{"box": [0, 0, 10, 10]}, {"box": [2, 0, 12, 10]}]
    assert match([{"box": [2, 0, 12, 10]}], answers).pairs[0][1] is answers[1]


def test_results_in_ignored_regions_count_neither_way() -> None:
    answers = [{"box": A, "text": "a"}, {"box": [90, 0, 200, 50], "ignore": True}]
    inside, half_out = {"box": B, "text": "b"}, {"box": [75, 0, 115, 10], "text": "cc"}
    mostly_out = {"box": [0, 0, 95, 60], "text": "d"}
    matching = match([{"box": A, "text": "a"}, inside, half_out, mostly_out], answers)
    assert matching.extra == (mostly_out,) and not matching.missed
    assert score("box_f1", [inside], answers) == (0.0, 1.0)  # the ignored answer is not asked, A is missed
    assert score("edit_distance", [{"box": A, "text": "a"}, inside], answers) == (0.0, 1.0)


def test_an_answer_inside_an_ignored_region_can_still_be_found() -> None:
    answers = [{"box": A}, {"box": [0, 0, 50, 50], "ignore": True}]
    assert score("box_f1", [{"box": A}], answers) == (1.0, 2.0)


def test_without_boxes_items_match_in_order() -> None:
    results = [{"text": "a"}, {"text": "b"}, {"text": "c"}]
    matching = match(results, [{"text": "a"}, {"text": "b"}])
    assert matching.pairs == ((results[0], {"text": "a"}), (results[1], {"text": "b"}))
    assert matching.extra == (results[2],)


def test_a_page_worked_by_hand() -> None:
    answers = [
        {"box": A, "text": r"\frac{a}{b}", "angle": 0},
        {"box": B, "text": "x+1", "angle": 3},
        {"box": C, "text": "yz", "angle": 1},
    ]
    results = [
        {"box": A, "text": r"\frac {a} {c}", "angle": 0},  # 1 of 7 tokens wrong
        {"box": [100, 0, 119, 10], "text": "x + 1", "angle": 1},  # right text, wrong angle
        {"box": [300, 300, 310, 310], "text": "ab", "angle": 0},  # extra, 2 tokens
    ]  # C is missed, 2 tokens
    assert score("edit_distance", results, answers) == (pytest.approx((1 + 2 + 2) / 12), 12)
    assert score("exact_match", results, answers) == (pytest.approx(1 / 3), 3)
    assert score("box_f1", results, answers) == (pytest.approx(2 * 2 / (3 + 3)), 6)
    assert score("accuracy", results, answers) == (pytest.approx(1 / 2), 2)


@given(st.lists(latex, min_size=1, max_size=4), st.lists(latex, min_size=1, max_size=4))
def test_edit_distance_in_order_is_the_sum_of_levenshtein_distances(
    found: list[list[str]], asked: list[list[str]]
) -> None:
    results = [{"text": " ".join(tokens)} for tokens in found]
    answers = [{"text": " ".join(tokens)} for tokens in asked]
    count = max(len(found), len(asked))
    padded = [side + [[]] * (count - len(side)) for side in (found, asked)]
    errors = sum(levenshtein(tuple(f), tuple(a)) for f, a in zip(*padded, strict=True))
    value, weight = score("edit_distance", results, answers)
    assert value * weight == pytest.approx(errors)
    assert weight in (0, max(1, sum(map(len, asked))))


@given(st.lists(st.tuples(boxes, latex, st.integers(0, 3)), max_size=4))
def test_what_is_all_right_scores_best(rows: list[tuple[list[int], list[str], int]]) -> None:
    spread = [
        {"box": [x0 + 1000 * i, y0, x1 + 1000 * i, y1], "text": " ".join(tokens), "angle": angle}
        for i, ((x0, y0, x1, y1), tokens, angle) in enumerate(rows)
    ]
    for name, metric in METRICS.items():
        assert score(name, spread, spread)[0] == (1.0 if metric.better == "higher" else 0.0)


def test_pages_that_ask_nothing_have_no_weight() -> None:
    for name in METRICS:
        assert score(name, [], [])[1] == 0
    assert score("edit_distance", [{"box": A, "text": "ab"}], []) == (2.0, 1.0)
    assert score("box_f1", [{"box": A}], []) == (0.0, 1.0)


def test_answers_without_the_field_are_matched_but_not_scored() -> None:
    answers = [{"box": A}, {"box": B, "text": "xy"}]
    results = [{"box": A, "text": "junk"}, {"box": B, "text": "xy"}]
    assert score("edit_distance", results, answers) == (0.0, 2.0)
    assert score("exact_match", results, answers) == (1.0, 1.0)


@pytest.mark.parametrize("name", METRICS)
def test_a_pipeline_without_the_field_is_refused(name: str) -> None:
    with pytest.raises(LitebundleError, match=f"metric '{name}' reads the result field"):
        METRICS[name].score([{"tone": 3}], [{"text": "a", "box": A, "angle": 1}])


def test_pooled_is_the_ratio_over_all_samples() -> None:
    assert pooled([SampleScore(0.5, 4), SampleScore(1.0, 1), SampleScore(0.0, 0)]) == pytest.approx(3 / 5)
    assert pooled([SampleScore(1.0, 0)]) is None


def test_drop_is_positive_when_quality_is_lost() -> None:
    assert METRICS["box_f1"].drop(0.9, 0.8) == pytest.approx(0.1)
    assert METRICS["edit_distance"].drop(0.1, 0.3) == pytest.approx(0.2)
