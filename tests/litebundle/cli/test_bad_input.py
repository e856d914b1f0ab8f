"""Bad input through the command line: exit 2, one clear error, nothing lost, nothing half-written."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest

MODEL = "models/brightness.onnx"


class Code:
    """What a hostile checkpoint holds: it leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def refuse(litebundle, built, app, tmp_path):
    """Build the broken project over an earlier result: refused with these words, and the result stays whole."""
    dist = shutil.copytree(built / "dist", tmp_path / "dist")
    before = contents(dist)

    def check(*words: str, output: Path = dist) -> None:
        answer = litebundle("build", app, "-o", output)
        assert answer.code == 2, answer.err
        assert "Traceback" not in answer.err
        error = answer.err[answer.err.index("error: ") :]
        assert all(word in error for word in words), error
        assert contents(dist) == before
        assert not list(tmp_path.rglob("*.part"))

    return check


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def change_picture(app: Path, name: str, data: bytes) -> None:
    """Write other bytes into a picture's file and make its digest right again."""
    picture = app / "data" / name
    replace(
        app / "data/manifest.toml",
        hashlib.sha256(picture.read_bytes()).hexdigest(),
        hashlib.sha256(data).hexdigest(),
    )
    picture.write_bytes(data)


def test_no_such_file(litebundle, refuse, app, tmp_path) -> None:
    for arguments in (
        ("convert", tmp_path / "none.onnx", "-o", tmp_path / "m.tflite"),
        ("quantize", tmp_path / "none.tflite", "--calibrate", tmp_path / "none.npz", "-o", tmp_path / "q.tflite"),
        ("validate", tmp_path / "none.tflite", tmp_path / "none.tflite", "--samples", tmp_path / "none.npz"),
        ("build", tmp_path / "none"),
        ("inspect", tmp_path / "none"),
        ("run", tmp_path / "none", tmp_path / "none.png"),
        ("verify", tmp_path / "none"),
        ("report", tmp_path / "none"),
        ("data", "check", tmp_path / "none"),
        ("init", tmp_path / "none" / "app"),
    ):
        answer = litebundle(*arguments)
        assert answer.code == 2
        assert str(tmp_path / "none") in answer.err
        assert answer.err.lower().count("no such") == 1
        assert "Traceback" not in answer.err
    (app / MODEL).unlink()
    refuse("pipeline.toml:", "stage 'brightness'", "brightness.onnx': no such file", "relative to the folder")


@pytest.mark.parametrize("kept_bytes", [0, 1, 20, 400, -3])
def test_a_truncated_onnx_file(litebundle, refuse, app, tmp_path, kept_bytes) -> None:
    whole = (app / MODEL).read_bytes()
    (app / MODEL).write_bytes(whole[:kept_bytes])
    refuse("stage 'brightness'", "brightness.onnx", "not an ONNX model", "export it again")
    answer = litebundle("convert", app / MODEL, "-o", tmp_path / "m.tflite")
    assert (answer.code, (tmp_path / "m.tflite").exists()) == (2, False)
    assert "brightness.onnx: not an ONNX model" in answer.err


def test_not_an_onnx_file(litebundle, refuse, app, tmp_path) -> None:
    (app / MODEL).write_text("This is a text.")
    refuse("stage 'brightness'", "brightness.onnx", "not an ONNX model", "export it again")
    answer = litebundle("convert", app / MODEL, "-o", tmp_path / "m.tflite")
    assert (answer.code, (tmp_path / "m.tflite").exists()) == (2, False)


def test_an_unsupported_operator(litebundle, refuse, app, tmp_path) -> None:
    """Det is in the standard, and in no TFLite kernel."""
    nodes = [
        onnx.helper.make_node("Det", ["image"], ["volume"], name="warp/det"),
        onnx.helper.make_node("Slice", ["volume", "zero", "two", "one"], ["scores"], name="first"),
    ]
    graph = onnx.helper.make_graph(
        nodes,
        "unsupported",
        [onnx.helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, [1, 3, 32, 32])],
        [onnx.helper.make_tensor_value_info("scores", onnx.TensorProto.FLOAT, [1, 2])],
        [onnx.numpy_helper.from_array(np.array([i]), name) for i, name in enumerate(("zero", "one", "two"))],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, app / MODEL)
    refuse("stage 'brightness': op Det (node 'warp/det')", "in the source model")
    answer = litebundle("convert", app / MODEL, "-o", tmp_path / "m.tflite")
    assert (answer.code, (tmp_path / "m.tflite").exists()) == (2, False)


