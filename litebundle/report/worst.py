"""The samples on which quantizing lost most: picture, expected, and both answers."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from litebundle.build.cascade_report import WorstSample
from litebundle.bundle import Bundle
from litebundle.metrics.matching import match
from litebundle.report.documents import PictureEntry
from litebundle.report.text_diff import Part, diff

Item = Mapping[str, Any]
Role = Literal["expected", "float", "quantized", "ignored"]

_SHOWN_IN_PICTURE = ("box", "ignore")


@dataclass(frozen=True)
class Picture:
    """`width` and `height` are the photo's, whose pixels boxes count; the picture itself may be smaller."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True)
class DrawnBox:
    """`number` is that of the reading it belongs to, from 1; 0 for none."""

    role: Role
    x: float
    y: float
    width: float
    height: float
    number: int


@dataclass(frozen=True)
class Field:
    """A field of an answer, against what was expected of it."""

    name: str
    parts: tuple[Part, ...]
    right: bool


@dataclass(frozen=True)
class Reading:
    """What was expected at one place, and both answers to it; None where there is no such item."""

    number: int
    expected: tuple[Field, ...] | None
    float: tuple[Field, ...] | None
    quantized: tuple[Field, ...] | None

    @property
    def differs(self) -> bool:
        return self.float != self.quantized


@dataclass(frozen=True)
class Card:
    """One sample with every metric that lost on it."""

    sample: str
    kind: str
    losses: tuple[WorstSample, ...]
    picture: Picture | None
    boxes: tuple[DrawnBox, ...]
    readings: tuple[Reading, ...]

    @property
    def labels(self) -> tuple[DrawnBox, ...]:
        """One box of each reading, to write its number at: the expected one where there is one."""
        # Boxes are drawn in order, the expected ones last.
        return tuple({box.number: box for box in self.boxes if box.number}.values())


@dataclass(frozen=True)
class _Place:
    expected: Item | None
    float: Item | None
    quantized: Item | None


def cards(
    worst: Iterable[WorstSample], entries: Mapping[str, PictureEntry], bundle: Bundle, picture_bytes: int
) -> tuple[Card, ...]:
    """One card per sample, in the order of their first mention; pictures for as many as `picture_bytes` hold."""
    by_sample: dict[str, list[WorstSample]] = {}
    for row in worst:
        by_sample.setdefault(row.sample, []).append(row)
    pictures = _pictures(by_sample, entries, bundle, picture_bytes)
    return tuple(_card(rows, pictures.get(sample)) for sample, rows in by_sample.items())


def _pictures(
    samples: Iterable[str], entries: Mapping[str, PictureEntry], bundle: Bundle, room: int
) -> dict[str, Picture]:
    pictures: dict[str, Picture] = {}
    for sample in samples:
        entry = entries.get(sample)
        if entry is None or entry.file not in bundle.names:
            continue
        encoded = base64.b64encode(bundle.read(entry.file)).decode()
        room -= len(encoded)
        if room < 0:
            break
        pictures[sample] = Picture(f"data:image/webp;base64,{encoded}", entry.width, entry.height)
    return pictures


def _card(rows: Sequence[WorstSample], picture: Picture | None) -> Card:
    first = rows[0]
    places = _places(first)
    drawn: list[tuple[Role, Item | None, int]] = [("ignored", item, 0) for item in first.expected if item.get("ignore")]
    numbered = list(enumerate(places, 1))
    # Widest line first, so that boxes at one place are all seen.
    drawn += [("quantized", place.quantized, number) for number, place in numbered]
    drawn += [("float", place.float, number) for number, place in numbered]
    drawn += [("expected", place.expected, number) for number, place in numbered]
    boxes = [_box(role, item, number) for role, item, number in drawn if item]
    readings = (
        Reading(
            number,
            _fields(place.expected, place.expected),
            _fields(place.float, place.expected),
            _fields(place.quantized, place.expected),
        )
        for number, place in numbered
    )
    return Card(
        sample=first.sample,
        kind=first.kind,
        losses=tuple(rows),
        picture=picture,
        boxes=tuple(box for box in boxes if box),
        readings=tuple(readings),
    )


def _places(sample: WorstSample) -> list[_Place]:
    """Expected items with the answers that the metrics match to them, then the answers that match none."""
    floats, quantized = match(sample.float_items, sample.expected), match(sample.quantized_items, sample.expected)
    by_answer = [{id(answer): result for result, answer in found.pairs} for found in (floats, quantized)]
    asked = [item for item in sample.expected if not item.get("ignore")]
    found = [_Place(item, *(answers.get(id(item)) for answers in by_answer)) for item in asked]
    # What both found and nobody expected is one place, not two.
    rest = match(quantized.extra, floats.extra)
    found += [_Place(None, b, a) for a, b in rest.pairs]
    found += [_Place(None, item, None) for item in rest.missed]
    found += [_Place(None, None, item) for item in rest.extra]
    return found


def _fields(item: Item | None, expected: Item | None) -> tuple[Field, ...] | None:
    if item is None:
        return None
    names = sorted((name for name in item if name not in _SHOWN_IN_PICTURE), key=lambda name: name != "text")
    return tuple(_field(name, item[name], expected) for name in names)


def _field(name: str, value: Any, expected: Item | None) -> Field:
    shown = _shown(value)
    if not expected or name not in expected:
        return Field(name, (Part(shown, "same"),) if shown else (), True)
    if name == "text":
        parts = diff(str(expected[name]), shown)
        return Field(name, parts, all(part.kind == "same" for part in parts))
    right = value == expected[name]
    return Field(name, (Part(shown, "same" if right else "extra"),), right)


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _box(role: Role, item: Item, number: int) -> DrawnBox | None:
    if "box" not in item:
        return None
    x0, y0, x1, y1 = (round(float(edge), 1) for edge in item["box"][:4])
    return DrawnBox(role, x0, y0, max(0.0, round(x1 - x0, 1)), max(0.0, round(y1 - y0, 1)), number)
