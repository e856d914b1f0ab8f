"""PyTorch to ONNX, in a worker process whose time and memory are bounded and whose crash is an error here.

The caller never imports torch: `converter.torch_worker` does, once for all the models of a call.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from converter.checkpoint import check_weights
from converter.conversion import Conversion
from converter.errors import ConversionError
from converter.feeds_file import read_feeds, write_feeds
from converter.parity import check_export
from converter.parity_inputs import Feed

LOG_LINES = 8
SPARE_S = 30.0  # what the worker may take beyond its models' time: starting, importing torch, ending


@dataclass(frozen=True)
class InputSpec:
    """One input of a torch module, in the order of its `forward`; shape and dtype as in torch."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"


@dataclass(frozen=True)
class TorchModel:
    """A module to export: `factory` is "package.module:callable" and returns it; `outputs` names its results.

    `samples` are feeds (input name to array) on which the export is compared with torch, besides its own.
    """

    factory: str
    weights: Path | None
    inputs: tuple[InputSpec, ...]
    outputs: tuple[str, ...]
    samples: tuple[Feed, ...] = ()


@dataclass(frozen=True)
class TorchExport:
    """The ONNX bytes, which depend on the model alone, and torch's outputs for each parity input."""

    onnx: bytes
    torch_outputs: tuple[Feed, ...]


def convert_torch(
    factory: str,
    *,
    root: Path,
    weights: Path | None,
    inputs: Sequence[InputSpec],
    outputs: Sequence[str],
    layouts: Mapping[str, str] | None = None,
    samples: Iterable[Feed] = (),
    tolerance: float = 1e-4,
    timeout_s: float = 300,
    memory_mb: int = 8192,
) -> Conversion:
    """A torch module as a TFLite model, equal within `tolerance` to torch and to onnxruntime.

    `factory` is "package.module:callable", imported with `root` first on the path inside a worker process;
    the callable returns the `torch.nn.Module`. `weights` is a safetensors file or a checkpoint of a state
    dict. `inputs` are in the order of `forward`, `outputs` name what it returns. `layouts`: name -> "NHWC"
    for rank-4 tensors whose axes shall be reordered. Raises ConversionError.
    """
    from converter.api import convert_onnx

    feeds = tuple(samples)
    model = TorchModel(factory, weights, tuple(inputs), tuple(outputs), feeds)
    export = _single(model, root, tolerance, timeout_s, memory_mb)
    return convert_onnx(
        export.onnx, layouts=layouts, samples=feeds, tolerance=tolerance, torch_outputs=export.torch_outputs
    )


def export_torch(
    factory: str,
    *,
    root: Path,
    weights: Path | None,
    inputs: Sequence[InputSpec],
    outputs: Sequence[str],
    samples: Iterable[Feed] = (),
    tolerance: float = 1e-4,
    timeout_s: float = 300,
    memory_mb: int = 8192,
) -> bytes:
    """The ONNX model of a torch module, equal to it within `tolerance`; see `convert_torch` for the rest."""
    model = TorchModel(factory, weights, tuple(inputs), tuple(outputs), tuple(samples))
    return _single(model, root, tolerance, timeout_s, memory_mb).onnx


def _single(model: TorchModel, root: Path, tolerance: float, timeout_s: float, memory_mb: int) -> TorchExport:
    (result,) = export_many([model], root=root, tolerance=tolerance, timeout_s=timeout_s, memory_mb=memory_mb)
    if isinstance(result, ConversionError):
        raise result
    return result


def export_many(
    models: Sequence[TorchModel],
    *,
    root: Path,
    tolerance: float = 1e-4,
    timeout_s: float = 300,
    memory_mb: int = 8192,
) -> tuple[TorchExport | ConversionError, ...]:
    """Export several modules, importing torch once; one failure costs no other model its result.

    Factories are imported with `root` first on the path, inside the worker alone. `timeout_s` bounds each
    model, `memory_mb` the worker's data segment (enforced on Linux). Each export is compared with torch, by
    onnxruntime on the parity inputs, before it is returned. Results are in the order of `models`.
    """
    results: dict[int, TorchExport | ConversionError] = {}
    formats: dict[int, str | None] = {}
    for index, model in enumerate(models):
        try:
            formats[index] = check_weights(model.weights) if model.weights else None
        except ConversionError as error:
            results[index] = _of_model(model, str(error))
    while waiting := [index for index in range(len(models)) if index not in results]:
        # A worker that dies takes only the model it was at with it: the next worker does the rest.
        batch = [(models[index], formats[index]) for index in waiting]
        done = _run_worker(batch, root.resolve(), timeout_s, memory_mb)
        results |= dict(zip(waiting, done, strict=False))
    return tuple(_verified(models[index], results[index], tolerance) for index in range(len(models)))


