"""Proof that a converted model computes what its source computes, in float64, on the same inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from converter.conversion import Lowered, OutputParity, Parity
from converter.errors import ConversionError
from converter.onnx_session import OnnxSession
from converter.parity_inputs import KEEPS_VALUES, Array, Feed, ParityInput, parity_inputs

# Rounding inside a float32 model acts like noise of a few units in the last place on its input. Where the
# source's own answer moves as much under such noise, a difference of that size proves nothing.
NOISE = 2.0**-22
NOISE_TRIALS = 2
NOISE_FACTOR = 8.0
# Values of a known range: a heat map that found nothing is 1e-8 everywhere, but its scale is one.
UNIT_RANGE = frozenset({"HardSigmoid", "Sigmoid", "Softmax", "Tanh"})


@dataclass(frozen=True)
class _Difference:
    """One output on one input."""

    input: ParityInput
    output: str
    max_abs: float
    scale: float

    @property
    def max_rel(self) -> float:
        if self.max_abs == 0.0:
            return 0.0
        return self.max_abs / self.scale if self.scale else float("inf")


class _Result:
    """The converted model in the LiteRT interpreter, one thread, seen with the source's names and axes."""

    def __init__(self, lowered: Lowered, **options: Any) -> None:
        self._lowered = lowered
        try:
            self._interpreter = Interpreter(model_content=lowered.tflite, num_threads=1, **options)
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise ConversionError(
                f"the LiteRT interpreter does not take the converted model: {error}; "
                "rewrite what it names in the source model"
            ) from error
        self._indices = {each["name"]: each["index"] for each in self._interpreter.get_tensor_details()}
        self._dtypes = {each["name"]: each["dtype"] for each in self._interpreter.get_input_details()}

    def run(self, feed: Feed, names: Iterable[str]) -> dict[str, Array]:
        for spec in self._lowered.inputs:
            permutation = self._lowered.tensor_map[spec.onnx_name].permutation
            value = feed[spec.onnx_name]
            value = value if permutation is None else value.transpose(permutation)
            value = np.ascontiguousarray(value, self._dtypes[spec.tflite_name]).reshape(value.shape)
            self._interpreter.set_tensor(self._indices[spec.tflite_name], value)
        try:
            self._interpreter.invoke()
        except RuntimeError as error:
            raise ConversionError(
                f"the LiteRT interpreter fails on the converted model: {error}; "
                "rewrite what it names in the source model"
            ) from error
        return {name: self._read(name) for name in names}

    def _read(self, name: str) -> Array:
        ref = self._lowered.tensor_map[name]
        value: Array = self._interpreter.get_tensor(self._indices[ref.tflite_name])
        return value if ref.permutation is None else value.transpose(np.argsort(ref.permutation))


def check_parity(
    model: onnx.ModelProto,
    lowered: Lowered,
    samples: Iterable[Feed] = (),
    tolerance: float = 1e-4,
    torch_outputs: Sequence[Feed] | None = None,
) -> Parity:
    """Run the source and the conversion on the same inputs; beyond `tolerance` raise ConversionError.

    `samples` are feeds by ONNX name in the source's layout; seeded random and edge inputs are added to them
    (see `parity_inputs`). `torch_outputs`, one feed of outputs per parity input, are torch's answers where
    the source was a torch module: the conversion must then agree with them as well. Equal patterns of NaN and
    infinities agree. The error names the output, the input, and the first tensor that differs.
    """
    inputs = parity_inputs(model, _source_shapes(lowered), _checked(samples, lowered))
    source, result = OnnxSession(model), _Result(lowered)
    outputs = [spec.onnx_name for spec in lowered.outputs]
    references = [source.run(each.feed) for each in inputs]
    results = [result.run(each.feed, outputs) for each in inputs]
    parity, failure = _compare(inputs, references, results, source, tolerance)
    if failure is not None:
        raise ConversionError(
            f"{_describe(failure, 'the converted model', 'onnxruntime', tolerance)};"
            f" {_first_difference(model, lowered, failure, tolerance)};"
            " rewrite that part of the source model, or raise the parity tolerance if so much may be lost"
        )
    if torch_outputs is not None:
        _, failure = _compare(inputs, torch_outputs, results, source, tolerance)
        if failure is not None:
            raise ConversionError(_describe(failure, "the converted model", "torch", tolerance))
    return parity


def check_export(
    model: onnx.ModelProto,
    shapes: Mapping[str, Sequence[int]],
    samples: Iterable[Feed],
    torch_outputs: Sequence[Feed],
    tolerance: float,
) -> Parity:
    """Compare an exported model, run by onnxruntime, with what torch answered on the same parity inputs."""
    inputs = parity_inputs(model, shapes, samples)
    source = OnnxSession(model)
    results = [source.run(each.feed) for each in inputs]
    parity, failure = _compare(inputs, torch_outputs, results, source, tolerance)
    if failure is not None:
        raise ConversionError(
            f"{_describe(failure, 'the exported ONNX model', 'torch', tolerance)};"
            " the module does not export faithfully: look for data-dependent branches or random numbers in it"
        )
    return parity


