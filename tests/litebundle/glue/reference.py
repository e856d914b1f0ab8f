"""Every glue operation once more, written from docs/glue.md in plain Python numbers.

One pixel, cell or box at a time; it shares nothing with litebundle.glue. Arrays are read and built at the edges
only; arithmetic is Python's int (exact) and float (IEEE double). float32() rounds to single precision.
"""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np


class Refused(Exception):
    """The definition says that this input is an error."""


Attributes = Mapping[str, Any]


def float32(value: float) -> float:
    if math.isnan(value) or math.isinf(value):
        return value
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


def convert_color(attributes: Attributes, image: np.ndarray) -> tuple[Any, ...]:
    rows, columns, channels = image.shape
    to = attributes["to"]
    result = []
    for pixel in image.reshape(rows * columns, channels).tolist():
        red, green, blue = pixel if channels == 3 else pixel * 3
        gray = pixel[0] if channels == 1 else (77 * red + 150 * green + 29 * blue + 128) >> 8
        result.append({"gray": [gray], "rgb": [red, green, blue], "bgr": [blue, green, red]}[to])
    return (np.array(result, np.uint8).reshape(rows, columns, -1),)


def _axis_weights(size_in: int, size_out: int) -> list[tuple[int, list[int]]]:
    """Per output: the first input and the 22-bit weights from there on."""
    scale = size_in / size_out
    support = max(scale, 1.0)
    result = []
    for index in range(size_out):
        centre = (index + 0.5) * scale
        first = max(0, math.floor(centre - support + 0.5))
        end = min(size_in, math.floor(centre + support + 0.5))
        weights = [max(0.0, 1.0 - abs((tap - centre + 0.5) * (1.0 / support))) for tap in range(first, end)]
        total = 0.0
        for weight in weights:
            total += weight
        result.append((first, [math.floor(weight / total * 4194304 + 0.5) for weight in weights]))
    return result


def _blend(line: Sequence[int], weights: list[tuple[int, list[int]]]) -> list[int]:
    sums = (sum(line[first + i] * weight for i, weight in enumerate(taps)) for first, taps in weights)
    return [min(255, max(0, (total + (1 << 21)) >> 22)) for total in sums]


def _resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    rows, columns, channels = image.shape
    planes = [image[:, :, channel].tolist() for channel in range(channels)]
    if columns != width:
        across = _axis_weights(columns, width)
        planes = [[_blend(line, across) for line in plane] for plane in planes]
    if rows != height:
        down = _axis_weights(rows, height)
        planes = [
            list(zip(*(_blend(line, down) for line in zip(*plane, strict=True)), strict=True)) for plane in planes
        ]
    return np.stack([np.array(plane, np.uint8) for plane in planes], axis=2)


def resize(attributes: Attributes, image: np.ndarray) -> tuple[Any, ...]:
    height, width = attributes["size"]
    return (_resized(image, height, width),)


