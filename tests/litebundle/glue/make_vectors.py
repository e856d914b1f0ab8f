"""Write tests/vectors/glue from the reference: `python -m tests.litebundle.glue.make_vectors`.

Inputs come from a generator written here, so that the files never change with a library's version.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tests.litebundle.glue.reference import REFERENCE, Refused
from tests.litebundle.glue.vector_files import FOLDER, Vector

OUTPUT_NAMES: Mapping[str, tuple[str, ...]] = {
    "autoregressive_decode": ("tokens", "score"),
    "convert_color": ("image",),
    "crop_boxes": ("crops", "boxes"),
    "ctc_decode": ("text", "score"),
    "dbnet_boxes": ("boxes",),
    "dequantize": ("values",),
    "detokenize": ("text",),
    "fit_height": ("image",),
    "heatmap_boxes": ("boxes",),
    "letterbox": ("image", "geometry"),
    "nms": ("boxes",),
    "normalize": ("tensor",),
    "pad": ("tensor",),
    "pixels_as": ("raw",),
    "quantize": ("raw",),
    "resize": ("image",),
    "rotate_upright": ("picture", "angle"),
    "softmax_top_k": ("label", "score"),
    "to_tensor": ("tensor",),
    "yuv_to_rgb": ("image",),
}

# exp and log differ by an ulp or so between mathematics libraries; nothing else is inexact.
TOLERANCE: Mapping[str, Mapping[str, float]] = {
    "autoregressive_decode": {"score": 1e-9},
    "softmax_top_k": {"score": 1e-9},
}


def all_vectors() -> list[Vector]:
    return [_answered(*case) for case in _cases()]


def _answered(op: str, case: str, note: str, attributes: dict[str, Any], inputs: dict[str, Any]) -> Vector:
    try:
        answer = dict(zip(OUTPUT_NAMES[op], REFERENCE[op](attributes, *inputs.values()), strict=True))
    except Refused:
        return Vector(op, case, note, attributes, inputs, None)
    return Vector(op, case, note, attributes, inputs, answer, TOLERANCE.get(op, {}))


def noise(seed: int, *shape: int) -> np.ndarray:
    """uint64, evenly spread: the splitmix64 generator (Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        state = (np.arange(1, np.prod(shape) + 1, dtype=np.uint64) + np.uint64(seed << 32)) * np.uint64(
            0x9E3779B97F4A7C15
        )
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return (state ^ (state >> np.uint64(31))).reshape(shape)


def pixels(seed: int, rows: int, columns: int, channels: int = 3) -> np.ndarray:
    return (noise(seed, rows, columns, channels) >> np.uint64(56)).astype(np.uint8)


def unit(seed: int, *shape: int) -> np.ndarray:
    """float32 in [0, 1)."""
    return ((noise(seed, *shape) >> np.uint64(40)).astype(np.float64) / (1 << 24)).astype(np.float32)


def ramp(rows: int, columns: int) -> np.ndarray:
    """A smooth picture of three different slopes."""
    row, column = np.mgrid[:rows, :columns]
    return np.stack([row * 255 // rows, column * 255 // columns, (row + column) % 256], axis=2).astype(np.uint8)


def boxes(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 5)


def tokens(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


Case = tuple[str, str, str, dict[str, Any], dict[str, Any]]


def _cases() -> Iterator[Case]:
    yield from _colour_cases()
    yield from _resize_cases()
    yield from _letterbox_cases()
    yield from _tensor_cases()
    yield from _crop_cases()
    yield from _rotate_cases()
    yield from _nms_cases()
    yield from _heatmap_cases()
    yield from _dbnet_cases()
    yield from _class_cases()
    yield from _text_cases()
    yield from _decode_cases()
    yield from _boundary_cases()
    yield from _camera_cases()


def _colour_cases() -> Iterator[Case]:
    # The last two have a gray just at and just under a half.
    colours = [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [4, 50, 0], [3, 100, 0]]
    corners = np.array([colours], np.uint8)
    for to in ("gray", "bgr", "rgb"):
        yield "convert_color", f"corners_to_{to}", "the corners of the cube", {"to": to}, {"image": corners}
        yield (
            "convert_color",
            f"noise_to_{to}",
            "all channels differ",
            {"to": to},
            {"image": pixels(1, 13, 17)},
        )
        yield "convert_color", f"gray_to_{to}", "one channel in", {"to": to}, {"image": pixels(2, 3, 4, 1)}


def _resize_cases() -> Iterator[Case]:
    for case, note, image, size in (
        ("same", "equal sizes copy", pixels(3, 5, 6), (5, 6)),
        ("down", "both axes, no whole ratio", pixels(4, 97, 131), (40, 56)),
        ("down_gray", "one channel", pixels(5, 64, 50, 1), (17, 23)),
        ("down_smooth", "a smooth picture shows a shift", ramp(90, 120), (31, 47)),
        ("up", "both axes, interpolation only", pixels(6, 7, 5), (20, 33)),
        ("up_down", "rows up, columns down", pixels(7, 9, 40), (25, 11)),
        ("down_up", "rows down, columns up", pixels(8, 40, 9), (11, 25)),
        ("rows_only", "no pass over columns", pixels(9, 30, 12), (13, 12)),
        ("columns_only", "no pass over rows", pixels(10, 12, 30), (12, 13)),
        ("to_one", "all pixels into one", pixels(11, 21, 34), (1, 1)),
        ("from_one", "one pixel everywhere", pixels(12, 1, 1), (4, 3)),
        (
            "white",
            "weights that sum to a little more than one stay at 255",
            np.full((50, 70, 3), 255, np.uint8),
            (9, 16),
        ),
        (
            "edges",
            "black and white columns",
            np.tile(np.array([0, 255], np.uint8)[:, None], (10, 15, 1)),
            (7, 19),
        ),
        ("halves", "every second output lies on a tie", np.array([[[0], [1], [0], [1]]], np.uint8), (1, 2)),
        ("far_down", "seven hundred taps", pixels(13, 2, 700, 1), (1, 2)),
    ):
        yield "resize", case, note, {"size": list(size)}, {"image": image}
    for case, note, image, height, max_width in (
        ("narrow", "aspect kept", pixels(14, 30, 41), 24, 64),
        ("wide", "squeezed to max_width", pixels(15, 12, 90), 16, 64),
        ("half_up", "2.5 columns become 3", pixels(16, 4, 5, 1), 2, 64),
        ("thin", "never narrower than 1", pixels(17, 60, 1), 8, 64),
    ):
        yield "fit_height", case, note, {"height": height, "max_width": max_width}, {"image": image}


def _letterbox_cases() -> Iterator[Case]:
    for case, note, image, size, fill, align in (
        ("tall", "columns left over, odd", pixels(18, 75, 41), (32, 32), 114, "center"),
        ("wide", "rows left over", pixels(19, 41, 75), (32, 48), 0, "center"),
        ("left", "left aligned, centred vertically", pixels(20, 12, 60, 1), (24, 64), 255, "left"),
        ("left_tall", "left aligned, columns left over", pixels(21, 60, 12, 1), (24, 64), 255, "left"),
        ("fits", "the aspect of the canvas", pixels(22, 20, 30), (10, 15), 7, "center"),
        ("up", "enlarged", pixels(23, 3, 5), (16, 16), 128, "center"),
        ("half_up", "2.5 rows become 3", pixels(24, 5, 8, 1), (4, 4), 9, "center"),
        ("one_pixel", "one pixel", pixels(25, 1, 1), (5, 8), 30, "center"),
        ("hair", "never thinner than 1", pixels(26, 90, 1, 1), (8, 8), 30, "center"),
        ("page", "a page as the example scales it", ramp(128, 96), (80, 80), 114, "center"),
    ):
        yield "letterbox", case, note, {"size": list(size), "fill": fill, "align": align}, {"image": image}


def _tensor_cases() -> Iterator[Case]:
    everything = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    yield (
        "normalize",
        "one_mean",
        "each pixel value",
        {"mean": [127.5], "std": [127.5]},
        {"image": everything},
    )
    imagenet = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}
    yield "normalize", "per_channel", "float32 roundings", imagenet, {"image": pixels(27, 9, 8)}
    yield (
        "normalize",
        "shared",
        "one value for three channels",
        {"mean": [0.1], "std": [0.3]},
        {"image": pixels(28, 4, 5)},
    )
    wrong = {"mean": [1.0, 2.0], "std": [1.0]}
    yield "normalize", "two_means_three_channels", "no rule", wrong, {"image": pixels(28, 4, 5)}
    yield "to_tensor", "colour", "a batch axis in front", {}, {"image": pixels(29, 4, 5)}
    yield "to_tensor", "gray", "a batch axis in front", {}, {"image": pixels(30, 4, 5, 1)}

    small = unit(31, 1, 2, 3, 2)
    yield "pad", "right_and_bottom", "float32", {"size": [4, 5], "value": -1.5}, {"tensor": small}
    yield "pad", "nothing", "equal size", {"size": [2, 3], "value": 9.0}, {"tensor": small}
    yield "pad", "bytes", "uint8", {"size": [3, 4], "value": 255.0}, {"tensor": pixels(32, 2, 2)[None]}
    yield "pad", "too_large", "larger than size", {"size": [2, 2], "value": 0.0}, {"tensor": small}
    yield (
        "pad",
        "not_a_byte",
        "uint8 cannot hold -1",
        {"size": [9, 9], "value": -1.0},
        {"tensor": pixels(32, 2, 2)[None]},
    )
    yield (
        "pad",
        "half_a_byte",
        "uint8 cannot hold 0.5",
        {"size": [9, 9], "value": 0.5},
        {"tensor": pixels(32, 2, 2)[None]},
    )


def _crop_cases() -> Iterator[Case]:
    picture = pixels(33, 24, 31)
    plain = boxes((2, 3, 9, 8, 0.9), (12, 4, 15, 16, 0.85), (2.25, 3.75, 9.5, 8.125, 0.8), (30, 23, 31, 24, 0.7))
    outside = boxes(
        (-5, -5, 4, 4, 0.9),
        (28, 20, 99, 99, 0.8),
        (-9, -9, -2, -2, 0.7),
        (40, 2, 50, 9, 0.6),
        (-99, -99, 99, 99, 0.5),
    )
    empty = boxes((5, 5, 5, 9, 0.9), (5, 5, 9, 5, 0.8), (9, 9, 5, 5, 0.7), (5, 5, 9, 9, 0.6))
    nonfinite = boxes((np.nan, 0, 9, 9, 0.9), (0, 0, np.inf, 9, 0.8), (0, -np.inf, 9, 9, 0.7), (1, 1, 3, 3, np.nan))
    slivers = boxes((4.9, 4, 5.1, 9, 0.9), (4.1, 4, 4.9, 9, 0.8), (29.5, 3, 36, 20, 0.7), (1, 1, 4, 4, 0.6))
    for case, note, found, margin, min_size in (
        ("plain", "whole and fractional sides", plain, 0.0, 1),
        ("margin", "a share of the shorter side", plain, 0.15, 1),
        ("outside", "cut to the picture, or dropped", outside, 0.0, 1),
        ("outside_margin", "the margin brings a box in", boxes((32, 2, 40, 9, 0.9)), 0.25, 1),
        ("empty", "no area, or turned inside out", empty, 0.5, 1),
        ("nonfinite", "NaN and infinite sides are dropped, a NaN score is not looked at", nonfinite, 0.0, 1),
        ("slivers", "min_size counts whole pixels after the cut", slivers, 0.0, 2),
        ("none", "no boxes", boxes(), 0.1, 1),
    ):
        yield (
            "crop_boxes",
            case,
            note,
            {"margin": margin, "min_size": min_size},
            {"picture": picture, "boxes": found},
        )
    lone = {"picture": pixels(34, 1, 1, 1), "boxes": boxes((0.25, 0.25, 0.5, 0.5, 1.0))}
    yield "crop_boxes", "one_pixel", "a box inside the only pixel", {"margin": 0.0, "min_size": 1}, lone


def _rotate_cases() -> Iterator[Case]:
    picture = pixels(35, 3, 5)
    quarter = [0, 90, 180, 270]
    for index in range(4):
        scores = np.full((1, 4), 0.1, np.float32)
        scores[0, index] = 0.7
        attributes = {"angles": quarter, "threshold": None}
        inputs = {"picture": picture, "scores": scores}
        yield "rotate_upright", f"class_{index}", f"turned back by {90 * index}", attributes, inputs
    for case, note, angles, threshold, row in (
        ("tie", "the lowest index", quarter, None, (0.1, 0.4, 0.1, 0.4)),
        ("under_threshold", "falls back to class 0", [0, 180], 0.9, (0.2, 0.8)),
        ("at_threshold", "reaches it", [0, 180], 0.5, (0.25, 0.5)),
        ("rounded_threshold", "compared in float32", [0, 180], 0.9, (0.1, 0.9)),
        ("other_order", "angles belong to classes", [0, 270, 90], None, (0.1, 0.7, 0.2)),
        ("nan", "a broken model", quarter, None, (0.1, np.nan, 0.7, 0.1)),
    ):
        inputs = {"picture": picture, "scores": np.array([row], np.float32)}
        yield "rotate_upright", case, note, {"angles": angles, "threshold": threshold}, inputs


def _nms_cases() -> Iterator[Case]:
    third = boxes((0, 0, 4, 2, 0.5), (2, 0, 6, 2, 0.6))
    chain = boxes((0, 0, 10, 10, 0.7), (4, 0, 14, 10, 0.9), (8, 0, 18, 10, 0.8), (12, 0, 22, 10, 0.6))
    ties = boxes((0, 0, 3, 3, 0.5), (0.5, 0, 3.5, 3, 0.5), (9, 9, 12, 12, 0.5))
    points = boxes((1, 1, 1, 1, 0.9), (1, 1, 1, 1, 0.8), (0, 0, 2, 2, 0.7))
    scattered = (unit(36, 40, 5) * np.array([60, 40, 30, 20, 1], np.float32)).astype(np.float32)
    scattered[:, 2:4] += scattered[:, :2]
    tied = scattered.copy()
    tied[:, 4] = np.floor(tied[:, 4] * 3) / 4
    for case, note, found, iou in (
        ("below", "an overlap of exactly a third stays", third, 1 / 3),
        ("above", "an overlap of a third goes", third, 0.33),
        ("chain", "the suppressed suppress nobody", chain, 0.25),
        ("ties", "equal scores keep their order", ties, 0.5),
        ("points", "boxes without area overlap nothing", points, 0.0),
        ("scattered", "forty boxes", scattered, 0.3),
        ("tied", "forty boxes of three scores", tied, 0.1),
        ("all", "iou 1 keeps even equal boxes", boxes((0, 0, 1, 1, 0.5), (0, 0, 1, 1, 0.6)), 1.0),
        ("none", "no boxes", boxes(), 0.5),
    ):
        yield "nms", case, note, {"iou": iou}, {"boxes": found}


def _placed(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    attributes = {"size": [height, width], "fill": 0, "align": "center"}
    return REFERENCE["letterbox"](attributes, picture)[1]


def _heatmap_cases() -> Iterator[Case]:
    picture = np.zeros((12, 21, 1), np.uint8)
    geometry = _placed(picture, 32, 32)
    usual = {"threshold": 0.4, "max": 8, "kernel": 3, "iou": 0.5}

    def case(name: str, note: str, scores: np.ndarray, distances: np.ndarray, **changes: Any) -> Case:
        rows, columns = scores.shape
        inputs = {
            "heatmap": scores.astype(np.float32).reshape(1, rows, columns, 1),
            "box": np.broadcast_to(distances, (rows, columns, 4)).astype(np.float32)[None],
            "geometry": geometry,
            "picture": picture,
        }
        return "heatmap_boxes", name, note, usual | changes, inputs

    tenth = np.full(4, 0.1)
    single = np.zeros((8, 8))
    single[4, 3] = 0.9
    yield case("single", "one peak", single, np.array([0.1, 0.05, 0.2, 0.15]))
    yield case("nothing", "all under the threshold", single * 0.1, tenth)
    yield case("at_threshold", "0.9 as float32 reaches 0.9, which is more", single, tenth, threshold=0.9)
    plateau = np.zeros((8, 8))
    plateau[3:5, 2:6] = 0.5
    yield case("plateau", "of equal neighbours the first in row-major order", plateau, tenth / 10)
    corners = np.zeros((8, 8))
    corners[[0, 0, 7, 7], [0, 7, 0, 7]] = (0.5, 0.6, 0.7, 0.8)
    yield case("corners", "at the rim; boxes in the letterbox's margin are dropped", corners, np.full(4, 0.3))
    twins = np.zeros((8, 8))
    twins[4, 2], twins[4, 4], twins[4, 7] = 0.6, 0.6, 0.9
    yield case("ties", "equal scores in row-major order", twins, tenth / 2)
    yield case("suppressed", "the earlier of two that overlap", twins, tenth * 3)
    yield case("max", "the best two", twins, tenth / 2, max=2)
    yield case("wide_kernel", "a peak two cells away wins", twins, tenth / 2, kernel=5)
    yield case("every_cell", "kernel 1 keeps all over the threshold", plateau, tenth / 10, kernel=1)
    inside_out = np.array([-0.2, 0.1, -0.1, 0.1])
    yield case("inside_out", "a box without area is dropped", single, inside_out)
    broken = single.copy()
    broken[4, 4], broken[0, 0] = np.nan, np.nan
    yield case("nan_score", "NaN is no peak and beats none", broken, tenth)
    yield case("nan_box", "a NaN side drops the box", single, np.array([0.1, np.nan, 0.1, 0.1]))
    yield case("infinite_box", "an infinite side is cut to the picture", single, np.array([0.1, 0.1, np.inf, 0.1]))
    yield case("crowd", "noise everywhere", unit(37, 16, 20), unit(38, 16, 20, 4) * 0.2, max=100, iou=0.3)
    yield case("one_cell", "a map of one cell", np.array([[0.9]]), np.full(4, 0.25))


def _dbnet_cases() -> Iterator[Case]:
    picture = np.zeros((30, 44, 1), np.uint8)
    usual = {"threshold": 0.3, "score": 0.5, "unclip": 1.6, "min_side": 3.0, "max": 50}

    def case(name: str, note: str, cells: np.ndarray, photo: np.ndarray = picture, **changes: Any) -> Case:
        inputs = {
            "map": cells.astype(np.float32)[None, :, :, None],
            "geometry": _placed(photo, 32, 48),
            "picture": photo,
        }
        return "dbnet_boxes", name, note, usual | changes, inputs

    def filled(*areas: tuple[int, int, int, int, float]) -> np.ndarray:
        cells = np.full((32, 48), 0.1)
        for x0, y0, x1, y1, value in areas:
            cells[y0:y1, x0:x1] = value
        return cells

    yield case("single", "one rectangle grows", filled((10, 8, 22, 13, 0.8)))
    yield case("nothing", "no cell over the threshold", filled())
    yield case(
        "at_threshold",
        "a cell equal to the threshold is out",
        filled((10, 8, 22, 13, 0.25)),
        threshold=0.25,
        score=0.0,
    )
    yield case("at_score", "a mean equal to the score is out", filled((10, 8, 22, 13, 0.5)))
    yield case("min_side", "two rows are too few, three are not", filled((2, 2, 20, 4, 0.9), (2, 12, 20, 15, 0.9)))
    yield case("diagonal", "corners touch", filled((4, 4, 10, 10, 0.9), (10, 10, 16, 14, 0.7)))
    ring = filled((5, 5, 25, 20, 0.9), (8, 8, 22, 17, 0.0), (12, 10, 17, 14, 0.95))
    yield case("ring", "a component inside another one's hole", ring, unclip=0.0)
    lines = filled((30, 4, 42, 9, 0.8), (4, 5, 20, 10, 0.9), (25, 20, 40, 26, 0.7), (3, 18, 15, 23, 0.6))
    yield case("reading_order", "lines from the top, each from the left", lines, unclip=0.5)
    yield case("max", "the best two, still in reading order", lines, unclip=0.5, max=2)
    steps = filled((20, 4, 30, 10, 0.8), (4, 7, 14, 13, 0.8))
    unscaled = np.zeros((32, 48, 1), np.uint8)
    yield case("new_line", "a top at the line's centre begins a new line", steps, unscaled, unclip=0.0)
    yield case("no_growth", "unclip 0", filled((10, 8, 22, 13, 0.8)), unclip=0.0)
    yield case("whole_map", "cut to the picture", filled((0, 0, 48, 32, 0.8)))
    snake = filled()
    snake[4:28:4, 4:44] = snake[4:24, [4, 43]] = 0.7
    yield case("snake", "one component with many branches", snake)
    yield case("noise", "many components", unit(39, 32, 48), threshold=0.6, score=0.75, min_side=2.0, max=20)
    half = filled((10, 8, 22, 13, 0.8))[::2, ::2]
    yield case("half_size_map", "the map is smaller than the canvas", half, min_side=2.0)


def _class_cases() -> Iterator[Case]:
    labels = ["cat", "dog", "말", ""]
    for case, note, softmax, row in (
        ("logits", "softmax", True, (1.0, 3.0, 2.5, -1.0)),
        ("large", "no overflow", True, (1000.0, 999.0, 0.0, -1000.0)),
        ("probabilities", "as the model gave them", False, (0.125, 0.25, 0.5, 0.125)),
        ("tie", "the lowest index", True, (2.0, 5.0, 5.0, 1.0)),
        ("minus_infinity", "a masked class", True, (-np.inf, 1.0, 2.0, 0.0)),
        ("nan", "a broken model", True, (np.nan, 1.0, 2.0, 0.0)),
        ("infinity", "a broken model", True, (np.inf, 1.0, 2.0, 0.0)),
    ):
        attributes = {"labels": labels, "k": 1, "softmax": softmax}
        yield "softmax_top_k", case, note, attributes, {"scores": np.array([row], np.float32)}
    few = {"labels": labels[:3], "k": 1, "softmax": True}
    scores = {"scores": np.zeros((1, 4), np.float32)}
    yield "softmax_top_k", "label_missing", "three labels for four classes", few, scores


def _text_cases() -> Iterator[Case]:
    labels = ["<blank>", "a", "b", "ㄱ"]

    def ctc(case: str, note: str, path: list[int], blank: int = 0) -> Case:
        steps = np.full((1, len(path), 4), 0.1, np.float32)
        steps[0, np.arange(len(path)), path] = 0.5 + unit(40, len(path)) / 2
        return "ctc_decode", case, note, {"labels": labels, "blank": blank}, {"probabilities": steps}

    yield ctc("word", "repeats collapse, blanks part", [0, 1, 1, 0, 1, 2, 2, 3, 0])
    yield ctc("blanks", "no text, score 0", [0, 0, 0])
    yield ctc("one_step", "one step", [3])
    yield ctc("other_blank", "blank is the last class", [3, 1, 1, 3, 0, 3], blank=3)
    yield ctc("long", "a long path", (noise(41, 60) % np.uint64(4)).astype(int).tolist())
    tie = np.array([[[0.25, 0.25, 0.25, 0.25], [0.1, 0.4, 0.4, 0.1]]], np.float32)
    usual = {"labels": labels, "blank": 0}
    yield "ctc_decode", "tie", "the lowest index", usual, {"probabilities": tie}
    broken = np.array([[[0.5, np.nan, 0.2, 0.1]]], np.float32)
    yield "ctc_decode", "nan", "a broken model", usual, {"probabilities": broken}
    few = {"labels": labels[:3], "blank": 0}
    yield "ctc_decode", "label_missing", "three labels for four classes", few, {"probabilities": tie}

    words = ["<end>", "\\frac", "{", "}", "x", "2", "\\alpha", "\\,", "\\left(", "ab", "^", "\\", "é", ""]
    for case, note, ids in (
        ("fraction", "no space before a brace", tokens(1, 2, 4, 3, 2, 5, 3)),
        ("letter_after_word", "a space", tokens(6, 4, 10, 5)),
        ("word_after_word", "no space: a backslash ends a word", tokens(6, 6, 1)),
        ("digit_after_word", "no space", tokens(6, 5)),
        ("letters", "no space between letters", tokens(4, 9, 4)),
        ("not_a_word", "\\, and \\left( are no control words", tokens(7, 4, 8, 4, 11, 4)),
        ("not_ascii", "only ASCII letters count", tokens(6, 12, 4)),
        ("empty_token", "an empty token stands between", tokens(6, 13, 4)),
        ("none", "no tokens", tokens()),
        ("unknown", "a token without a label", tokens(4, 14)),
        ("negative", "a token without a label", tokens(4, -1)),
    ):
        yield "detokenize", f"latex_{case}", note, {"labels": words, "style": "latex"}, {"tokens": ids}
    for style in ("space", "none"):
        attributes = {"labels": words, "style": style}
        yield "detokenize", f"{style}_style", "joined", attributes, {"tokens": tokens(6, 4, 10, 5)}


def _decode_cases() -> Iterator[Case]:
    table = unit(42, 4, 6, 6) * np.float32(4)
    # Token 3 looks best at once, but only token 4 leads on to sure steps.
    garden_path = np.zeros((3, 6, 6), np.float32)
    garden_path[0, 1] = (-9, -9, -9, 1.0, 0.9, -9)
    garden_path[1, 4, 5] = garden_path[2, 5, 2] = 20
    ties = np.zeros((1, 4, 4), np.float32)
    broken = np.full((1, 4, 4), np.nan, np.float32)
    masked = np.full((2, 4, 4), -np.inf, np.float32)
    masked[0, :, 3] = masked[1, :, 2] = 0.5
    usual = {"start": 1, "end": 2, "max_tokens": 12}
    for case, note, logits, changes in (
        ("greedy", "one hypothesis", table, {"beam": 1}),
        ("beam_2", "two", table, {"beam": 2}),
        ("beam_5", "five", table, {"beam": 5}),
        ("garden_path_greedy", "walks into the trap", garden_path, {"beam": 1}),
        ("garden_path_beam", "the second best start wins", garden_path, {"beam": 2}),
        ("cut", "no end within max_tokens", table, {"beam": 1, "max_tokens": 2}),
        ("cut_beam", "no end within max_tokens", table, {"beam": 3, "max_tokens": 2}),
        ("ties", "the lower token", ties, {"beam": 1, "max_tokens": 3}),
        ("ties_beam", "the earlier hypothesis, then the lower token", ties, {"beam": 3, "max_tokens": 4}),
        ("end_first", "no text", ties, {"beam": 1, "end": 0}),
        ("masked", "impossible tokens", masked, {"beam": 1}),
        ("nan", "a broken model", broken, {"beam": 1}),
    ):
        yield "autoregressive_decode", case, note, usual | changes, {"table": logits}


def _boundary_cases() -> Iterator[Case]:
    halves = np.arange(-8, 9, dtype=np.float32) / 4
    usual = {"dtype": "int8", "scale": 0.5, "zero_point": 0}
    yield "quantize", "half_even", "ties go to the even number", usual, {"values": halves}
    far = np.array([-np.inf, -1e30, -64.5, -64.25, 63.5, 63.75, 1e30, np.inf], np.float32)
    yield "quantize", "saturates", "clamped at both ends", usual, {"values": far}
    bytes_ = {"dtype": "uint8", "scale": 0.0039215688593685627, "zero_point": 3}
    yield (
        "quantize",
        "bytes",
        "a scale as LiteRT stores it",
        bytes_,
        {"values": unit(43, 2, 50) * np.float32(1.1)},
    )
    shifted = {"dtype": "int8", "scale": 0.023529412, "zero_point": -128}
    yield "quantize", "shifted", "zero at the lower end", shifted, {"values": unit(44, 90) * np.float32(6)}
    yield "quantize", "nan", "no number", usual, {"values": np.array([0.0, np.nan], np.float32)}
    all_signed = np.arange(-128, 128).astype(np.int8)
    yield (
        "dequantize",
        "int8",
        "each value",
        {"dtype": "int8", "scale": 0.1, "zero_point": -3},
        {"raw": all_signed},
    )
    all_bytes = np.arange(256).astype(np.uint8)
    yield (
        "dequantize",
        "uint8",
        "each value",
        {"dtype": "uint8", "scale": 0.0078125, "zero_point": 128},
        {"raw": all_bytes},
    )
    for dtype in ("int8", "uint8"):
        yield "pixels_as", dtype, "each value", {"dtype": dtype}, {"pixels": all_bytes.reshape(1, 16, 16, 1)}


def _camera_cases() -> Iterator[Case]:
    def plane(samples: np.ndarray, row_stride: int, pixel_stride: int) -> np.ndarray:
        """The samples at their strides, 99 between them, and nothing behind the last."""
        rows, columns = samples.shape
        laid = np.full(rows * row_stride, 99, np.uint8)
        for row in range(rows):
            laid[row * row_stride : row * row_stride + columns * pixel_stride : pixel_stride] = samples[row]
        return laid[: (rows - 1) * row_stride + (columns - 1) * pixel_stride + 1]

    def frame(
        case: str,
        note: str,
        y: np.ndarray,
        u: np.ndarray,
        v: np.ndarray,
        luma: tuple[int, int] | None = None,
        chroma: tuple[int, int] | None = None,
        standard: str = "bt601",
        value_range: str = "full",
        orientation: int = 0,
    ) -> Case:
        attributes: dict[str, Any] = {"width": y.shape[1], "height": y.shape[0]}
        attributes |= {"standard": standard, "range": value_range, "orientation": orientation}
        inputs = {}
        for name, samples, strides in (("y", y, luma), ("u", u, chroma), ("v", v, chroma)):
            row_stride, pixel_stride = strides or (samples.shape[1], 1)
            attributes |= {f"{name}_row_stride": row_stride, f"{name}_pixel_stride": pixel_stride}
            inputs[name] = plane(samples, row_stride, pixel_stride)
        return "yuv_to_rgb", case, note, attributes, inputs

    y, u, v = (pixels(seed, 6, 10, 1)[:, :, 0] for seed in (45, 46, 47))
    small = (y, u[:3, :5], v[:3, :5])
    yield frame("i420", "planes without gaps", *small)
    yield frame("padded", "rows with a gap behind them", *small, luma=(16, 1), chroma=(12, 1))
    yield frame("spread", "every third byte", *small, luma=(30, 3), chroma=(15, 3))

    # NV21 holds v and u in turn, so each plane is the same memory but for one byte.
    woven = np.full((3, 16), 99, np.uint8)
    woven[:, :10:2], woven[:, 1:10:2] = small[2], small[1]
    memory = woven.ravel()[: 2 * 16 + 10]
    for case, note, u_at, v_at in (
        ("nv21", "v and u in turn, rows with a gap", 1, 0),
        ("nv12", "u and v in turn: the same memory, exchanged", 0, 1),
    ):
        op, case, note, attributes, inputs = frame(case, note, *small, chroma=(16, 2))
        yield op, case, note, attributes, inputs | {"u": memory[u_at:][: 2 * 16 + 9], "v": memory[v_at:][: 2 * 16 + 9]}

    odd = (pixels(48, 5, 7, 1)[:, :, 0], u[:3, :4], v[:3, :4])
    for orientation in (0, 90, 180, 270):
        yield frame(f"turned_{orientation}", "odd sides, turned", *odd, luma=(9, 1), orientation=orientation)
    yield frame("one_pixel", "one pixel", y[:1, :1], u[:1, :1], v[:1, :1], orientation=90)
    # Of five levels on each axis, all corners; a row of luma shares its chroma.
    levels = np.array([0, 16, 128, 235, 255], np.uint8)
    corner_y = np.repeat(np.repeat(levels, 2)[:, None], 50, axis=1)
    corner_u, corner_v = np.tile(np.repeat(levels, 5), (5, 1)), np.tile(np.tile(levels, 5), (5, 1))
    for standard in ("bt601", "bt709"):
        for value_range in ("full", "limited"):
            yield frame(
                f"corners_{standard}_{value_range}",
                "extremes; beyond black and white is cut",
                corner_y,
                corner_u,
                corner_v,
                standard=standard,
                value_range=value_range,
            )
    op, case, note, attributes, inputs = frame("short", "a plane ends before its last sample", *small)
    yield op, case, note, attributes, inputs | {"v": inputs["v"][:-1]}


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    for vector in all_vectors():
        for name, content in vector.files().items():
            path = FOLDER / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


if __name__ == "__main__":
    main()
