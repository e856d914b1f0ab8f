"""What must hold for every input, whatever the formula."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage, special

from litebundle.glue import OPERATIONS
from litebundle.glue.autoregressive_decode import decode
from litebundle.glue.boundary import Quantization, dequantize, pixels_as, quantize
from litebundle.glue.components import find_components
from tests.litebundle.glue.reference import REFERENCE

pictures = arrays(
    np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from((1, 3))), elements=st.integers(0, 255)
)
sides = st.integers(1, 64)
coordinates = st.floats(-60, 60, width=32)


@st.composite
def some_boxes(draw: st.DrawFn) -> np.ndarray:
    rows = draw(st.lists(st.tuples(*[coordinates] * 4, st.sampled_from((0.25, 0.5, 0.75, 1.0))), max_size=20))
    boxes = np.array(rows, np.float32).reshape(-1, 5)
    boxes[:, 2:4] = boxes[:, :2] + np.abs(boxes[:, 2:4])
    return boxes


def run(name: str, *inputs: Any, **attributes: Any) -> tuple[Any, ...]:
    operation = OPERATIONS[name]
    return operation.run(operation.attributes.model_validate(attributes), *inputs)


@settings(max_examples=100, deadline=None)
@given(pictures, sides, sides, st.sampled_from(("center", "left")))
def test_letterbox_geometry_maps_the_picture_onto_its_place(
    image: np.ndarray, height: int, width: int, align: str
) -> None:
    fill = 77
    canvas, geometry = run("letterbox", image, size=[height, width], fill=fill, align=align)
    assert canvas.shape == (height, width, image.shape[2])
    scale_x, scale_y, offset_x, offset_y, canvas_width, canvas_height = geometry.tolist()
    assert (canvas_width, canvas_height) == (width, height)
    far_corner = image.shape[1] * scale_x + offset_x, image.shape[0] * scale_y + offset_y
    right, bottom = (round(edge) for edge in far_corner)
    np.testing.assert_allclose(far_corner, (right, bottom), rtol=1e-12)
    assert 0 <= offset_x < right <= width
    assert 0 <= offset_y < bottom <= height
    outside = np.ones(canvas.shape, bool)
    outside[int(offset_y) : bottom, int(offset_x) : right] = False
    np.testing.assert_array_equal(canvas[outside], fill)
    # The limiting side fills the canvas; margins differ by at most a pixel when centred.
    assert (right - offset_x) == width or (bottom - offset_y) == height
    if align == "center":
        assert 0 <= (width - right) - offset_x <= 1
        assert 0 <= (height - bottom) - offset_y <= 1


@settings(max_examples=100, deadline=None)
@given(pictures, some_boxes(), st.floats(0, 2), st.integers(1, 5))
def test_crops_lie_inside_and_cover_their_boxes(
    picture: np.ndarray, boxes: np.ndarray, margin: float, min_size: int
) -> None:
    crops, kept = run("crop_boxes", picture, boxes, margin=margin, min_size=min_size)
    assert len(crops) == len(kept)
    rows, columns, channels = picture.shape
    for crop, (x0, y0, x1, y1, _) in zip(crops, kept.astype(float), strict=True):
        assert crop.flags.c_contiguous
        assert crop.shape[2] == channels
        assert min_size <= min(crop.shape[:2])
        assert crop.shape[1] >= min(x1, columns) - max(x0, 0)
        assert crop.shape[0] >= min(y1, rows) - max(y0, 0)
        assert crop.shape[1] <= columns
        assert crop.shape[0] <= rows


@settings(deadline=None)
@given(pictures, st.integers(0, 3))
def test_turning_back_undoes_a_turn(upright: np.ndarray, index: int) -> None:
    scores = np.eye(4, dtype=np.float32)[index : index + 1]
    turned = np.ascontiguousarray(np.rot90(upright, index))
    picture, found = run("rotate_upright", turned, scores)
    assert found == index
    np.testing.assert_array_equal(picture, upright)


@settings(deadline=None)
@given(pictures)
def test_four_quarter_turns_are_none(picture: np.ndarray) -> None:
    turned = picture
    for _ in range(4):
        turned, _ = run("rotate_upright", turned, np.array([[0, 1, 0, 0]], np.float32))
    np.testing.assert_array_equal(turned, picture)


@settings(max_examples=200, deadline=None)
@given(some_boxes(), st.floats(0, 1))
def test_nms_is_idempotent_and_keeps_the_best(boxes: np.ndarray, iou: float) -> None:
    (kept,) = run("nms", boxes, iou=iou)
    np.testing.assert_array_equal(run("nms", kept, iou=iou)[0], kept)
    assert {tuple(row) for row in kept.tolist()} <= {tuple(row) for row in boxes.tolist()}
    assert (np.diff(kept[:, 4]) <= 0).all()
    if len(boxes):
        assert kept[0, 4] == boxes[:, 4].max()


@settings(max_examples=150, deadline=None)
@given(
    arrays(np.float32, (1, 7, 9, 1), elements=st.sampled_from((0.0, 0.25, 0.5, 0.75, 1.0))),
    arrays(np.float32, (1, 7, 9, 4), elements=st.floats(-0.25, 0.5, width=32)),
    st.sampled_from((1, 3, 5)),
    st.integers(1, 6),
    pictures,
)
def test_heatmap_boxes_equal_the_reference(
    heatmap: np.ndarray, box: np.ndarray, kernel: int, most: int, picture: np.ndarray
) -> None:
    attributes = {"threshold": 0.25, "max": most, "kernel": kernel, "iou": 0.4}
    geometry = run("letterbox", picture, size=[28, 36])[1]
    (boxes,) = run("heatmap_boxes", heatmap, box, geometry, picture, **attributes)
    np.testing.assert_array_equal(boxes, REFERENCE["heatmap_boxes"](attributes, heatmap, box, geometry, picture)[0])
    assert len(boxes) <= most
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:4] <= [picture.shape[1], picture.shape[0]]).all()


@settings(max_examples=150, deadline=None)
@given(
    arrays(
        np.float32,
        st.tuples(st.just(1), st.integers(1, 14), st.integers(1, 14), st.just(1)),
        elements=st.sampled_from((0.0, 0.3, 0.4, 0.6, 0.8, 1.0)),
    ),
    st.sampled_from((0.0, 0.5, 1.6)),
    st.integers(1, 6),
    pictures,
)
def test_dbnet_boxes_equal_the_reference(cells: np.ndarray, unclip: float, most: int, picture: np.ndarray) -> None:
    attributes = {"threshold": 0.3, "score": 0.5, "unclip": unclip, "min_side": 1.0, "max": most}
    geometry = run("letterbox", picture, size=[cells.shape[1], cells.shape[2]])[1]
    (boxes,) = run("dbnet_boxes", cells, geometry, picture, **attributes)
    np.testing.assert_array_equal(boxes, REFERENCE["dbnet_boxes"](attributes, cells, geometry, picture)[0])


@settings(max_examples=200, deadline=None)
@given(arrays(np.bool_, st.tuples(st.integers(1, 24), st.integers(1, 24))))
def test_components_are_those_of_scipy(mask: np.ndarray) -> None:
    expected, count = ndimage.label(mask, np.ones((3, 3)))
    runs = find_components(mask)
    assert runs.count == count
    labels = np.zeros(mask.shape, int)
    for row, start, end, component in zip(runs.row, runs.start, runs.end, runs.component, strict=True):
        labels[row, start:end] = component + 1
    np.testing.assert_array_equal(labels > 0, mask)
    # Equal up to the numbering, and ours follows the first cells.
    pairs = set(zip(labels[mask].tolist(), expected[mask].tolist(), strict=True))
    assert len(pairs) == count
    firsts = [np.flatnonzero(labels == number)[0] for number in range(1, count + 1)]
    assert firsts == sorted(firsts)


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_ctc_gives_back_a_path_that_is_already_collapsed(path: list[int]) -> None:
    labels = ["", "a", "b", "c", "d", "e"]
    text, _ = run("ctc_decode", np.eye(6, dtype=np.float32)[None, path], labels=labels)
    collapsed = [labels.index(letter) for letter in text]
    # A blank between equal letters, or they would collapse again.
    again = [index for letter in collapsed for index in (0, letter)] or [0]
    assert run("ctc_decode", np.eye(6, dtype=np.float32)[None, again], labels=labels)[0] == text


@settings(deadline=None)
@given(arrays(np.float32, (1, 5), elements=st.floats(-80, 80, width=32)))
def test_softmax_is_that_of_scipy(scores: np.ndarray) -> None:
    label, score = run("softmax_top_k", scores, labels=["0", "1", "2", "3", "4"])
    assert int(label) == np.argmax(scores[0])
    assert math.isclose(score, special.softmax(scores[0].astype(float)).max(), rel_tol=1e-12)


def chain(table: np.ndarray, **attributes: int) -> tuple[list[int], float]:
    """Decode a model whose logits depend on the round and on the token before."""

    def step(token: int, number: int) -> tuple[np.ndarray, int]:
        return table[number % len(table), token], number + 1

    decoded = decode(step, 0, start=0, end=1, **attributes)
    return decoded.tokens.tolist(), decoded.score


# Half precision, so that no two logits differ by less than log-softmax in float64 can tell apart.
tables = arrays(np.float32, (3, 4, 4), elements=st.floats(-4, 4, width=16))


@settings(deadline=None)
@given(tables, st.integers(1, 8))
def test_greedy_takes_the_best_token_of_each_step(table: np.ndarray, max_tokens: int) -> None:
    tokens, score = chain(table, max_tokens=max_tokens)
    expected, scores, last = [], [], 0
    for number in range(max_tokens):
        logits = table[number % 3, last].astype(float)
        last = int(np.argmax(logits))
        scores.append(special.log_softmax(logits)[last])
        if last == 1:
            break
        expected.append(last)
    assert tokens == expected
    assert math.isclose(score, np.mean(scores), rel_tol=1e-12, abs_tol=1e-12)


@settings(deadline=None, max_examples=50)
@given(tables)
def test_a_beam_as_wide_as_all_sequences_finds_the_best_one(table: np.ndarray) -> None:
    """Exhaustive search over all sequences of at most three tokens."""
    scored: list[tuple[float, list[int]]] = []

    def extend(tokens: list[int], total: float) -> None:
        if len(tokens) == 3 or tokens[-1:] == [1]:
            scored.append((total / len(tokens), tokens))
            return
        for token in range(4):
            log_probabilities = special.log_softmax(table[len(tokens), tokens[-1] if tokens else 0].astype(float))
            extend([*tokens, token], total + log_probabilities[token])

    extend([], 0.0)
    scored.sort(reverse=True)
    assume(scored[0][0] - scored[1][0] > 1e-9)
    tokens, score = chain(table, max_tokens=3, beam=200)
    assert tokens == [token for token in scored[0][1] if token != 1]
    assert math.isclose(score, scored[0][0], rel_tol=1e-12, abs_tol=1e-12)


quantizations = st.builds(
    Quantization,
    dtype=st.just("int8"),
    scale=st.floats(2**-10, 8, width=32),
    zero_point=st.integers(-128, 127),
)


@settings(deadline=None)
@given(quantizations)
def test_each_integer_survives_a_round_trip(quantization: Quantization) -> None:
    raw = np.arange(-128, 128).astype(np.int8)
    np.testing.assert_array_equal(quantize(dequantize(raw, quantization), quantization), raw)


@settings(deadline=None)
@given(quantizations, arrays(np.float32, 20, elements=st.floats(-1e4, 1e4, width=32)))
def test_quantizing_moves_a_number_in_range_by_half_a_step_at_most(
    quantization: Quantization, values: np.ndarray
) -> None:
    lowest, highest = ((limit - quantization.zero_point) * quantization.scale for limit in (-128, 127))
    back = dequantize(quantize(values, quantization), quantization).astype(float)
    error = np.abs(back - np.clip(values.astype(float), lowest, highest))
    assert (error <= quantization.scale / 2 * (1 + 1e-5) + 1e-6 * np.abs(values)).all()


def test_pixels_as_int8_keep_their_value_under_a_shifted_zero_point() -> None:
    pixels = np.arange(256).astype(np.uint8)
    np.testing.assert_array_equal(pixels_as(pixels, "int8").astype(int) + 128, pixels)
    assert pixels_as(pixels, "uint8") is pixels