def _verified(
    model: TorchModel, result: TorchExport | ConversionError, tolerance: float
) -> TorchExport | ConversionError:
    if isinstance(result, ConversionError):
        return result
    shapes = {each.name: each.shape for each in model.inputs}
    try:
        exported = onnx.load_from_string(result.onnx)
        onnx.checker.check_model(exported, full_check=True)
        check_export(exported, shapes, model.samples, result.torch_outputs, tolerance)
    except (ConversionError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        return _of_model(model, str(error))
    return result


def _run_worker(
    batch: Sequence[tuple[TorchModel, str | None]], root: Path, timeout_s: float, memory_mb: int
) -> list[TorchExport | ConversionError]:
    """Results of the batch's first models, at least one: up to and with the one that the worker died of."""
    with tempfile.TemporaryDirectory(prefix="litebundle-torch-") as name:
        folder = Path(name)
        request = {
            "folder": name, "parent": os.getpid(), "root": str(root), "timeout_s": timeout_s,
            "memory_mb": memory_mb, "models": [_to_json(model, kind) for model, kind in batch],
        }  # fmt: skip
        for index, (model, _kind) in enumerate(batch):
            if model.samples:
                write_feeds(folder / f"{index}.samples.npz", model.samples)
        exit_code = _launch(json.dumps(request), folder, timeout_s * len(batch) + SPARE_S)
        results: list[TorchExport | ConversionError] = []
        for index, (model, _kind) in enumerate(batch):
            if not (folder / f"{index}.json").exists():
                results.append(_of_model(model, _cause(exit_code, timeout_s, folder)))
                break
            results.append(_read_result(model, folder, index))
        return results


def _to_json(model: TorchModel, weights_format: str | None) -> dict[str, Any]:
    return {
        "factory": model.factory,
        "weights": str(model.weights.resolve()) if model.weights else None,
        "format": weights_format,
        "inputs": [[each.name, list(each.shape), each.dtype] for each in model.inputs],
        "outputs": list(model.outputs),
    }


def _launch(request: str, folder: Path, timeout_s: float) -> int | None:
    """Run the worker to its end and leave no process; its exit code, or None when it had to be killed."""
    with (folder / "log").open("ab") as log:
        # A session of its own: Ctrl-C reaches the parent alone, which then ends the worker and its children.
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", "converter.torch_worker"],
            stdin=subprocess.PIPE, stdout=log, stderr=log, env=_environment(), start_new_session=True,
        )  # fmt: skip
        try:
            worker.communicate(request.encode(), timeout=timeout_s)
            return worker.returncode
        except subprocess.TimeoutExpired:
            return None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


def _environment() -> Mapping[str, str]:
    here = str(Path(__file__).parent.parent)
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }


def _read_result(model: TorchModel, folder: Path, index: int) -> TorchExport | ConversionError:
    error = json.loads((folder / f"{index}.json").read_text(encoding="utf-8"))["error"]
    if error is not None:
        return _of_model(model, error)
    return TorchExport((folder / f"{index}.onnx").read_bytes(), tuple(read_feeds(folder / f"{index}.npz")))


def _cause(exit_code: int | None, timeout_s: float, folder: Path) -> str:
    if exit_code is None or exit_code == -signal.SIGALRM:
        return f"the export took longer than {timeout_s:g} s and was ended; allow more time or simplify it"
    how = f"killed by {signal.Signals(-exit_code).name}" if exit_code < 0 else f"exit code {exit_code}"
    lines = (folder / "log").read_text(encoding="utf-8", errors="replace").splitlines()
    fatal = [index for index, line in enumerate(lines) if line.startswith("Fatal Python error")]
    lines = lines[fatal[0] : fatal[0] + LOG_LINES] if fatal else lines[-LOG_LINES:]
    return "\n  ".join([f"the export worker crashed ({how}); its last words:", *lines])


def _of_model(model: TorchModel, message: str) -> ConversionError:
    return ConversionError(f"torch model '{model.factory}': {message}")