@pytest.mark.parametrize("name", ["w.pt", "w.safetensors"])
def test_a_checkpoint_of_code_is_refused_unread(refuse, app, tmp_path, name) -> None:
    mark = tmp_path / "ran"
    (app / name).write_bytes(pickle.dumps({"weight": Code(mark)}))
    (app / "net.py").write_text("raise AssertionError('imported')\n")
    replace(
        app / "pipeline.toml",
        'source = "onnx:models/brightness.onnx"',
        f'source = "torch:net:Net"\nweights = "{name}"\noutputs = ["scores"]\n'
        'input = { name = "image", shape = [1, 3, 32, 32], layout = "NCHW" }',
    )
    refuse("stage 'brightness'", name, "a pickle that would run code", "safetensors.torch.save_file")
    assert not mark.exists()


def test_a_shape_that_does_not_fit_the_glue(refuse, app) -> None:
    replace(app / "pipeline.toml", "size = [32, 32]", "size = [32, 48]")
    refuse("pipeline.toml:", "stage 'brightness'", "[1, 32, 32, 3]", "[1, 32, 48, 3]", "change one of them")


def test_a_shape_that_does_not_fit_the_next_stage(refuse, app) -> None:
    with (app / "pipeline.toml").open("a") as toml:
        toml.write(
            f'\n[[stage]]\nname = "second"\nsource = "onnx:{MODEL}"\n'
            'input = { name = "image", shape = [1, 3, 32, 32], layout = "NCHW", from = "brightness.scores" }\n'
            'after = [{ op = "softmax_top_k", labels = "labels.json" }]\n'
        )
    refuse("stage 'second'", "'image' is [1, 32, 32, 3]", "'brightness/scores'", "[1, 2]", "change one of them")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_weight_that_is_no_number(litebundle, refuse, app, tmp_path, value) -> None:
    model = onnx.load(app / MODEL)
    (kernel,) = (weights for weights in model.graph.initializer if weights.name == "kernel")
    values = onnx.numpy_helper.to_array(kernel).copy()
    values[1, 2, 0, 0] = value
    kernel.CopyFrom(onnx.numpy_helper.from_array(values, "kernel"))
    onnx.save(model, app / MODEL)
    refuse("stage 'brightness': initializer 'kernel' holds NaN or infinite values", "train or export")
    answer = litebundle("convert", app / MODEL, "-o", tmp_path / "m.tflite")
    assert (answer.code, (tmp_path / "m.tflite").exists()) == (2, False)


def test_an_empty_calibration_set(litebundle, refuse, app, tflite, tmp_path) -> None:
    manifest = app / "data/manifest.toml"
    head, *entries = manifest.read_text(encoding="utf-8").split("[[sample]]\nfile")
    kept = [entry for entry in entries if 'part = "calibrate"' not in entry]
    manifest.write_text("[[sample]]\nfile".join([head, *kept]), encoding="utf-8")
    refuse("no samples of part 'calibrate'", "wanted are 10 plain, 10 shadow", "litebundle data check")
    np.savez(tmp_path / "none.npz", image=np.zeros((0, 3, 32, 32), np.float32))
    answer = litebundle("quantize", tflite, "--calibrate", tmp_path / "none.npz", "-o", tmp_path / "q.tflite")
    assert (answer.code, (tmp_path / "q.tflite").exists()) == (2, False)
    assert "none.npz' holds no samples" in answer.err


@pytest.mark.parametrize("name", ["calibrate/plain/03_light.png", "validate/shadow/04_dark.png"])
def test_an_image_that_is_none(litebundle, refuse, app, name) -> None:
    change_picture(app, name, b"not a picture")
    refuse(name, "not a readable picture", "give a PNG or JPEG file")
    answer = litebundle("data", "check", app / "data")
    assert answer.code == 2
    assert name in answer.out


def test_an_image_cut_short(refuse, app) -> None:
    name = "calibrate/plain/03_light.png"
    change_picture(app, name, (app / "data" / name).read_bytes()[:-100])
    refuse(name, "not a readable picture", "give a PNG or JPEG file")