def _half_up(numerator: int, denominator: int) -> int:
    return max(1, (2 * numerator + denominator) // (2 * denominator))


def letterbox(attributes: Attributes, image: np.ndarray) -> tuple[Any, ...]:
    height, width = attributes["size"]
    rows, columns, channels = image.shape
    if width * rows <= height * columns:
        placed_width, placed_height = width, _half_up(rows * width, columns)
    else:
        placed_width, placed_height = _half_up(columns * height, rows), height
    top = (height - placed_height) // 2
    left = (width - placed_width) // 2 if attributes["align"] == "center" else 0
    small = _resized(image, placed_height, placed_width)
    canvas = np.empty((height, width, channels), np.uint8)
    for row, column in itertools.product(range(height), range(width)):
        inside = 0 <= row - top < placed_height and 0 <= column - left < placed_width
        canvas[row, column] = small[row - top, column - left] if inside else attributes["fill"]
    geometry = [placed_width / columns, placed_height / rows, left, top, width, height]
    return canvas, np.array(geometry, np.float64)


def fit_height(attributes: Attributes, image: np.ndarray) -> tuple[Any, ...]:
    rows, columns, _ = image.shape
    width = min(attributes["max_width"], _half_up(columns * attributes["height"], rows))
    return (_resized(image, attributes["height"], width),)


def normalize(attributes: Attributes, image: np.ndarray) -> tuple[Any, ...]:
    channels = image.shape[2]
    if any(len(attributes[key]) not in (1, channels) for key in ("mean", "std")):
        raise Refused
    mean, std = (list(attributes[key]) * (channels if len(attributes[key]) == 1 else 1) for key in ("mean", "std"))
    values = [
        float32(float32(value - float32(mean[index % channels])) / float32(std[index % channels]))
        for index, value in enumerate(image.ravel().tolist())
    ]
    return (np.array(values, np.float32).reshape(1, *image.shape),)


def to_tensor(attributes: Attributes, image: np.ndarray) -> tuple[Any, ...]:
    return (image.reshape(1, *image.shape),)


def pad(attributes: Attributes, tensor: np.ndarray) -> tuple[Any, ...]:
    _, rows, columns, channels = tensor.shape
    height, width = attributes["size"]
    value = attributes["value"]
    lowest, highest = {"uint8": (0, 255), "int8": (-128, 127)}.get(tensor.dtype.name, (-math.inf, math.inf))
    is_integer = tensor.dtype.name in ("uint8", "int8")
    if rows > height or columns > width or not lowest <= value <= highest or (is_integer and value != int(value)):
        raise Refused
    result = np.empty((1, height, width, channels), tensor.dtype)
    for row, column in itertools.product(range(height), range(width)):
        result[0, row, column] = tensor[0, row, column] if row < rows and column < columns else value
    return (result,)


def crop_boxes(attributes: Attributes, picture: np.ndarray, boxes: np.ndarray) -> tuple[Any, ...]:
    rows, columns, _ = picture.shape
    crops, kept = [], []
    for box in boxes.tolist():
        x0, y0, x1, y1, _score = box
        if not all(math.isfinite(side) for side in box[:4]) or x1 <= x0 or y1 <= y0:
            continue
        margin = attributes["margin"] * min(x1 - x0, y1 - y0)
        left, right = (min(columns, max(0, f)) for f in (math.floor(x0 - margin), math.ceil(x1 + margin)))
        top, bottom = (min(rows, max(0, f)) for f in (math.floor(y0 - margin), math.ceil(y1 + margin)))
        if min(right - left, bottom - top) >= attributes["min_size"]:
            crops.append(np.array([line[left:right] for line in picture.tolist()[top:bottom]], np.uint8))
            kept.append(box)
    return crops, np.array(kept, np.float32).reshape(-1, 5)


def rotate_upright(attributes: Attributes, picture: np.ndarray, scores: np.ndarray) -> tuple[Any, ...]:
    row = scores.ravel().tolist()
    if len(row) != len(attributes["angles"]) or any(math.isnan(value) for value in row):
        raise Refused
    index = row.index(max(row))
    if attributes["threshold"] is not None and row[index] < float32(attributes["threshold"]):
        index = 0
    lines = picture.tolist()
    for _ in range(attributes["angles"][index] // 90):
        # A quarter turn clockwise: the lowest row becomes the first column.
        lines = [list(column) for column in zip(*lines[::-1], strict=True)]
    return np.array(lines, np.uint8), index


def _overlap(a: Sequence[float], b: Sequence[float], iou: float) -> bool:
    shared = max(min(a[2], b[2]) - max(a[0], b[0]), 0.0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)
    area_a, area_b = (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])
    return shared > iou * (area_a + area_b - shared)


def _suppressed(boxes: list[list[float]], iou: float) -> list[list[float]]:
    kept: list[list[float]] = []
    for box in sorted(boxes, key=lambda box: -box[4]):
        if not any(_overlap(better, box, iou) for better in kept):
            kept.append(box)
    return kept


def nms(attributes: Attributes, boxes: np.ndarray) -> tuple[Any, ...]:
    return (np.array(_suppressed(boxes.tolist(), attributes["iou"]), np.float32).reshape(-1, 5),)


def _in_picture(
    corners: Sequence[float], score: float, geometry: Sequence[float], picture: np.ndarray
) -> list[float] | None:
    scale_x, scale_y, offset_x, offset_y, _, _ = geometry
    rows, columns, _ = picture.shape
    box = []
    for value, scale, offset, limit in zip(
        corners, (scale_x, scale_y) * 2, (offset_x, offset_y) * 2, (columns, rows) * 2, strict=True
    ):
        placed = (value - offset) / scale
        box.append(placed if math.isnan(placed) else float32(min(limit, max(0.0, placed))))
    return [*box, float32(score)] if box[2] > box[0] and box[3] > box[1] else None


def heatmap_boxes(
    attributes: Attributes, heatmap: np.ndarray, box: np.ndarray, geometry: np.ndarray, picture: np.ndarray
) -> tuple[Any, ...]:
    _, rows, columns, _ = heatmap.shape
    scores = heatmap[0, :, :, 0].tolist()
    reach = attributes["kernel"] // 2
    placed = geometry.tolist()
    width, height = placed[4:]
    found = []
    for row, column in itertools.product(range(rows), range(columns)):
        score = scores[row][column]
        if not score >= float32(attributes["threshold"]):
            continue
        near = [
            (r, c)
            for r in range(max(0, row - reach), min(rows, row + reach + 1))
            for c in range(max(0, column - reach), min(columns, column + reach + 1))
        ]
        if any(scores[r][c] > score or (scores[r][c] == score and (r, c) < (row, column)) for r, c in near):
            continue
        left, top, right, bottom = box[0, row, column].tolist()
        centre_x, centre_y = (column + 0.5) / columns, (row + 0.5) / rows
        corners = (
            (centre_x - left) * width,
            (centre_y - top) * height,
            (centre_x + right) * width,
            (centre_y + bottom) * height,
        )
        in_picture = _in_picture(corners, score, placed, picture)
        if in_picture is not None:
            found.append(in_picture)
    best = _suppressed(found, attributes["iou"])[: attributes["max"]]
    return (np.array(best, np.float32).reshape(-1, 5),)


def _flood_components(over: list[list[bool]]) -> list[list[tuple[int, int]]]:
    """Cells of each component in row-major order; components in the order of their first cells."""
    rows, columns = len(over), len(over[0])
    seen: set[tuple[int, int]] = set()
    components = []
    for start in itertools.product(range(rows), range(columns)):
        if not over[start[0]][start[1]] or start in seen:
            continue
        seen.add(start)
        cells, waiting = [], [start]
        while waiting:
            row, column = waiting.pop()
            cells.append((row, column))
            for r, c in itertools.product((row - 1, row, row + 1), (column - 1, column, column + 1)):
                if 0 <= r < rows and 0 <= c < columns and over[r][c] and (r, c) not in seen:
                    seen.add((r, c))
                    waiting.append((r, c))
        components.append(sorted(cells))
    return components


def dbnet_boxes(
    attributes: Attributes, probability: np.ndarray, geometry: np.ndarray, picture: np.ndarray
) -> tuple[Any, ...]:
    _, rows, columns, _ = probability.shape
    values = probability[0, :, :, 0].tolist()
    placed = geometry.tolist()
    per_column, per_row = placed[4] / columns, placed[5] / rows
    found = []
    for cells in _flood_components([[value > float32(attributes["threshold"]) for value in line] for line in values]):
        total = 0.0
        for row, column in cells:
            total += values[row][column]
        mean = total / len(cells)
        x0, x1 = min(column for _, column in cells), max(column for _, column in cells) + 1
        y0, y1 = min(row for row, _ in cells), max(row for row, _ in cells) + 1
        if min(x1 - x0, y1 - y0) < attributes["min_side"] or not mean > attributes["score"]:
            continue
        grow = float((x1 - x0) * (y1 - y0)) * attributes["unclip"] / (2.0 * ((x1 - x0) + (y1 - y0)))
        corners = (
            (x0 - grow) * per_column,
            (y0 - grow) * per_row,
            (x1 + grow) * per_column,
            (y1 + grow) * per_row,
        )
        box = _in_picture(corners, mean, placed, picture)
        if box is not None:
            found.append(box)
    ranked = sorted(range(len(found)), key=lambda index: -found[index][4])[: attributes["max"]]
    waiting = sorted((found[index] for index in sorted(ranked)), key=lambda box: (box[1], box[0]))
    lines: list[list[list[float]]] = []
    for box in waiting:
        if lines and box[1] < (lines[-1][0][1] + lines[-1][0][3]) / 2:
            lines[-1].append(box)
        else:
            lines.append([box])
    ordered = [box for line in lines for box in sorted(line, key=lambda box: box[0])]
    return (np.array(ordered, np.float32).reshape(-1, 5),)


def softmax_top_k(attributes: Attributes, scores: np.ndarray) -> tuple[Any, ...]:
    row = scores.ravel().tolist()
    if len(row) != len(attributes["labels"]) or any(math.isnan(value) for value in row) or math.inf in row:
        raise Refused
    best = row.index(max(row))
    score = row[best]
    if attributes["softmax"]:
        score = 1.0 / math.fsum(math.exp(value - row[best]) for value in row)
    return attributes["labels"][best], score


def ctc_decode(attributes: Attributes, probabilities: np.ndarray) -> tuple[Any, ...]:
    steps = probabilities[0].tolist()
    if len(steps[0]) != len(attributes["labels"]) or any(math.isnan(value) for step in steps for value in step):
        raise Refused
    text, total, count = "", 0.0, 0
    path = [(step.index(max(step)), max(step)) for step in steps]
    for index, group in itertools.groupby(path, key=lambda entry: entry[0]):
        if index != attributes["blank"]:
            text += attributes["labels"][index]
            total += next(group)[1]
            count += 1
    return text, total / count if count else 0.0


def detokenize(attributes: Attributes, tokens: np.ndarray) -> tuple[Any, ...]:
    labels = attributes["labels"]
    if any(not 0 <= token < len(labels) for token in tokens.tolist()):
        raise Refused
    words = [labels[token] for token in tokens.tolist()]
    if attributes["style"] != "latex":
        return ((" " if attributes["style"] == "space" else "").join(words),)
    letters = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    text = words[0] if words else ""
    for before, word in itertools.pairwise(words):
        is_control_word = len(before) > 1 and before[0] == "\\" and set(before[1:]) <= letters
        text += (" " if is_control_word and word[:1] in letters and word else "") + word
    return (text,)


def autoregressive_decode(attributes: Attributes, table: np.ndarray) -> tuple[Any, ...]:
    """The step is a table [S, V, V]: in round n, after token p, the logits are table[n mod S, p]."""
    rounds = table.tolist()
    places = attributes["beam"]
    open_: list[tuple[float, list[int]]] = [(0.0, [])]
    finished: list[tuple[float, list[int]]] = []
    for number in range(attributes["max_tokens"]):
        candidates = []
        for rank, (log_probability, tokens) in enumerate(open_):
            logits = rounds[number % len(rounds)][tokens[-1] if tokens else attributes["start"]]
            highest = max(logits)
            if any(math.isnan(value) for value in logits) or math.isinf(highest):
                raise Refused
            log_sum = math.log(math.fsum(math.exp(value - highest) for value in logits))
            for token, value in enumerate(logits):
                total = log_probability + (value - highest - log_sum)
                candidates.append((-total, rank, token, [*tokens, token]))
        best = sorted(candidates)[: places - len(finished)]
        finished += [(-negative, tokens) for negative, _, token, tokens in best if token == attributes["end"]]
        open_ = [(-negative, tokens) for negative, _, token, tokens in best if token != attributes["end"]]
        if not open_:
            break
    log_probability, tokens = max(finished + open_, key=lambda entry: entry[0] / len(entry[1]))
    text = tokens[:-1] if tokens[-1] == attributes["end"] else tokens
    return np.array(text, np.int32), log_probability / len(tokens)


def quantize(attributes: Attributes, values: np.ndarray) -> tuple[Any, ...]:
    lowest, highest = {"uint8": (0, 255), "int8": (-128, 127)}[attributes["dtype"]]
    scale = float32(attributes["scale"])
    result = []
    for value in values.ravel().tolist():
        if math.isnan(value):
            raise Refused
        scaled = value / scale
        whole = scaled if math.isinf(scaled) else round(scaled)
        result.append(int(min(highest, max(lowest, whole + attributes["zero_point"]))))
    return (np.array(result, attributes["dtype"]).reshape(values.shape),)


def dequantize(attributes: Attributes, raw: np.ndarray) -> tuple[Any, ...]:
    scale = float32(attributes["scale"])
    values = [float32((value - attributes["zero_point"]) * scale) for value in raw.ravel().tolist()]
    return (np.array(values, np.float32).reshape(raw.shape),)


def pixels_as(attributes: Attributes, pixels: np.ndarray) -> tuple[Any, ...]:
    shift = {"uint8": 0, "int8": 128}[attributes["dtype"]]
    values = [value - shift for value in pixels.ravel().tolist()]
    return (np.array(values, attributes["dtype"]).reshape(pixels.shape),)


YUV_FACTORS = {
    ("bt601", "full"): (0, 65536, 91881, 22553, 46802, 116130),
    ("bt601", "limited"): (16, 76309, 104597, 25675, 53279, 132201),
    ("bt709", "full"): (0, 65536, 103206, 12276, 30679, 121609),
    ("bt709", "limited"): (16, 76309, 117489, 13975, 34925, 138438),
}


def yuv_pixel(standard: str, value_range: str, y: int, u: int, v: int) -> tuple[int, int, int]:
    black, of_y, red_of_v, green_of_u, green_of_v, blue_of_u = YUV_FACTORS[standard, value_range]
    light, cb, cr = of_y * (y - black), u - 128, v - 128
    sums = (light + red_of_v * cr, light - green_of_u * cb - green_of_v * cr, light + blue_of_u * cb)
    red, green, blue = (min(255, max(0, (total + 32768) >> 16)) for total in sums)
    return red, green, blue


def yuv_to_rgb(attributes: Attributes, y: np.ndarray, u: np.ndarray, v: np.ndarray) -> tuple[Any, ...]:
    columns, rows = attributes["width"], attributes["height"]
    planes = {name: plane.tolist() for name, plane in (("y", y), ("u", u), ("v", v))}

    def sample(name: str, row: int, column: int) -> int:
        at = row * attributes[f"{name}_row_stride"] + column * attributes[f"{name}_pixel_stride"]
        if at >= len(planes[name]):
            raise Refused
        return planes[name][at]

    lines = [
        [
            yuv_pixel(
                attributes["standard"],
                attributes["range"],
                sample("y", row, column),
                sample("u", row // 2, column // 2),
                sample("v", row // 2, column // 2),
            )
            for column in range(columns)
        ]
        for row in range(rows)
    ]
    for _ in range(attributes["orientation"] // 90):
        lines = [list(column) for column in zip(*lines[::-1], strict=True)]
    return (np.array(lines, np.uint8),)


REFERENCE: Mapping[str, Callable[..., tuple[Any, ...]]] = {
    function.__name__: function
    for function in (
        autoregressive_decode,
        convert_color,
        crop_boxes,
        ctc_decode,
        dbnet_boxes,
        dequantize,
        detokenize,
        fit_height,
        heatmap_boxes,
        letterbox,
        nms,
        normalize,
        pad,
        pixels_as,
        quantize,
        resize,
        rotate_upright,
        softmax_top_k,
        to_tensor,
        yuv_to_rgb,
    )
}
