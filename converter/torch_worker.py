"""The export worker: `python -m converter.torch_worker`, the only place where torch is imported.

Reads one JSON request from standard input:

    {"folder": ..., "parent": pid, "root": ..., "timeout_s": ..., "memory_mb": ..., "models": [
     {"factory": "package.module:name", "weights": path or null, "format": "safetensors" | "torch" | null,
      "inputs": [[name, shape, dtype]], "outputs": [name]}]}

and writes for model i, into the folder: `<i>.onnx`, `<i>.npz` (torch's outputs as `<output>/<feed>`), and
last, as the sign that the model is done, `<i>.json`: {"error": null} or {"error": message}.
`<i>.samples.npz` (`<input>/<feed>`), where present, holds the caller's samples.

The worker bounds itself, so that it never outlives its purpose: an interval timer kills it when one model
takes too long, the data segment has a limit, and it ends when its parent does.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import resource
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from converter.errors import ConversionError
from converter.feeds_file import read_feeds, write_feeds
from converter.onnx_tidy import tidy_export
from converter.parity_inputs import Array, parity_inputs

OPSET = 20
PARENT_POLL_S = 0.2
MAX_PROBLEMS = 5
OUT_OF_MEMORY = ("DefaultCPUAllocator", "bad_alloc", "Cannot allocate memory")


def main() -> None:
    request = json.loads(sys.stdin.read())
    folder = Path(request["folder"])
    _end_with_parent(request["parent"], folder)
    sys.path.insert(0, request["root"])
    limit = request["memory_mb"] * 1024 * 1024
    # The data segment, not the address space: torch reserves gigabytes of addresses that it never touches.
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    faulthandler.enable(all_threads=False)
    for index, model in enumerate(request["models"]):
        os.ftruncate(sys.stderr.fileno(), 0)  # the last words after a crash are then those of its model
        signal.setitimer(signal.ITIMER_REAL, request["timeout_s"])
        error = _attempt(model, folder, index, request)
        part = folder / f"{index}.part"
        part.write_text(json.dumps({"error": error}), encoding="utf-8")
        part.rename(folder / f"{index}.json")


def _end_with_parent(parent: int, folder: Path) -> None:
    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_POLL_S)
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _attempt(model: dict[str, Any], folder: Path, index: int, request: dict[str, Any]) -> str | None:
    """Export one model; return what went wrong, or None."""
    try:
        _export(model, folder, index)
    except ConversionError as error:
        return str(error)
    except Exception as error:
        traceback.print_exc()
        if isinstance(error, MemoryError) or any(sign in str(error) for sign in OUT_OF_MEMORY):
            return f"the export needs more than {request['memory_mb']} MB; allow more or make it smaller"
        return _explain(error, request["root"])
    return None


def _explain(error: BaseException, root: str) -> str:
    """The first cause in one line, with the place in the user's code that met it."""
    while error.__cause__ is not None:
        error = error.__cause__
    message = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [each for each in frames if each.filename.startswith(root) and "site-packages" not in each.filename]
    return f"{message} ({Path(own[-1].filename).name}, line {own[-1].lineno}: {own[-1].line})" if own else message


def _export(request: dict[str, Any], folder: Path, index: int) -> None:
    try:
        import torch
    except ImportError as error:
        raise ConversionError(f"torch cannot be imported ({error}); pip install litebundle[torch]") from error
    torch.set_num_threads(1)
    torch.manual_seed(0)
    module = _load_module(request, torch)
    shapes = {name: shape for name, shape, _dtype in request["inputs"]}
    dummies = tuple(torch.zeros(shape, dtype=getattr(torch, dtype)) for _name, shape, dtype in request["inputs"])
    returned = len(_tensors(module(*dummies), torch))
    if returned != len(request["outputs"]):
        raise ConversionError(
            f"the module returns {returned} tensors where outputs names {', '.join(request['outputs'])}"
        )
    program = torch.onnx.export(
        module, dummies, dynamo=True, opset_version=OPSET, verbose=False,
        input_names=list(shapes), output_names=request["outputs"],
    )  # fmt: skip
    onnx_model = program.model_proto
    tidy_export(onnx_model)
    (folder / f"{index}.onnx").write_bytes(onnx_model.SerializeToString(deterministic=True))
    samples = read_feeds(folder / f"{index}.samples.npz")
    feeds = [[each.feed[name] for name in shapes] for each in parity_inputs(onnx_model, shapes, samples)]
    write_feeds(folder / f"{index}.npz", [_run(module, feed, request["outputs"], torch) for feed in feeds])


def _load_module(request: dict[str, Any], torch: Any) -> Any:
    """The module with its weights, ready to infer."""
    module = _build(request["factory"], torch)
    if request["weights"] is not None:
        _load_weights(module, request["weights"], request["format"], torch)
    for name, value in module.state_dict().items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise ConversionError(f"tensor '{name}' of the weights holds NaN or infinite values; train again")
    return module.eval().requires_grad_(False)


def _build(factory: str, torch: Any) -> Any:
    module_name, _, attribute = factory.partition(":")
    source = importlib.import_module(module_name)
    if not callable(getattr(source, attribute, None)):
        raise ConversionError(f"module '{module_name}' ({source.__file__}) has no callable '{attribute}'")
    module = getattr(source, attribute)()
    if not isinstance(module, torch.nn.Module):
        raise ConversionError(f"the factory returns a {type(module).__name__}; it must return a torch.nn.Module")
    return module


def _load_weights(module: Any, path: str, weights_format: str, torch: Any) -> None:
    if weights_format == "safetensors":
        from safetensors.torch import load_file

        state = load_file(path)
    else:
        state = _state_dict(torch.load(path, map_location="cpu", weights_only=True), path)
    wanted = module.state_dict()
    if not set(state) & set(wanted):
        state = {name.removeprefix("module."): value for name, value in state.items()}
    fitting = {name: value for name, value in state.items() if name not in wanted or value.shape == wanted[name].shape}
    # torch knows which keys older versions did not store, such as BatchNorm's num_batches_tracked.
    result = module.load_state_dict(fitting, strict=False)
    problems = [f"'{name}' is missing" for name in result.missing_keys if name not in state]
    problems += [f"'{name}' is not in the module" for name in result.unexpected_keys]
    problems += [
        f"'{name}' has shape {list(state[name].shape)} where the module has {list(wanted[name].shape)}"
        for name in state
        if name not in fitting
    ]
    if problems:
        more = [f"and {len(problems) - MAX_PROBLEMS} more"] if len(problems) > MAX_PROBLEMS else []
        raise ConversionError(
            f"weights '{path}' do not fit the module: {'; '.join(problems[:MAX_PROBLEMS] + more)};"
            " use the weights trained with this very module"
        )


def _state_dict(loaded: Any, path: str) -> Mapping[str, Any]:
    state = loaded.get("state_dict", loaded) if isinstance(loaded, Mapping) else loaded
    if not isinstance(state, Mapping) or not all(hasattr(value, "shape") for value in state.values()):
        raise ConversionError(f"weights '{path}' hold no state dict; save model.state_dict() alone")
    return state


def _tensors(result: Any, torch: Any) -> list[Any]:
    values = [result] if isinstance(result, torch.Tensor) else list(result)
    if not all(isinstance(value, torch.Tensor) for value in values):
        raise ConversionError("the module must return a tensor or a flat tuple of tensors")
    return values


def _run(module: Any, arrays: list[Array], names: list[str], torch: Any) -> dict[str, Array]:
    values = _tensors(module(*(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)), torch)
    return {name: value.numpy() for name, value in zip(names, values, strict=True)}


if __name__ == "__main__":
    main()
