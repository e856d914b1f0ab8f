"""What a newcomer does: init, add pictures, add the entries that the check prints, build."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from litebundle import Bundle
from litebundle.build.builder import build
from litebundle.build.progress import LogProgress
from litebundle.data import check_dataset
from litebundle.errors import LitebundleError
from litebundle.init import create
from litebundle.run import read_image


def take_pictures(data: Path) -> None:
    """Smooth dark and light pictures, evenly lit or with a shadow on the left, and their entries."""
    generator = np.random.default_rng(0)
    for part, kind in ((part, kind) for part in ("calibrate", "validate") for kind in ("plain", "shadow")):
        (data / part / kind).mkdir(parents=True)
        for i in range(10 if part == "calibrate" else 20):
            label = ("dark", "light")[i % 2]
            coarse = generator.uniform(0, 0.4, (6, 8, 3)) + 0.6 * (label == "light")
            coarse[:, :3] *= 0.7 if kind == "shadow" else 1
            picture = Image.fromarray((coarse * 255).astype(np.uint8)).resize((64, 48), Image.Resampling.BICUBIC)
            picture.save(data / part / kind / f"{i:02d}_{label}.png")
    entries = check_dataset(data).entries_to_add().split("\n\n")
    answered = [
        entry.replace("items = []", f'items = [{{ label = "{"dark" if "_dark" in entry else "light"}" }}]')
        for entry in entries
    ]
    manifest = data / "manifest.toml"
    text = manifest.read_text(encoding="utf-8")
    text = text.replace("present = { calibrate = 0, validate = 0 }", "present = { calibrate = 10, validate = 20 }")
    manifest.write_text(text + "\n\n".join(answered), encoding="utf-8")


def test_init_pictures_build(tmp_path: Path) -> None:
    app = tmp_path / "밝기 앱"
    create(app)
    with pytest.raises(LitebundleError, match="no samples of part 'calibrate'"):
        build(app, app / "dist", LogProgress())
    assert not (app / "dist").exists()
    take_pictures(app / "data")
    assert check_dataset(app / "data").ok
    published = build(app, app / "dist", LogProgress())
    bundle = Bundle.open(published.bundle)
    for file in sorted((app / "data/validate").rglob("*.png"))[:6]:
        (item,) = bundle.run(read_image(file)).items
        assert item["label"] == file.stem.split("_")[1]
