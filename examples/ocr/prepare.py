"""Lay out a buildable OCR pipeline: `python examples/ocr/prepare.py CASES OUT`, then `litebundle build OUT`.

CASES holds `ocr/resources/models/*.onnx`, `labels/ppocr_en_number_classes.json` and the card strips of
`ocr/card_strips`: pictures of a 16-digit number, which is the file's name. They are split at random, but
always alike, into what calibrates and what validates.
"""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

SEED = 20260
CALIBRATE, VALIDATE = 64, 142
STRIPS = "ocr/card_strips/Datasets/train_synthesized/Credit/*.jpg"
MODELS = (
    "ch_ppocr_mobile_v2.0_det_infer.onnx",
    "ch_ppocr_mobile_v2.0_cls_infer.onnx",
    "en_number_mobile_v2.0_rec_infer.onnx",
)


def prepare(cases: Path, out: Path, calibrate: int = CALIBRATE, validate: int = VALIDATE) -> Path:
    """Fill the folder `out` with the pipeline, its models, labels and data; return its pipeline.toml."""
    for folder in ("models", "labels", "data/calibrate", "data/validate"):
        (out / folder).mkdir(parents=True)
    for model in MODELS:
        shutil.copyfile(cases / "ocr/resources/models" / model, out / "models" / model)
    shutil.copyfile(cases / "labels/ppocr_en_number_classes.json", out / "labels/classes.json")
    strips = sorted(cases.glob(STRIPS))
    random.Random(SEED).shuffle(strips)
    parts = {"calibrate": strips[:calibrate], "validate": strips[calibrate : calibrate + validate]}
    samples = [_place(strip, out / "data", part) for part, chosen in parts.items() for strip in chosen]
    (out / "data/manifest.toml").write_text(_head(calibrate, validate) + "".join(samples), encoding="utf-8")
    return shutil.copyfile(Path(__file__).with_name("pipeline.toml"), out / "pipeline.toml")


def _place(strip: Path, data: Path, part: str) -> str:
    file = f"{part}/{strip.name}"
    shutil.copyfile(strip, data / file)
    digest = sha256(strip.read_bytes()).hexdigest()
    return f"""
[[sample]]
file = "{file}"
part = "{part}"
kind = "card"
sha256 = "{digest}"
answer = {{ items = [{{ text = "{strip.stem}" }}] }}
"""


def _head(calibrate: int, validate: int) -> str:
    return f"""format_version = 1
name = "card_strips"
licence = "MIT"
generator = "examples/ocr/prepare.py"
seed = {SEED}

[kinds.card]
summary = "16 digits printed in four groups on a card"
wanted = {{ calibrate = {calibrate}, validate = {validate} }}
present = {{ calibrate = {calibrate}, validate = {validate} }}
"""


def main(arguments: Sequence[str]) -> None:
    cases, out = map(Path, arguments)
    print(prepare(cases, out))


if __name__ == "__main__":
    main(sys.argv[1:])
