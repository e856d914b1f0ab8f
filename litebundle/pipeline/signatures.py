"""The inputs and outputs of ONNX stages, completed from the model file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from litebundle.errors import LitebundleError
from litebundle.pipeline.model import Input, Stage
from litebundle.pipeline.onnx_signature import OnnxTensor, read_signature
from litebundle.toml import Problem, nearest


def complete_signature(stage: Stage, root: Path) -> tuple[Stage, list[Problem]]:
    """The stage with every input and output of its ONNX model, in the model's order, and what does not fit.

    PyTorch stages store no signature and come back as they are.
    """
    if stage.is_torch:
        return stage, []
    try:
        signature = read_signature(root / stage.target)
    except LitebundleError as error:
        return stage, [Problem(("source",), str(error))]
    names = [tensor.name for tensor in signature.inputs]
    problems = _unknown("inputs", [item.name for item in stage.inputs], names)
    problems += _unknown("outputs", stage.outputs, [tensor.name for tensor in signature.outputs])
    given = {item.name: (i, item) for i, item in enumerate(stage.inputs)}
    inputs: list[Input] = []
    for tensor in signature.inputs:
        index, item = given.get(tensor.name, (0, None))
        if item is None and tensor.fixed_shape is None:
            problems.append(Problem(("inputs",), _open_shape(tensor)))
        elif item is None:
            inputs.append(_from_model(tensor))
        elif message := _misfit(item, tensor):
            problems.append(Problem(("inputs", index, "shape"), message))
        else:
            inputs.append(item.model_copy(update={"dtype": tensor.dtype}))
    outputs = tuple(tensor.name for tensor in signature.outputs)
    return stage.model_copy(update={"inputs": tuple(inputs), "outputs": outputs}), problems


def _unknown(key: str, given: Iterable[str], known: list[str]) -> list[Problem]:
    return [
        Problem(
            (key, i),
            f"the model has no {key[:-1]} {name!r}{nearest(name, known)} (it has: {', '.join(known)})",
        )
        for i, name in enumerate(given)
        if name not in known
    ]


def _open_shape(tensor: OnnxTensor) -> str:
    axes = ", ".join("?" if length is None else str(length) for length in tensor.shape or ())
    return (
        f"the model's input {tensor.name!r} has no fixed shape ([{axes}]); give one, for example "
        f'input = {{ name = "{tensor.name}", shape = [{axes.replace("?", "1", 1).replace("?", "64")}] }}'
    )


def _from_model(tensor: OnnxTensor) -> Input:
    # Built past the checks of a file's own keys: a model may have scalars and types that a file may not name.
    return Input.model_construct(name=tensor.name, shape=tensor.fixed_shape, layout="", dtype=tensor.dtype, from_=None)


def _misfit(item: Input, tensor: OnnxTensor) -> str:
    """Why a given shape or dtype cannot be the model's, or nothing."""
    if tensor.shape is not None:
        fits = len(item.shape) == len(tensor.shape) and all(
            own is None or own == given for own, given in zip(tensor.shape, item.shape, strict=True)
        )
        if not fits:
            axes = ", ".join("?" if length is None else str(length) for length in tensor.shape)
            return f"{list(item.shape)} does not fit the model's {tensor.name!r}, which is [{axes}]"
    if "dtype" in item.model_fields_set and item.dtype != tensor.dtype:
        return f"dtype {item.dtype!r} is not the model's, {tensor.dtype!r}; remove dtype"
    return ""
