"""What the Python runner makes of fifty photos: the measure for every other runner.

    python android_harness/parity/expect.py dist/formula_scan-0.1.0.litebundle -o dist/parity

Writes into the folder, which holds nothing else:

- `photos/<nn>.png`: pictures of the validation set, spread over its kinds, some turned, cut or scaled; a bare one;
  and those of the golden vectors.
- `photos/<nn>.bin`: the outputs of every run of a model, in order, without gaps: real values (dequantized where the
  tensor is quantized), C order, little-endian.
- `expected.json`, written last: the bundle's digest; per photo its `items` and `runs`, the stages in the order in
  which they ran.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from litebundle.bundle import Bundle
from litebundle.run import read_image

ROOT = Path(__file__).parents[2]
PHOTOS = ROOT / "calibration_data" / "formula_scan" / "validate"
COUNT = 50

Photo = NDArray[np.uint8]


@dataclass(frozen=True)
class Expected:
    """A photo's result items, and the stages whose models ran, in order."""

    photo: str
    items: list[dict[str, Any]]
    runs: list[str]


def _scaled(photo: Photo, factor: float) -> Photo:
    height, width = photo.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BICUBIC))


CHANGES: tuple[Callable[[Photo], Photo], ...] = (
    lambda photo: photo,
    lambda photo: np.rot90(photo),
    lambda photo: photo,
    lambda photo: np.rot90(photo, 2),
    lambda photo: photo[photo.shape[0] // 3 :, : photo.shape[1] * 2 // 3],
    lambda photo: _scaled(photo, 0.55),
    lambda photo: photo,
    lambda photo: _scaled(photo, 1.7),
    lambda photo: photo[: photo.shape[0] // 2 + 1, photo.shape[1] // 4 :],
)


def photos(bundle: Bundle) -> Iterator[Photo]:
    """`COUNT` photos, the last one bare paper, then those of the golden vectors."""
    files = sorted(PHOTOS.glob("*.webp"))
    for i, place in enumerate(np.linspace(0, len(files) - 1, COUNT - 1).astype(int)):
        yield CHANGES[i % len(CHANGES)](read_image(files[place]))
    yield np.full((97, 131, 3), 236, np.uint8)
    for vector in bundle.manifest.golden.pipeline.vectors:
        yield np.asarray(Image.open(io.BytesIO(bundle.read(vector.photo))).convert("RGB"))


def expect(bundle: Bundle, photo: Photo, name: str, folder: Path) -> Expected:
    """Run `photo`, and leave it and all outputs of models in `folder` under `name`."""
    runs: list[str] = []
    with (folder / f"{name}.bin").open("wb") as outputs_file:

        def tap(stage: str, inputs: dict[str, NDArray[Any]], outputs: dict[str, NDArray[Any]]) -> None:
            runs.append(stage)
            for output in outputs.values():
                outputs_file.write(output.astype(output.dtype.newbyteorder("<")).tobytes())

        items = bundle.run(np.ascontiguousarray(photo), tap=tap).to_json()["items"]
    Image.fromarray(photo).save(folder / f"{name}.png", compress_level=1)
    return Expected(f"photos/{name}.png", items, runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True, help="the folder; what lies there is replaced")
    arguments = parser.parse_args()
    shutil.rmtree(arguments.out, ignore_errors=True)
    folder = arguments.out / "photos"
    folder.mkdir(parents=True)
    with Bundle.open(arguments.bundle) as bundle:
        digest = hashlib.sha256(bundle.read("manifest.json")).hexdigest()
        expected = [expect(bundle, photo, f"{i:02}", folder) for i, photo in enumerate(photos(bundle))]
    document = {"bundle": digest, "photos": [asdict(one) for one in expected]}
    (arguments.out / "expected.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"{arguments.out}: {len(expected)} photos, {sum(len(one.items) for one in expected)} items")


if __name__ == "__main__":
    main()
