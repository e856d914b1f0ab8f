"""Which tensor of the quantized model stands for which of the reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from quantize.drift.side import Side, TensorInfo
from quantize.drift.wiring import Step
from quantize.errors import QuantizationError


@dataclass(frozen=True)
class Pair:
    """A reference tensor and its counterpart in the quantized model, of equal shape."""

    reference: TensorInfo
    test: TensorInfo


def pair_ends(reference: tuple[TensorInfo, ...], test: tuple[TensorInfo, ...], end: str) -> tuple[Pair, ...]:
    """Pairs the graph inputs or outputs (``end``), in the reference's order.

    By name where both models use the same set of names, else by position: quantizers may rename ends, but do
    not reorder them.
    """
    by_name = {tensor.name: tensor for tensor in test}
    if len(by_name) == len(test) and by_name.keys() == {tensor.name for tensor in reference}:
        test = tuple(by_name[tensor.name] for tensor in reference)
    shapes = [[t.shape for t in side] for side in (reference, test)]
    if shapes[0] != shapes[1]:
        raise QuantizationError(
            f"the {end}s of the reference model are {_describe(reference)}, those of the quantized model"
            f" {_describe(test)}; drift compares two precisions of one network: give two that belong together"
        )
    return tuple(map(Pair, reference, test))


def pair_tensors(
    reference: Side,
    test: Side,
    reference_steps: Iterable[Step],
    test_steps: Iterable[Step],
    names: Mapping[str, str],
) -> tuple[tuple[Pair, ...], tuple[str, ...]]:
    """Pairs the graph inputs and intermediate tensors, in the reference's run order; also the unmatched
    names.

    A quantizer keeps the name of a tensor that it quantizes in place, and gives a fresh name to what it
    inserts. So the counterpart is the tensor that ``names`` gives, else the output of a QUANTIZE that reads
    the tensor of the same name (the rounded copy which its consumers see), else the tensor of the same name
    itself. Shapes must agree. Only real-valued tensors take part: float or quantized.
    """
    reference_tensors, test_tensors = reference.tensors(), test.tensors()
    counterparts = _by_name(test, test_steps, test_tensors)
    outputs = {tensor.index for tensor in reference.outputs}
    pairs, unmatched = [], []
    for index in _activations(reference, reference_steps):
        tensor = reference_tensors.get(index)
        if tensor is None or index in outputs or not _is_real(tensor):
            continue
        counterpart = counterparts.get(names.get(tensor.name, tensor.name))
        if counterpart and counterpart.shape == tensor.shape and _is_real(counterpart):
            pairs.append(Pair(tensor, counterpart))
        else:
            unmatched.append(tensor.name)
    return tuple(pairs), tuple(unmatched)


def _by_name(side: Side, steps: Iterable[Step], tensors: Mapping[int, TensorInfo]) -> dict[str, TensorInfo]:
    found = {}
    for index in _activations(side, steps):
        if index in tensors:
            found[tensors[index].name] = tensors[index]
    for step in steps:
        source = tensors.get(step.inputs[0])
        if step.op == "QUANTIZE" and source and source.scale is None and step.outputs[0] in tensors:
            found[source.name] = tensors[step.outputs[0]]
    return found


def _activations(side: Side, steps: Iterable[Step]) -> list[int]:
    return [tensor.index for tensor in side.inputs] + [index for step in steps for index in step.outputs]


def _is_real(tensor: TensorInfo) -> bool:
    return tensor.dtype.kind == "f" or tensor.scale is not None


def _describe(tensors: tuple[TensorInfo, ...]) -> str:
    return ", ".join(f"{tensor.name} {list(tensor.shape)}" for tensor in tensors)
