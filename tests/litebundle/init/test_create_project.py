from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from litebundle.data import check_dataset, load_dataset
from litebundle.errors import LitebundleError
from litebundle.init import TEMPLATE, create
from litebundle.pipeline import load_pipeline

FILES = {
    ".gitignore",
    "data/calibrate/.gitkeep",
    "data/manifest.toml",
    "data/validate/.gitkeep",
    "labels.json",
    "models/brightness.onnx",
    "models/make_brightness.py",
    "pipeline.toml",
}


def test_a_new_project_has_a_pipeline_that_loads(tmp_path: Path) -> None:
    files = create(tmp_path / "card_reader")
    assert {file.relative_to(tmp_path / "card_reader").as_posix() for file in files} == FILES
    assert all(file.is_file() for file in files)
    pipeline = load_pipeline(tmp_path / "card_reader")
    assert pipeline.name == "card_reader"
    assert [stage.name for stage in pipeline.stages] == ["brightness"]


def test_its_data_set_is_empty_and_says_what_is_missing(tmp_path: Path) -> None:
    create(tmp_path / "app")
    report = check_dataset(tmp_path / "app/data")
    assert report.missing == sum(count.wanted for count in report.kinds) > 0
    assert {finding.rule for finding in report.findings} == {"empty"}
    with pytest.raises(LitebundleError, match=r"no samples of part 'calibrate'.*wanted are 10 plain, 10 shadow"):
        load_dataset(load_pipeline(tmp_path / "app").data.calibrate)


@pytest.mark.parametrize(
    ("folder", "name"),
    [("My App 2", "my_app_2"), ("수식 판독기", "my_app"), ("7-up", "my_app"), ("scan 스캔", "scan"), ("a", "a")],
)
def test_the_pipeline_is_named_after_its_folder(tmp_path: Path, folder: str, name: str) -> None:
    create(tmp_path / folder)
    assert load_pipeline(tmp_path / folder).name == name
    assert check_dataset(tmp_path / folder / "data").name == name


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/mine.txt").write_text("mine")
    with pytest.raises(LitebundleError, match="nothing is overwritten"):
        create(tmp_path / "app")
    assert [file.name for file in (tmp_path / "app").iterdir()] == ["mine.txt"]
    with pytest.raises(LitebundleError, match="nothing is overwritten"):
        create(tmp_path / "app/mine.txt")


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    assert len(create(tmp_path / "app")) == len(FILES)


def test_no_parent_folder(tmp_path: Path) -> None:
    with pytest.raises(LitebundleError, match=r"none: no such folder; make it first"):
        create(tmp_path / "none/app")
    assert list(tmp_path.iterdir()) == []


def test_nothing_else_is_left_behind(tmp_path: Path) -> None:
    create(tmp_path / "app")
    assert [path.name for path in tmp_path.iterdir()] == ["app"]


def test_the_stub_model_is_what_its_script_makes(tmp_path: Path) -> None:
    create(tmp_path / "app")
    model = tmp_path / "app/models/brightness.onnx"
    shipped = model.read_bytes()
    model.unlink()
    subprocess.run([sys.executable, str(model.with_name("make_brightness.py"))], check=True)
    assert onnx.load(model).graph == onnx.load_from_string(shipped).graph
    onnx.checker.check_model(onnx.load(model), full_check=True)


@pytest.mark.parametrize("level", [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
def test_the_stub_model_tells_dark_from_light(level: float) -> None:
    session = onnxruntime.InferenceSession(TEMPLATE / "models/brightness.onnx")
    noise = np.random.default_rng(0).uniform(-0.05, 0.05, (1, 3, 32, 32))
    image = np.clip(level + noise, 0, 1).astype(np.float32)
    scores = session.run(["scores"], {"image": image})[0]
    assert int(scores.argmax()) == (level > 0.5)