def _compare(
    inputs: Sequence[ParityInput],
    references: Sequence[Feed],
    results: Sequence[Feed],
    source: OnnxSession,
    tolerance: float,
) -> tuple[Parity, _Difference | None]:
    """The parity of all that can be judged, and the worst difference beyond tolerance."""
    usual = dict.fromkeys(_of_unit_range(source.model), 1.0)
    for each, reference in zip(inputs, references, strict=True):
        for name, values in reference.items():
            usual[name] = max(usual.get(name, 0.0), 0.0 if each.edge else _magnitude(values))
    judged: list[_Difference] = []
    failures: list[_Difference] = []
    for each, reference, result in zip(inputs, references, results, strict=True):
        for name, values in reference.items():
            difference = _Difference(each, name, _distance(values, result[name]), max(usual[name], _magnitude(values)))
            if difference.max_rel <= (tolerance if values.dtype.kind == "f" else 0.0):
                judged.append(difference)
            elif difference.max_abs > NOISE_FACTOR * _noise(source, each, name):
                judged.append(difference)
                failures.append(difference)
    for name in references[0].keys() - {each.output for each in judged}:
        raise ConversionError(
            f"output '{name}' of the source changes when its input changes by rounding alone, so that nothing can"
            " be compared with it; take random operators out of the source and check its weights"
        )
    worst = max(judged, key=lambda each: each.max_rel)
    parity = Parity(
        max_abs=max(each.max_abs for each in judged),
        max_rel=worst.max_rel,
        worst_tensor=worst.output,
        samples=len({each.input.label for each in judged}),
        tolerance=tolerance,
        passed=not failures,
        outputs=tuple(_of_output(name, judged) for name in references[0]),
    )
    return parity, max(failures, key=lambda each: each.max_rel, default=None)


def _of_unit_range(model: onnx.ModelProto) -> set[str]:
    """Every value that a function onto the unit range computed, through operators that only move values."""
    names: set[str] = set()
    for node in model.graph.node:
        moved = node.op_type in KEEPS_VALUES and node.input[0] in names
        if moved or node.op_type in UNIT_RANGE:
            names.update(node.output)
    return names


def _of_output(name: str, differences: Sequence[_Difference]) -> OutputParity:
    own = [each for each in differences if each.output == name]
    return OutputParity(
        name,
        max((each.max_abs for each in own), default=0.0),
        max((each.max_rel for each in own), default=0.0),
    )


def _first_difference(model: onnx.ModelProto, lowered: Lowered, failure: _Difference, tolerance: float) -> str:
    """Run both again with every tensor that the tensor map ties, and name the first that differs."""
    exposed = onnx.ModelProto()
    exposed.CopyFrom(model)
    outputs = {output.name for output in model.graph.output}
    tied = [(node, name) for node in model.graph.node for name in node.output if name in lowered.tensor_map]
    exposed.graph.output.extend(onnx.ValueInfoProto(name=name) for _node, name in tied if name not in outputs)
    result = _Result(
        lowered,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    feed, unit = failure.input.feed, _of_unit_range(model)
    references, results = OnnxSession(exposed).run(feed), result.run(feed, [name for _node, name in tied])
    for node, name in tied:
        reference, values = references[name], results[name]
        scale = max(_magnitude(reference), 1.0 if name in unit else 0.0)
        if reference.shape == values.shape and _distance(reference, values) > tolerance * scale:
            return f"the first tensor to differ is '{name}' ({node.op_type}, node '{node.name}')"
    return "no tensor differs without the interpreter's default delegate (XNNPACK)"


def _describe(difference: _Difference, what: str, reference: str, tolerance: float) -> str:
    return (
        f"output '{difference.output}' of {what} differs from {reference} on input '{difference.input.label}'"
        f" by {difference.max_abs:.3g} at a scale of {difference.scale:.3g}: relative"
        f" {difference.max_rel:.2g}, tolerance {tolerance:g}"
    )


def _source_shapes(lowered: Lowered) -> dict[str, tuple[int, ...]]:
    shapes = {}
    for spec in lowered.inputs:
        permutation = lowered.tensor_map[spec.onnx_name].permutation or range(len(spec.shape))
        shapes[spec.onnx_name] = tuple(spec.shape[axis] for axis in np.argsort(permutation))
    return shapes


def _checked(samples: Iterable[Feed], lowered: Lowered) -> Iterable[Feed]:
    shapes = _source_shapes(lowered)
    for index, sample in enumerate(samples):
        given = {name: value.shape for name, value in sample.items()}
        if given != shapes:
            raise ConversionError(f"sample {index} has the inputs {given}; the model takes {shapes}")
        yield sample


def _noise(source: OnnxSession, each: ParityInput, output: str) -> float:
    """How far the source's `output` moves when noise of a few units in the last place is added to the input."""
    rng = np.random.default_rng(0)
    still = source.run(each.feed)[output]
    moves = []
    for _trial in range(NOISE_TRIALS):
        noisy = {name: _with_noise(value, rng) for name, value in each.feed.items()}
        moves.append(_distance(still, source.run(noisy)[output]))
    return max(moves)


def _with_noise(value: Array, rng: np.random.Generator) -> Array:
    if value.dtype.kind != "f":
        return value
    exact = value.astype(np.float64)
    noise = rng.uniform(-NOISE, NOISE, value.shape) * np.maximum(np.abs(exact), 1.0)
    return np.asarray(exact + noise, value.dtype)


def _distance(reference: Array, result: Array) -> float:
    """Largest absolute difference in float64; infinite where the shapes or the non-finite patterns differ."""
    if reference.shape != result.shape:
        return float("inf")
    left, right = reference.astype(np.float64), result.astype(np.float64)
    finite = np.isfinite(left)
    if not np.array_equal(left[~finite], right[~finite], equal_nan=True):
        return float("inf")
    distance = float(np.max(np.abs(left[finite] - right[finite]), initial=0.0))
    return float("inf") if np.isnan(distance) else distance


def _magnitude(values: Array) -> float:
    values = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    return float(np.max(np.abs(values.astype(np.float64)), initial=0.0))
