"""The Kotlin core beside its peers in Python, all in one run.

    python bench/harness.py [BUNDLE] [--only frames|glue]

Frames: what a frame costs in the Kotlin core besides glue operations and models (the border of the models, the token
loop, the executor, its marks, the result), with the glue beside it and the heap that a frame allocates; then whole
frames on one thread, Kotlin with TensorFlow Lite against the Python runner with LiteRT.

Glue: each operation of docs/glue.md on inputs as the example has them, Kotlin against numpy.

The least of many repeats counts, photo by photo and operation by operation, so that other work on the machine counts
little. Needs a JDK and Maven, as `make harness` does.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from litebundle.bundle import Bundle
from litebundle.glue import OPERATIONS
from litebundle.run import read_image

ROOT = Path(__file__).parents[1]
HARNESS = ROOT / "android_harness"
PHOTO = ROOT / "calibration_data" / "formula_scan" / "validate" / "clean-000.webp"
CORE_GOAL_MS = 0.2
LEAST_RUNS = 20
LEAST_S = 0.4


@dataclass(frozen=True)
class Use:
    """One use of an operation: attributes as in a manifest, but `labels` the list itself; inputs in order."""

    op: str
    attributes: Mapping[str, Any]
    inputs: tuple[Any, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", nargs="?", type=Path, default=ROOT / "dist" / "formula_scan-0.1.0.litebundle")
    parser.add_argument("--only", choices=("frames", "glue"))
    arguments = parser.parse_args()
    if not arguments.bundle.is_file():
        parser.error(f"there is no bundle {arguments.bundle}; make quantize builds the example's")
    class_path = compile_harness()
    if arguments.only != "glue":
        compare_frames(arguments.bundle.resolve(), class_path)
    if arguments.only != "frames":
        compare_glue(class_path)


def compile_harness() -> str:
    """Compile the Kotlin benchmarks; the class path that runs them."""
    goal = "org.apache.maven.plugins:maven-dependency-plugin:build-classpath"
    options = ["-Dexec.skip", "-Dmdep.includeScope=test", "-Dmdep.outputFile=target/test.classpath"]
    modules = ["-f", str(HARNESS / "pom.xml"), "-pl", "core-tests,engine-tflite", "-am"]
    subprocess.run(["mvn", "-q", "-B", *modules, "test-compile", goal, *options], check=True)
    tests = [HARNESS / module / "target" for module in ("core-tests", "engine-tflite")]
    folders = [HARNESS / "core/target/classes", HARNESS / "engine-tflite/target/classes"]
    folders += [target / "test-classes" for target in tests]
    return ":".join([*map(str, folders), *((target / "test.classpath").read_text() for target in tests)])


def java(class_path: str, main_class: str, *arguments: object, root: Path = ROOT) -> dict[str, list[str]]:
    """What `main_class` printed: first word of a line -> the others."""
    command = ["java", f"-Dlitebundle.root={root}", "-cp", class_path, main_class, *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return {words[0]: words[1:] for words in map(str.split, done.stdout.splitlines()) if words}


def compare_frames(bundle: Path, class_path: str) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        expect = [sys.executable, str(HARNESS / "parity" / "expect.py"), str(bundle), "-o", temporary]
        subprocess.run(expect, check=True, stdout=subprocess.DEVNULL)
        core = java(class_path, "org.litebundle.core.bench.CoreBenchKt", bundle, temporary)
        kotlin = java(class_path, "org.litebundle.engine.tflite.bench.FrameBenchKt", bundle, temporary)
        python = python_frames(bundle, Path(temporary) / "photos")
    glue_ms, core_ms = ([int(row[column]) / 1e6 for row in core.values()] for column in (0, 1))
    print(f"{bundle.name}: {len(core)} photos, milliseconds per frame")
    print(f"{'':<34}{'mean':>8}{'most':>8}")
    print(f"{'core without glue and models':<34}{statistics.fmean(core_ms):>8.3f}{max(core_ms):>8.3f}", end="")
    print(f"   goal at most {CORE_GOAL_MS}: {'held' if max(core_ms) <= CORE_GOAL_MS else 'MISSED'}")
    print(f"{'glue operations':<34}{statistics.fmean(glue_ms):>8.3f}{max(glue_ms):>8.3f}")
    print(f"{'heap allocated, bytes':<34}{'':>8}{max(int(row[2]) for row in core.values()):>8}")
    ours = [int(row[0]) / 1e6 for row in kotlin.values()]
    print(f"{'whole frame, Kotlin':<34}{statistics.fmean(ours):>8.3f}{max(ours):>8.3f}")
    print(f"{'whole frame, Python':<34}{statistics.fmean(python.values()):>8.3f}{max(python.values()):>8.3f}")
    ratios = [int(kotlin[name][0]) / 1e6 / python[name] for name in python]
    print(f"Kotlin / Python, geometric mean {statistics.geometric_mean(ratios):.2f}\n")


def python_frames(bundle: Path, photos: Path) -> dict[str, float]:
    """Photo -> the least time of a frame of the Python runner, in milliseconds."""
    with Bundle.open(bundle) as opened:
        images = {path.name: read_image(path) for path in sorted(photos.glob("*.png"))}
        return {name: 1e3 * least_s(partial(opened.run, image), 8, 0.0) for name, image in images.items()}


def compare_glue(class_path: str) -> None:
    uses = example_uses()
    with tempfile.TemporaryDirectory() as root:
        for use in uses:
            write_vector(use, Path(root) / "tests" / "vectors" / "glue" / use.op)
        kotlin = java(class_path, "org.litebundle.core.bench.GlueBenchKt", root=Path(root))
    print(f"{'glue operation':<18}{'Kotlin µs':>12}{'numpy µs':>12}{'ratio':>8}")
    ratios = []
    for use in uses:
        ours_us, numpy_us = int(kotlin[use.op][1]) / 1e3, 1e6 * numpy_s(use)
        ratios.append(ours_us / numpy_us)
        print(f"{use.op:<18}{ours_us:>12.1f}{numpy_us:>12.1f}{ratios[-1]:>8.2f}")
    print(f"{'geometric mean':<42}{statistics.geometric_mean(ratios):>8.2f}")


def numpy_s(use: Use) -> float:
    operation = OPERATIONS[use.op]
    attributes = operation.attributes.model_validate(dict(use.attributes))
    return least_s(lambda: operation.run(attributes, *use.inputs), LEAST_RUNS, LEAST_S)


def least_s(action: Callable[[], object], runs: int, seconds: float) -> float:
    """The least time of at least `runs` runs, and of as many as fit into `seconds`."""
    end = time.perf_counter() + seconds
    least = float("inf")
    while runs > 0 or time.perf_counter() < end:
        start = time.perf_counter()
        action()
        least = min(least, time.perf_counter() - start)
        runs -= 1
    return least


def write_vector(use: Use, folder: Path) -> None:
    """`use` in the form of docs/glue.md, "Test vectors", without its outputs."""
    folder.mkdir(parents=True)
    inputs: dict[str, Any] = {}
    for port, array in zip(OPERATIONS[use.op].inputs, use.inputs, strict=True):
        file = f"bench.{port.name}.bin"
        (folder / file).write_bytes(np.ascontiguousarray(array).tobytes())
        inputs[port.name] = {"dtype": array.dtype.name, "shape": list(array.shape), "file": file}
    document = {"op": use.op, "case": "bench", "attributes": use.attributes, "inputs": inputs, "outputs": {}}
    (folder / "bench.json").write_text(json.dumps(document), encoding="utf-8")


def example_uses() -> list[Use]:
    """Every operation once, on a photo of the example or on what its stages make of one."""
    random = np.random.default_rng(1)
    photo = read_image(PHOTO)
    width = photo.shape[1]
    crop = np.ascontiguousarray(photo[:160, :400])
    canvas = np.ascontiguousarray(photo[:320, :320])
    geometry = np.array([320 / width, 320 / width, 0, 0, 320, 320], np.float64)
    lines = np.array([[40, 60 + 90 * i, 400, 130 + 90 * i, 0.9] for i in range(4)], np.float32)
    corners = random.uniform(0, 600, (200, 2))
    many = np.hstack([corners, corners + random.uniform(20, 120, (200, 2)), random.uniform(0, 1, (200, 1))])
    labels = [f"\\label{i}" for i in range(109)]
    probabilities = random.dirichlet(np.ones(109), (1, 64)).astype(np.float32)
    return [
        Use("convert_color", {"to": "gray"}, (crop,)),
        Use("resize", {"size": [320, 320]}, (photo,)),
        Use("letterbox", {"size": [320, 320]}, (photo,)),
        Use("fit_height", {"height": 48, "max_width": 256}, (crop,)),
        Use("crop_boxes", {"margin": 0.16, "min_size": 4}, (photo, lines)),
        Use("rotate_upright", {}, (crop, np.array([[0, 3, 1, 0]], np.float32))),
        Use("normalize", {"mean": [127.5], "std": [127.5]}, (canvas,)),
        Use("to_tensor", {}, (canvas,)),
        Use("pad", {"size": [48, 256]}, (random.normal(size=(1, 48, 180, 1)).astype(np.float32),)),
        Use(
            "heatmap_boxes",
            {"threshold": 0.4, "iou": 0.3, "max": 32},
            (peaks(80), np.full((1, 80, 80, 4), 0.1, np.float32), geometry, photo),
        ),
        Use("dbnet_boxes", {}, (text_map(160), geometry, photo)),
        Use("nms", {"iou": 0.5}, (many.astype(np.float32),)),
        Use("softmax_top_k", {"labels": labels}, (random.normal(size=(1, 109)).astype(np.float32),)),
        Use("ctc_decode", {"labels": labels}, (probabilities,)),
        Use("detokenize", {"labels": labels, "style": "latex"}, (random.integers(0, 109, 24).astype(np.int32),)),
    ]


def peaks(side: int) -> NDArray[np.float32]:
    """A heat map [1, side, side, 1] with five hills."""
    rows, columns = np.mgrid[:side, :side]
    hills = [np.exp(-((rows - 15 * i) ** 2 + (columns - 14 * i) ** 2) / 8) for i in range(1, 6)]
    heat: NDArray[np.float64] = np.max(hills, axis=0)
    return heat[None, :, :, None].astype(np.float32)


def text_map(side: int) -> NDArray[np.float32]:
    """A probability map [1, side, side, 1] with six text lines."""
    found = np.zeros((1, side, side, 1), np.float32)
    for i in range(6):
        found[0, 10 + 25 * i : 20 + 25 * i, 12 : 60 + 15 * i] = 0.9
    return found


if __name__ == "__main__":
    main()
