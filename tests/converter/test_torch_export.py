"""The export worker: faithful and repeatable exports, and every way it can fail turned into an error."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import onnx
import pytest
from safetensors.numpy import save_file

from converter.api import convert_onnx
from converter.errors import ConversionError
from converter.torch_export import (
    InputSpec,
    TorchExport,
    TorchModel,
    export_many,
    export_torch,
)

REPOSITORY = Path(__file__).parents[2]
MODELS = """
import os
from pathlib import Path
import torch
from torch import nn

class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(self.norm(self.conv(x)))

class Heat(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(Block(3, 8), Block(8, 8))
        self.heat, self.box = nn.Conv2d(8, 1, 1), nn.Conv2d(8, 4, 1)

    def forward(self, image):
        x = self.stem(image)
        return torch.sigmoid(self.heat(x)), self.box(x)

class Step(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.cell, self.out = nn.Embedding(11, 8), nn.GRUCell(8, 16), nn.Linear(16, 11)

    def forward(self, token, state):
        state = self.cell(self.embed(token), state)
        return self.out(state), state

class Affine(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.ones(4)), nn.Parameter(torch.zeros(4))

    def forward(self, x):
        return x * self.scale + self.shift

class Hungry(nn.Module):
    def forward(self, x):
        return x + torch.zeros(3_000_000_000).sum()

class Branch(nn.Module):
    def forward(self, x):
        if x.sum() > 0:
            return x
        return -x

class Noisy(nn.Module):
    def forward(self, x):
        return x + torch.rand(4)

def block():
    return Block(1, 2)

def number():
    return 3

def width():
    raise LookupError("no such width")

def saving():
    affine = Affine()
    with torch.no_grad():
        affine.scale.fill_(5)
    torch.save({"state_dict": affine.state_dict()}, Path(__file__).with_name("saved.pth"))
    return affine

def crash():
    os.kill(os.getpid(), 11)

"""

IMAGE = (InputSpec("image", (1, 3, 32, 48)),)
X = (InputSpec("x", (1, 4)),)
HEAT = TorchModel("tiny:Heat", None, IMAGE, ("heatmap", "box"))
STEP = TorchModel(
    "tiny:Step",
    None,
    (InputSpec("token", (1,), "int64"), InputSpec("state", (1, 16))),
    ("logits", "state_out"),
)
SAMPLE = {"x": np.array([[1, -2, 3, 0.5]], np.float32)}


def affine(factory: str = "tiny:Affine", weights: Path | None = None) -> TorchModel:
    return TorchModel(factory, weights, X, ("y",), (SAMPLE,))


def write_models(folder: Path) -> Path:
    folder.mkdir()
    (folder / "tiny.py").write_text(MODELS, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_models(tmp_path_factory.mktemp("export") / "첫째 폴더")
    scale, shift = np.array([2, 3, 4, 5], np.float32), np.array([0, 0, 1, 1], np.float32)
    save_file({"scale": scale, "shift": shift}, root / "fit.safetensors")
    save_file({"module.scale": scale, "module.shift": shift}, root / "prefixed.safetensors")
    save_file({"scale": scale[:2], "shfit": shift}, root / "other.safetensors")
    save_file({"scale": scale * np.nan, "shift": shift}, root / "nan.safetensors")
    vectors = {f"norm.{name}": np.ones(2, np.float32) for name in ("weight", "bias", "running_mean", "running_var")}
    save_file({"conv.weight": np.ones((2, 1, 3, 3), np.float32)} | vectors, root / "old.safetensors")
    (root / "code.pth").write_bytes(b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00trueR.")
    return root


@pytest.fixture(scope="module")
def exports(root: Path) -> dict[str, TorchExport | ConversionError]:
    """One worker for everything that does not kill it."""
    models = {
        "heat": HEAT,
        "number": affine("tiny:number"),
        "width": affine("tiny:width"),
        "nothing": affine("tiny:nothing"),
        "absent": affine("absent:Model"),
        "hungry": affine("tiny:Hungry"),
        "branch": affine("tiny:Branch"),
        "noisy": affine("tiny:Noisy"),
        "outputs": TorchModel("tiny:Heat", None, IMAGE, ("heatmap",)),
        "fit": affine(weights=root / "fit.safetensors"),
        "prefixed": affine(weights=root / "prefixed.safetensors"),
        "other": affine(weights=root / "other.safetensors"),
        "nan": affine(weights=root / "nan.safetensors"),
        "code": affine(weights=root / "code.pth"),
        "saving": affine("tiny:saving"),
        "step": STEP,
        "old": TorchModel("tiny:block", root / "old.safetensors", (InputSpec("image", (1, 1, 8, 8)),), ("y",)),
    }
    return dict(zip(models, export_many(list(models.values()), root=root, memory_mb=6000), strict=True))


def test_names_are_those_asked_for_and_those_of_the_modules(exports: dict[str, TorchExport]) -> None:
    graph = onnx.load_from_string(exports["heat"].onnx).graph
    assert [value.name for value in graph.input] == ["image"]
    assert [value.name for value in graph.output] == ["heatmap", "box"]
    values = [name for node in graph.node for name in node.output]
    assert len(set(values)) == len(values)
    assert {"stem.0.act/relu", "stem.1.act/relu"} < set(values)
    assert "stem.0.conv.weight" in {tensor.name for tensor in graph.initializer}


def test_batch_norm_is_folded_in_evaluation_mode(exports: dict[str, TorchExport]) -> None:
    graph = onnx.load_from_string(exports["heat"].onnx).graph
    assert [node.op_type for node in graph.node].count("Conv") == 4
    assert "BatchNormalization" not in {node.op_type for node in graph.node}


def test_nothing_of_the_machine_is_in_the_bytes(exports: dict[str, TorchExport], root: Path) -> None:
    for word in (b"tiny.py", b"site-packages", b"torch.nn", str(root).encode(), b"pkg."):
        assert word not in exports["heat"].onnx + exports["step"].onnx


def test_weights_without_the_batch_counts_of_newer_torch_are_complete(exports: dict[str, TorchExport]) -> None:
    assert isinstance(exports["old"], TorchExport)


@pytest.mark.parametrize("name", ["heat", "step", "fit", "old"])
def test_a_conversion_of_the_export_agrees_with_torch(exports: dict[str, TorchExport], name: str) -> None:
    samples = (SAMPLE,) if name == "fit" else ()
    torch_outputs = exports[name].torch_outputs
    conversion = convert_onnx(exports[name].onnx, samples=samples, torch_outputs=torch_outputs)
    assert conversion.parity is not None
    assert conversion.parity.samples == len(torch_outputs)


@pytest.mark.parametrize("name", ["fit", "prefixed"])
def test_weights_are_loaded_and_torch_runs_the_samples(exports: dict[str, TorchExport], name: str) -> None:
    expected = SAMPLE["x"] * np.float32([2, 3, 4, 5]) + np.float32([0, 0, 1, 1])
    np.testing.assert_array_equal(exports[name].torch_outputs[0]["y"], expected)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("number", r"'tiny:number': the factory returns a int; it must return a torch\.nn\.Module"),
        ("width", r"LookupError: no such width \(tiny\.py, line \d+: raise LookupError"),
        ("nothing", "has no callable 'nothing'"),
        ("absent", "No module named 'absent'"),
        ("hungry", "needs more than 6000 MB"),
        ("branch", r"data-dependent.*\(tiny\.py, line \d+: if x\.sum\(\) > 0:"),
        ("noisy", "random"),
        ("outputs", "returns 2 tensors where outputs names heatmap"),
        ("other", r"'shift' is missing; 'shfit' is not in the module; 'scale' has shape \[2\]"),
        ("nan", "'scale' holds 4 NaN"),
        ("code", r"would run code: it refers to os\.system"),
    ],
)
def test_failures_are_named(exports: dict[str, ConversionError], name: str, message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        raise exports[name]


def test_bytes_depend_on_neither_folder_nor_batch_and_survive_a_crash(
    exports: dict[str, TorchExport], root: Path, tmp_path: Path
) -> None:
    models = [
        affine("tiny:crash"),
        HEAT,
        affine(weights=root / "prefixed.safetensors"),
        affine(weights=root / "saved.pth"),
    ]
    crash, heat, prefixed, saved = export_many(models, root=write_models(tmp_path / "second"))
    with pytest.raises(ConversionError, match=r"SIGSEGV(.|\n)*Segmentation fault(.|\n)*tiny\.py.* in crash"):
        raise crash
    assert heat.onnx == exports["heat"].onnx
    assert prefixed.onnx == exports["fit"].onnx
    assert saved.onnx == exports["saving"].onnx


def test_without_torch_the_error_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('absent')")
    with pytest.raises(ConversionError, match=r"pip install litebundle\[torch\]"):
        export_torch("tiny:Heat", root=tmp_path, weights=None, inputs=IMAGE, outputs=["y"])


@pytest.fixture
def hanging(tmp_path: Path) -> Path:
    """A folder from which the worker imports a torch that never comes back."""
    root = tmp_path / "hanging"
    root.mkdir()
    wait = (
        "import os, pathlib, time\npathlib.Path(os.environ['PID_FILE']).write_text(str(os.getpid()))\ntime.sleep(999)"
    )
    (root / "torch.py").write_text(wait)
    return root


def test_a_model_that_never_ends_is_ended(hanging: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PID_FILE", str(tmp_path / "pid"))
    with pytest.raises(ConversionError, match="took longer than 2 s"):
        export_torch("tiny:Heat", root=hanging, weights=None, inputs=X, outputs=["y"], timeout_s=2)


def test_a_stopped_parent_leaves_neither_process_nor_files(hanging: Path, tmp_path: Path) -> None:
    call = (
        "from converter.torch_export import *\n"
        f"export_torch('tiny:Heat', root=Path({str(hanging)!r}), weights=None,"
        " inputs=[InputSpec('x', (1, 4))], outputs=['y'])"
    )
    with ExitStack() as parents:
        for kind in (signal.SIGKILL, signal.SIGINT):
            folder = tmp_path / kind.name
            folder.mkdir()
            environment = os.environ | {"TMPDIR": str(folder), "PID_FILE": str(folder / "pid")}
            parent = subprocess.Popen(
                [sys.executable, "-c", call], env=environment, cwd=REPOSITORY, stderr=subprocess.DEVNULL
            )
            parents.callback(stop, parent, kind, folder)


def stop(parent: subprocess.Popen[bytes], kind: signal.Signals, folder: Path) -> None:
    pid_file = folder / "pid"
    wait_until(lambda: pid_file.exists() and pid_file.read_text() != "")
    worker = int(pid_file.read_text())
    parent.send_signal(kind)
    parent.wait(30)
    wait_until(lambda: not Path(f"/proc/{worker}/cmdline").exists())
    wait_until(lambda: list(folder.iterdir()) == [pid_file])


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
