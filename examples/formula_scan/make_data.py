"""Make the committed calibration set, or the training shards.

python make_data.py committed          writes calibration_data/formula_scan (calibrate and validate parts)
python make_data.py shards N [FIRST]   writes training shards FIRST..N-1 into .cache/
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
from formula_scan.dataset import SEED, write_shard
from formula_scan.grammar import detokenize
from formula_scan.kinds import KINDS, take_photo
from formula_scan.page import Formula, Photo
from PIL import Image

HERE = Path(__file__).resolve().parent
CACHE = HERE / ".cache"
COMMITTED = HERE.parents[1] / "calibration_data" / "formula_scan"
WANTED = {"calibrate": 8, "validate": 24}
_WEBP_QUALITY = 78


def _write_shards(count: int, first: int) -> None:
    for number in range(first, count):
        write_shard(CACHE, number)
        print(f"shard {number + 1}/{count}", flush=True)


def committed_photo(part: str, kind: str, number: int) -> Photo:
    """Photo `number` of a part and kind of the committed set, with one to four formulas."""
    rng = np.random.default_rng([SEED, list(WANTED).index(part) + 1, KINDS.index(kind), number])
    return take_photo(rng, kind, part, int(rng.integers(1, 5)))


def _answer(formula: Formula) -> str:
    box = ", ".join(f"{side:.1f}" for side in formula.box)
    if formula.ignore:
        return f"{{ box = [{box}], ignore = true }}"
    return f"{{ box = [{box}], angle = {formula.angle}, text = {json.dumps(detokenize(formula.tokens))} }}"


def _write_committed(folder: Path) -> None:
    wanted = ", ".join(f"{part} = {count}" for part, count in WANTED.items())
    lines = [
        "format_version = 1",
        'name = "formula_scan"',
        'licence = "Apache-2.0"',
        'generator = "examples/formula_scan/make_data.py"',
        f"seed = {SEED}",
        "",
    ]
    for kind in KINDS:
        lines += [f"[kinds.{kind}]", f"wanted = {{ {wanted} }}", f"present = {{ {wanted} }}", ""]
    for part, count in WANTED.items():
        shutil.rmtree(folder / part, ignore_errors=True)
        (folder / part).mkdir(parents=True)
        for kind in KINDS:
            for number in range(count):
                photo = committed_photo(part, kind, number)
                file = f"{part}/{kind}-{number:03d}.webp"
                Image.fromarray(photo.image).save(folder / file, quality=_WEBP_QUALITY, method=6)
                digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
                items = ",\n  ".join(_answer(formula) for formula in photo.formulas)
                lines += ["[[sample]]", f'file = "{file}"', f'part = "{part}"', f'kind = "{kind}"']
                lines += [f'sha256 = "{digest}"', f"answer = {{ items = [\n  {items},\n] }}", ""]
            print(part, kind, count, flush=True)
    (folder / "manifest.toml").write_text("\n".join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("committed", "shards"))
    parser.add_argument("count", nargs="?", type=int, default=120)
    parser.add_argument("first", nargs="?", type=int, default=0)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    if arguments.what == "shards":
        _write_shards(arguments.count, arguments.first)
    else:
        _write_committed(COMMITTED)


if __name__ == "__main__":
    main()
