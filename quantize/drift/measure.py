"""Runs both models over the samples and measures how far they part."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantize.drift.finite import first_bad_tensor, remedy
from quantize.drift.match import Pair, pair_ends, pair_tensors
from quantize.drift.result import Drift, TensorDrift
from quantize.drift.side import Side, TensorInfo
from quantize.drift.stream import NonFinite, PairStream
from quantize.drift.wiring import read_steps
from quantize.errors import QuantizationError

Array = NDArray[Any]
Sample = Mapping[str, Array]


def measure(
    reference: bytes,
    quantized: bytes,
    samples: Collection[Sample],
    *,
    tensor_samples: int,
    tensor_names: Mapping[str, str],
    progress: Callable[[int], None] | None,
    threads: int,
) -> Drift:
    """See `quantize.drift`."""
    if not len(samples):
        raise QuantizationError(
            "drift needs at least one sample, and there is none; give a sample set that is not empty"
        )
    sides = _Sides(reference, quantized, preserve=False, threads=threads)
    outputs = pair_ends(sides.reference.outputs, sides.test.outputs, "output")
    stream = sides.follow(samples, len(samples), outputs, progress)

    few = _Sides(reference, quantized, preserve=True, threads=threads)
    names = {pair.reference.name: pair.test.name for pair in few.inputs} | dict(tensor_names)
    tensors, unmatched = pair_tensors(few.reference, few.test, read_steps(reference), read_steps(quantized), names)
    kept = few.follow(samples, min(tensor_samples, len(samples)), tensors, None)
    return Drift(_rows(outputs, stream), _rows(tensors, kept), unmatched, len(samples))


class _Sides:
    """Both models side by side, fed with the same real numbers."""

    def __init__(self, reference: bytes, quantized: bytes, *, preserve: bool, threads: int) -> None:
        self._models = reference, quantized
        self.reference = Side(reference, "reference", preserve=preserve, threads=threads)
        self.test = Side(quantized, "quantized", preserve=preserve, threads=threads)
        self.inputs = pair_ends(self.reference.inputs, self.test.inputs, "input")
        position = {pair.test.index: i for i, pair in enumerate(self.inputs)}
        self._test_order = tuple(position[tensor.index] for tensor in self.test.inputs)

    def follow(
        self,
        samples: Collection[Sample],
        count: int,
        pairs: tuple[Pair, ...],
        progress: Callable[[int], None] | None,
    ) -> PairStream:
        """Runs the first ``count`` samples through both and gathers ``pairs``."""
        stream = PairStream(self.reference, self.test, pairs)
        try:
            for index, sample in enumerate(islice(samples, count)):
                values = _real_inputs(sample, self.reference.inputs, index)
                self.reference.run(values)
                self.test.run(self._ordered(values))
                stream.read()
                if progress:
                    progress(index + 1)
            stream.flush()
        except NonFinite as fault:
            sample = next(islice(samples, fault.sample, None))
            raise self._explain(fault, _real_inputs(sample, self.reference.inputs, fault.sample)) from None
        return stream

    def _ordered(self, values: tuple[Array, ...]) -> tuple[Array, ...]:
        return tuple(values[i] for i in self._test_order)

    def _explain(self, fault: NonFinite, values: tuple[Array, ...]) -> QuantizationError:
        reference, quantized = self._models
        role = "reference"
        found = first_bad_tensor(reference, role, values)
        if not found:
            role = "quantized"
            found = first_bad_tensor(quantized, role, self._ordered(values))
        if not found:
            # Only the accelerated kernels go bad: then the output is all there is to name.
            role = fault.role
            found = f"tensor '{fault.pair.reference.name}' of the {role} model is not finite"
        return QuantizationError(f"sample {fault.sample}: {found}; {remedy(role)}")


def _real_inputs(sample: Sample, inputs: tuple[TensorInfo, ...], index: int) -> tuple[Array, ...]:
    """The sample's arrays in the order of ``inputs``, checked; raw integers of a quantized input become real
    numbers.
    """
    names = [tensor.name for tensor in inputs]
    if sample.keys() != set(names):
        raise QuantizationError(
            f"sample {index}: it holds {', '.join(sample) or 'nothing'}, but the reference model's inputs are"
            f" {', '.join(names)}; give exactly one array per input"
        )
    return tuple(_real_input(sample[tensor.name], tensor, index) for tensor in inputs)


def _real_input(value: Array, tensor: TensorInfo, index: int) -> Array:
    if value.shape != tensor.shape:
        raise QuantizationError(
            f"sample {index}: input '{tensor.name}' has shape {list(value.shape)}, the model wants"
            f" {list(tensor.shape)}; reshape or prepare the samples to that shape"
        )
    # Both extremes pass a NaN on, and cost less than a mask.
    if value.dtype.kind == "f" and not (np.isfinite(value.min()) and np.isfinite(value.max())):
        raise QuantizationError(
            f"sample {index}: input '{tensor.name}' holds NaN or infinity; drop or mend that sample"
        )
    return tensor.decode(value)


def _rows(pairs: tuple[Pair, ...], stream: PairStream) -> tuple[TensorDrift, ...]:
    return tuple(
        TensorDrift.of(pair.reference.name, moments, stream.samples)
        for pair, moments in zip(pairs, stream.moments, strict=True)
    )
