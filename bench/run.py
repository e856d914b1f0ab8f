"""What running a bundle costs besides its models and its glue, taken in one run.

    python bench/run.py [--photos 12] [--repeats 15] [BUNDLE] [PHOTO_OR_FOLDER]

The overhead is what a run of the pipeline takes less its glue and its models, plus what the models' runs take longer
than the same runs on a bare interpreter (set the inputs, invoke, read the outputs). Pipeline and bare runs take turns,
and the least of the repeats counts, stage by stage, so that other work on the machine counts little.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from litebundle.bundle import Bundle
from litebundle.run import enter_model, read_image

ROOT = Path(__file__).parents[1]
BUNDLES = ROOT / "dist"
PHOTOS = ROOT / "calibration_data" / "formula_scan" / "validate"
GOAL = 0.05


@dataclass(frozen=True)
class Call:
    """One run of a stage's model on raw inputs."""

    stage: str
    inputs: tuple[NDArray[Any], ...]


@dataclass(frozen=True)
class Timing:
    """Milliseconds for one photo: glue, all runs of models on the bare interpreter, and what is on top of both."""

    glue_ms: float
    models_ms: float
    graph_ms: float
    calls_ms: float


class BareModel:
    """The least that running a model takes."""

    def __init__(self, content: bytes) -> None:
        self.interpreter = Interpreter(model_content=content, num_threads=1)
        self.interpreter.allocate_tensors()
        self.inputs = [detail["index"] for detail in self.interpreter.get_input_details()]
        self.outputs = [detail["index"] for detail in self.interpreter.get_output_details()]

    def run(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        for index, array in zip(self.inputs, inputs, strict=True):
            self.interpreter.set_tensor(index, array)
        self.interpreter.invoke()
        return [self.interpreter.get_tensor(index) for index in self.outputs]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", nargs="?", type=Path, help="default: the newest in dist/")
    parser.add_argument("photos", nargs="?", type=Path, default=PHOTOS, help="a picture or a folder of pictures")
    parser.add_argument("--photos", dest="count", type=int, default=12, help="how many, spread over the folder")
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    path = arguments.bundle or max(BUNDLES.glob("*.litebundle"), key=lambda found: found.stat().st_mtime)
    with Bundle.open(path) as bundle:
        bare = {stage.name: BareModel(bytes(bundle.read(stage.file))) for stage in bundle.stages}
        timings = [
            measure(bundle, bare, read_image(photo), arguments.repeats)
            for photo in spread(arguments.photos, arguments.count)
        ]
    print(f"{path.name}: {len(timings)} photos, milliseconds per photo")
    glue, models, graph, calls = (
        statistics.fmean(getattr(timing, name) for timing in timings)
        for name in ("glue_ms", "models_ms", "graph_ms", "calls_ms")
    )
    rows = (("glue", glue), ("models, bare", models), ("around nodes", graph), ("around models", calls))
    for name, value in rows:
        print(f"{name:<14}{value:>10.3f}")
    print(f"overhead / models {(graph + calls) / models:.2%}, goal at most {GOAL:.0%}")


def measure(bundle: Bundle, bare: dict[str, BareModel], photo: NDArray[Any], repeats: int) -> Timing:
    calls = record(bundle, photo)
    results, bare_ms = [], []
    for _ in range(repeats):
        results.append(bundle.run(photo))
        bare_ms.append(run_bare(bare, calls))
    stages = list(results[0].stage_ms)
    models_ms = sum(min(times[stage] for times in bare_ms) for stage in stages)
    own_ms = sum(min(result.stage_ms[stage] for result in results) for stage in stages)
    return Timing(
        glue_ms=min(result.glue_ms for result in results),
        models_ms=models_ms,
        graph_ms=min(r.total_ms - r.glue_ms - sum(r.stage_ms.values()) for r in results),
        calls_ms=own_ms - models_ms,
    )


def run_bare(bare: dict[str, BareModel], calls: Sequence[Call]) -> dict[str, float]:
    """Repeat the calls in their order; milliseconds per stage."""
    times = dict.fromkeys(bare, 0.0)
    for call in calls:
        start = time.perf_counter()
        bare[call.stage].run(call.inputs)
        times[call.stage] += 1e3 * (time.perf_counter() - start)
    return times


def record(bundle: Bundle, photo: NDArray[Any]) -> list[Call]:
    calls: list[Call] = []

    def tap(stage: str, inputs: dict[str, NDArray[Any]], outputs: dict[str, NDArray[Any]]) -> None:
        tensors = bundle.models[stage].inputs
        calls.append(Call(stage, tuple(enter_model(inputs[tensor.name], tensor, stage) for tensor in tensors)))

    bundle.run(photo, tap=tap)
    return calls


def spread(path: Path, count: int) -> list[Path]:
    """`count` pictures evenly over a folder, or the one picture."""
    if path.is_file():
        return [path]
    found = sorted(p for p in path.rglob("*") if p.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp"))
    return [found[i] for i in np.linspace(0, len(found) - 1, min(count, len(found))).astype(int)]


if __name__ == "__main__":
    main()