def test_parts_that_share_a_file(litebundle, refuse, app) -> None:
    shared = (app / "data/calibrate/plain/03_light.png").read_bytes()
    change_picture(app, "validate/plain/05_light.png", shared)
    refuse("validate/plain/05_light.png is the same file as", "calibrate/plain/03_light.png", "remove one")
    answer = litebundle("data", "check", app / "data", "--json")
    assert answer.code == 2
    assert "leak" in {finding["rule"] for finding in answer.json["findings"]}


def test_one_folder_for_both_parts(refuse, app) -> None:
    replace(app / "pipeline.toml", 'validate = "data/validate"', 'validate = "data/calibrate"')
    refuse("pipeline.toml:", "[data] validate", "the same folder")


def test_a_korean_path_with_spaces(litebundle, app, tmp_path) -> None:
    korean = tmp_path / "수식 판독" / "내 앱"
    korean.parent.mkdir()
    app.rename(korean)
    picture = korean / "data/validate/plain/00_dark.png"
    picture.rename(picture.with_name("사진 0.png"))
    replace(korean / "data/manifest.toml", "validate/plain/00_dark.png", "validate/plain/사진 0.png")
    replace(korean / "labels.json", '"dark"', '"어둠"')
    replace(korean / "data/manifest.toml", '"dark"', '"어둠"')
    answer = litebundle("build", korean, "-o", korean / "결과 물")
    assert answer.code == 0, answer.err
    bundle = korean / "결과 물/app-0.1.0.litebundle"
    assert litebundle("verify", bundle).code == 0
    assert litebundle("inspect", bundle).code == 0
    assert litebundle("report", bundle, "-o", korean / "보고서.html").code == 0
    picture = picture.with_name("사진 0.png")
    assert litebundle("run", bundle, picture).out == "어둠\n"
    document = litebundle("run", bundle, picture, "--json").json
    assert (document["image"], document["items"][0]["label"]) == (str(picture), "어둠")
    target = korean / "모델 하나.tflite"
    assert litebundle("convert", korean / MODEL, "-o", target).code == 0
    np.savez(korean / "표본.npz", image=np.random.default_rng(0).random((2, 3, 32, 32), np.float32))
    answer = litebundle("quantize", target, "--calibrate", korean / "표본.npz", "-o", korean / "정수.tflite")
    assert answer.code == 0, answer.err


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of 20 KiB."""
    folder = tmp_path / "small disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small tmpfs needs the right to mount")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_for_the_result(litebundle, refuse, small_disk, app) -> None:
    refuse("app-0.1.0.litebundle: No space left on device; make room", output=small_disk / "dist")
    assert list((small_disk / "dist").iterdir()) == []
    (small_disk / "filler").write_bytes(bytes(20 * 1024))
    answer = litebundle("convert", app / MODEL, "-o", small_disk / "m.tflite")
    assert answer.code == 2
    assert f"{small_disk / 'm.tflite'}: No space left on device; make room" in answer.err
    assert not (small_disk / "m.tflite").exists()


def test_a_full_disk_for_the_cache(litebundle, small_disk, app, tmp_path) -> None:
    """What was finished before is kept: after making room the build goes on and gives the same bundle."""
    shutil.rmtree(app / ".litebundle")
    (app / ".litebundle").symlink_to(small_disk)
    answer = litebundle("build", app, "-o", tmp_path / "dist")
    assert answer.code == 2
    assert "No space left on device; make room" in answer.err
    assert not (tmp_path / "dist/app-0.1.0.litebundle").exists()
    assert not list(small_disk.rglob("*.part"))
    assert list(small_disk.glob("cache/convert-*"))
    subprocess.run(["mount", "-o", "remount,size=1m", small_disk], check=True)
    answer = litebundle("build", app, "-o", tmp_path / "dist")
    assert answer.code == 0, answer.err
    assert "convert" not in answer.err


def test_a_limit_on_file_sizes(litebundle, refuse, app, tmp_path) -> None:
    """As a full disk, for those who may not mount one; ignoring the signal makes it an error of the write."""
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        refuse("app-0.1.0.litebundle: File too large", output=tmp_path / "other")
        answer = litebundle("convert", app / MODEL, "-o", tmp_path / "m.tflite")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert answer.code == 2
    assert "m.tflite: File too large" in answer.err
    assert not (tmp_path / "m.tflite").exists()
    assert list((tmp_path / "other").iterdir()) == []


def test_an_output_below_a_file(litebundle, refuse, app, bundle, tmp_path) -> None:
    (tmp_path / "file").write_text("mine")
    refuse("file/dist: Not a directory; a part of the path is a file", output=tmp_path / "file" / "dist")
    for arguments in (
        ("convert", app / MODEL, "-o", tmp_path / "file/m.tflite"),
        ("report", bundle, "-o", tmp_path / "file/m.html"),
        ("init", tmp_path / "file/app"),
    ):
        answer = litebundle(*arguments)
        assert answer.code == 2
        assert "Traceback" not in answer.err
        assert ".part" not in answer.err
        assert str(tmp_path / "file") in answer.err
    assert (tmp_path / "file").read_text() == "mine"


def test_nothing_replaces_what_it_is_made_from(litebundle, app, bundle, tflite, samples, tmp_path) -> None:
    model, own_bundle = shutil.copy(tflite, tmp_path / "m.tflite"), shutil.copy(bundle, tmp_path / "x.litebundle")
    for source, arguments in (
        (app / MODEL, ("convert", app / MODEL)),
        (model, ("quantize", model, "--calibrate", samples)),
        (own_bundle, ("report", own_bundle)),
    ):
        before = source.read_bytes()
        answer = litebundle(*arguments, "-o", source)
        assert (answer.code, source.read_bytes()) == (2, before)
        assert f"{source}: the result would replace what it is made from; give -o another name" in answer.err


@pytest.fixture
def read_only(tmp_path) -> Iterator[Path]:
    """A folder that not even root may write."""
    folder = tmp_path / "read only"
    folder.mkdir()
    commands = (["mount", "--bind", folder, folder], ["mount", "-o", "remount,ro,bind", folder])
    if any(subprocess.run(command, capture_output=True, check=False).returncode for command in commands):
        pytest.skip("a read-only mount needs the right to mount")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_read_only_output_folder(litebundle, refuse, read_only, app, bundle) -> None:
    refuse("read only: Permission denied", "give another place", output=read_only)
    refuse("read only", "Read-only file system; give a place that can be written", output=read_only / "dist")
    for arguments in (
        ("convert", app / MODEL, "-o", read_only / "m.tflite"),
        ("report", bundle, "-o", read_only / "m.html"),
        ("init", read_only / "app"),
    ):
        answer = litebundle(*arguments)
        assert answer.code == 2
        assert "Read-only file system" in answer.err


def test_files_that_are_no_models(litebundle, tflite, samples, tmp_path) -> None:
    whole = tflite.read_bytes()
    for data in (b"", b"no model", whole[:900], whole[:-1]):
        broken = tmp_path / "broken.tflite"
        broken.write_bytes(data)
        for arguments in (
            ("quantize", broken, "--calibrate", samples, "-o", tmp_path / "q.tflite"),
            ("validate", tflite, broken, "--samples", samples),
            ("validate", broken, tflite, "--samples", samples),
        ):
            answer = litebundle(*arguments)
            assert answer.code == 2
            assert "broken.tflite" in answer.err
            assert "Traceback" not in answer.err
    assert not (tmp_path / "q.tflite").exists()


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"photo": np.zeros((2, 3, 32, 32), np.float32)}, "holds 'photo'; the model's inputs are 'image'"),
        ({"image": np.zeros((2, 3, 9, 9), np.float32)}, "is [2, 3, 9, 9], the model takes"),
        ({"image": np.full((2, 3, 32, 32), np.nan, np.float32)}, "NaN"),
        ({"image": np.zeros((2, 3, 32, 32))}, "float64, the model takes float32"),
        ({"image": np.array([{}], object)}, "no whole .npz of plain numbers"),
    ],
)
def test_samples_that_do_not_fit(litebundle, tflite, tmp_path, arrays, words) -> None:
    np.savez(tmp_path / "s.npz", **arrays)
    for arguments in (
        ("quantize", tflite, "--calibrate", tmp_path / "s.npz", "-o", tmp_path / "q.tflite"),
        ("validate", tflite, tflite, "--samples", tmp_path / "s.npz"),
    ):
        answer = litebundle(*arguments, "--json")
        assert answer.code == 2
        assert words in json.loads(answer.out)["error"]["message"]
    assert not (tmp_path / "q.tflite").exists()
