"""The project of `litebundle init` with pictures, built once."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def built(litebundle, tmp_path_factory) -> Path:
    """A folder with the project `app` and the `dist` of its build; not to be changed."""
    folder = tmp_path_factory.mktemp("built")
    app = folder / "app"
    assert litebundle("init", app).code == 0
    _take_pictures(app / "data")
    found = litebundle("data", "check", app / "data", "--json")
    assert found.code == 2, "pictures without an entry"
    _write_entries(app / "data", found.json["entries_to_add"])
    answer = litebundle("build", app, "-o", folder / "dist")
    assert answer.code == 0, answer.err
    return folder


@pytest.fixture
def app(built, tmp_path) -> Path:
    """A copy of the project, its cache included."""
    return shutil.copytree(built / "app", tmp_path / "app")


@pytest.fixture(scope="session")
def bundle(built) -> Path:
    return built / "dist" / "app-0.1.0.litebundle"


@pytest.fixture(scope="session")
def photo(built) -> Path:
    return built / "app/data/validate/plain/00_dark.png"


@pytest.fixture(scope="session")
def tflite(litebundle, built, tmp_path_factory) -> Path:
    """The project's model, converted by itself."""
    path = tmp_path_factory.mktemp("tflite") / "float.tflite"
    answer = litebundle("convert", built / "app/models/brightness.onnx", "-o", path)
    assert answer.code == 0, answer.err
    return path


@pytest.fixture(scope="session")
def samples(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("samples") / "samples.npz"
    np.savez(path, image=np.random.default_rng(0).random((6, 3, 32, 32), np.float32))
    return path


def _take_pictures(data: Path) -> None:
    """Ten dark and ten light pictures of each kind to judge by, half as many for the ranges."""
    generator = np.random.default_rng(0)
    for part, count in (("calibrate", 10), ("validate", 20)):
        for kind in ("plain", "shadow"):
            (data / part / kind).mkdir(parents=True)
            for i in range(count):
                light = i % 2
                pixels = generator.integers(150 * light, 150 * light + 100, (6, 8, 3)).astype(np.uint8)
                picture = Image.fromarray(pixels).resize((64, 48), Image.Resampling.BICUBIC)
                picture.save(data / part / kind / f"{i:02d}_{('dark', 'light')[light]}.png")


def _write_entries(data: Path, entries: str) -> None:
    answered = "\n\n".join(
        entry.replace("items = []", f'items = [{{ label = "{"dark" if "_dark" in entry else "light"}" }}]')
        for entry in entries.split("\n\n")
    )
    manifest = data / "manifest.toml"
    text = manifest.read_text(encoding="utf-8")
    text = text.replace("present = { calibrate = 0, validate = 0 }", "present = { calibrate = 10, validate = 20 }")
    manifest.write_text(text + answered, encoding="utf-8")
