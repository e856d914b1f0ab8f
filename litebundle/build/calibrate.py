"""Runs the float pipeline over pictures and hands each stage the inputs it saw."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from litebundle.data import DataSample
from litebundle.errors import LitebundleError
from litebundle.graph import Graph
from litebundle.run import LiteRTModel, Runner, read_image

Sample = Mapping[str, np.ndarray]
CHUNK_BYTES = 512 * 2**20


@dataclass
class StageInputs:
    """Recorded inputs per stage; an array that many samples share (a decoder's memory) is held once."""

    wanted: Collection[str]
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    held: dict[int, np.ndarray] = field(default_factory=dict)
    size_bytes: int = 0

    def record(self, stage: str, inputs: Sample, _outputs: Sample) -> None:
        """A runner's tap."""
        if stage not in self.wanted:
            return
        for array in inputs.values():
            if id(array) not in self.held:
                self.held[id(array)] = array
                self.size_bytes += array.nbytes
        self.samples.setdefault(stage, []).append(inputs)


def stage_inputs(
    graph: Graph,
    models: Mapping[str, LiteRTModel],
    labels: Mapping[str, tuple[str, ...]],
    samples: Collection[DataSample],
    wanted: Collection[str],
    *,
    chunk_bytes: int = CHUNK_BYTES,
    advance: Callable[[int], None] = lambda count: None,
) -> Iterator[Mapping[str, list[Sample]]]:
    """Yield recorded inputs per stage, in chunks of about `chunk_bytes`, so that memory stays bounded.

    Raises:
        LitebundleError: A stage saw no input at all (nothing was found on any picture).
    """
    runner = Runner(graph, models, labels)
    seen: set[str] = set()
    inputs = StageInputs(wanted)
    for sample in samples:
        runner.run(read_image(sample.path), tap=inputs.record)
        advance(1)
        if inputs.size_bytes > chunk_bytes:
            seen |= set(inputs.samples)
            yield inputs.samples
            inputs = StageInputs(wanted)
    seen |= set(inputs.samples)
    if inputs.samples:
        yield inputs.samples
    for stage in wanted:
        if stage not in seen:
            raise LitebundleError(
                f"stage {stage!r} got no input from any of {len(samples)} pictures: the stages before it found "
                "nothing; check their weights and thresholds, or add pictures on which they find something"
            )
