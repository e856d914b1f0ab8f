"""What the float models reach on the committed validate set, per kind, end to end from the page.

python evaluate.py            tables in Markdown
python evaluate.py --fresh N  the same on N new photos per kind, of formulas that training never saw either
python evaluate.py --held-out the same on clean pages in a font and a renderer that training never saw
python evaluate.py --pages    locate against the ink boxes of real pages (../shared/cases or LITEBUNDLE_CASES)
"""

from __future__ import annotations

import argparse
import json
import os
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from formula_scan.dataset import MARGIN, upright_crop
from formula_scan.flow import Found, Scanner, box_iou
from formula_scan.grammar import Tokens, detokenize, tokenize
from formula_scan.imaging import Pixels, to_gray
from formula_scan.kinds import KINDS, take_photo
from formula_scan.render import HELD_OUT_FONT, MATH_FONTS
from PIL import Image
from rapidfuzz.distance import Levenshtein

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATA = ROOT / "calibration_data" / "formula_scan"
SHORT = 8
_FRESH_SEED = 99


@dataclass(frozen=True)
class Reading:
    """One true formula and what became of it; `read` is None where no box was found for it."""

    truth: Tokens
    read: Tokens | None
    is_angle_right: bool
    read_from_true_box: Tokens

    @property
    def error(self) -> float:
        """Edit distance in tokens over the truth's length; 1 where nothing was found."""
        return 1.0 if self.read is None else Levenshtein.distance(self.truth, self.read) / len(self.truth)


@dataclass(frozen=True)
class Page:
    """All readings of one photo, and how many boxes were found beside its formulas."""

    readings: tuple[Reading, ...]
    surplus: int


def _judge(scanner: Scanner, photo: Pixels, items: Sequence[dict[str, Any]]) -> Page:
    unmatched: list[Found] = scanner.scan(photo)
    gray = to_gray(photo)
    readings = []
    for item in (item for item in items if not item.get("ignore")):
        box = np.array(item["box"], dtype=np.float64)
        best = max(unmatched, key=lambda found: box_iou(found.box, box), default=None)
        if best is not None and box_iou(best.box, box) < 0.5:
            best = None
        if best is not None:
            unmatched = [found for found in unmatched if found is not best]
        wide = box + MARGIN * (box[2:] - box[:2]).min() * np.array([-1, -1, 1, 1])
        readings.append(
            Reading(
                tokenize(item["text"]),
                best.tokens if best else None,
                best is not None and best.angle == item["angle"],
                scanner.read(upright_crop(gray, wide, item["angle"])),
            )
        )
    cut = [np.array(item["box"], dtype=np.float64) for item in items if item.get("ignore")]
    surplus = sum(all(box_iou(found.box, box) < 0.3 for box in cut) for found in unmatched)
    return Page(tuple(readings), surplus)


def _percent(hits: Iterable[bool]) -> str:
    values = list(hits)
    return f"{100 * np.mean(values):.1f}" if values else "–"


def _row(name: str, pages: Sequence[Page]) -> str:
    readings = [reading for page in pages for reading in page.readings]
    found = [reading for reading in readings if reading.read is not None]
    surplus = sum(page.surplus for page in pages)
    f1 = 2 * len(found) / (len(readings) + len(found) + surplus)
    cells = [
        name,
        str(len(readings)),
        _percent(r.read == r.truth for r in readings),
        _percent(r.read == r.truth for r in readings if len(r.truth) <= SHORT),
        f"{np.mean([r.error for r in readings]):.3f}",
        f"{f1:.3f}",
        _percent(r.is_angle_right for r in found),
        _percent(r.read_from_true_box == r.truth for r in readings),
    ]
    return "| " + " | ".join(cells) + " |"


def _validate(scanner: Scanner, show_wrong: bool) -> None:
    manifest = tomllib.loads((DATA / "manifest.toml").read_text())
    pages: dict[str, list[Page]] = defaultdict(list)
    for sample in manifest["sample"]:
        if sample["part"] == "validate":
            photo = np.asarray(Image.open(DATA / sample["file"]).convert("RGB"))
            page = _judge(scanner, photo, sample["answer"]["items"])
            pages[sample["kind"]].append(page)
            if show_wrong:
                for reading in (r for r in page.readings if r.read != r.truth):
                    print(sample["file"], "".join(reading.truth), "->", "".join(reading.read or ("nothing",)))
    _print_table(_with_total(pages))


def _print_table(rows: Mapping[str, Sequence[Page]]) -> None:
    columns = "kind", "formulas", "exact, %", "up to 8 tokens, %", "edit distance", "box F1", "angle, %", "true box, %"
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    for name, pages in rows.items():
        print(_row(name, pages))


def _fresh_pages(scanner: Scanner, kind: str, count: int, fonts: tuple[str, ...]) -> list[Page]:
    pages = []
    for number in range(count):
        rng = np.random.default_rng([_FRESH_SEED, KINDS.index(kind), number])
        photo = take_photo(rng, kind, "validate", int(rng.integers(1, 5)), fonts)
        items = [
            {"box": f.box, "angle": f.angle, "text": detokenize(f.tokens), "ignore": f.ignore} for f in photo.formulas
        ]
        pages.append(_judge(scanner, photo.image, items))
    return pages


def _with_total(pages: Mapping[str, Sequence[Page]]) -> dict[str, Sequence[Page]]:
    return {**pages, "all": [page for rows in pages.values() for page in rows]}


def _real_pages(scanner: Scanner) -> None:
    cases = Path(os.environ.get("LITEBUNDLE_CASES", ROOT.parent / "shared" / "cases"))
    overlaps = []
    for line in (cases / "labels" / "im2latex_pages.jsonl").read_text().splitlines():
        label = json.loads(line)
        photo = np.asarray(Image.open(cases / label["image"]).convert("RGB"))
        truth = np.array(label["ink_bbox_xyxy"], dtype=np.float64)
        overlaps.append(max((box_iou(box, truth) for box, _ in scanner.locate(photo)), default=0.0))
    values = np.array(overlaps)
    print(f"{len(values)} pages: best box's IoU mean {values.mean():.2f}, median {np.median(values):.2f}, ", end="")
    print(f"at least 0.5 on {100 * (values >= 0.5).mean():.0f} %, nothing near on {100 * (values == 0).mean():.0f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", action="store_true", help="judge locate on real pages instead")
    parser.add_argument("--wrong", action="store_true", help="also print every formula that was read wrongly")
    parser.add_argument("--fresh", type=int, metavar="N", help="judge on N new photos per kind instead")
    parser.add_argument("--held-out", action="store_true", help="judge on a held-out font instead")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    scanner = Scanner(HERE)
    if arguments.pages:
        _real_pages(scanner)
    elif arguments.held_out:
        _print_table({f"clean, {HELD_OUT_FONT}": _fresh_pages(scanner, "clean", 50, (HELD_OUT_FONT,))})
    elif arguments.fresh:
        _print_table(_with_total({kind: _fresh_pages(scanner, kind, arguments.fresh, MATH_FONTS) for kind in KINDS}))
    else:
        _validate(scanner, arguments.wrong)


if __name__ == "__main__":
    main()
