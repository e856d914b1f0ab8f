"""How long the example takes to build: everything, nothing changed, one stage changed; then calibration and running.

    python bench/build.py [PIPELINE]

The pipeline's folder is copied without its cache, so that the first build does every step. Wall time is what a user
waits; processor time, with all processes of the build, is what it costs and depends least on other work here.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from litebundle.pipeline import load_pipeline

ROOT = Path(__file__).parents[1]
BENCH = Path(__file__).parent
EXAMPLE = ROOT / "examples" / "formula_scan"
DATA = "calibration_data"
STEP = re.compile(r"(.+): (\d+\.\d) s")
NOT_COPIED = shutil.ignore_patterns(".litebundle", ".cache", "__pycache__", "dist")


@dataclass(frozen=True)
class Step:
    title: str
    wall_s: float


@dataclass(frozen=True)
class Build:
    """One `litebundle build` as a command, with the steps that it reports."""

    wall_s: float
    processor_s: float
    steps: tuple[Step, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipeline", nargs="?", type=Path, default=EXAMPLE, help="its folder; default: the example")
    original = parser.parse_args().pipeline.resolve()
    with tempfile.TemporaryDirectory(prefix="litebundle-bench-") as scratch:
        project = copy(original, Path(scratch))
        output = Path(scratch) / "dist"
        show("first build", build(project, output))
        show("nothing changed", build(project, output))
        floats = sorted((project / ".litebundle/cache").glob("convert-*/model.tflite"))
        change_last_stage(project)
        show("last stage changed", build(project, output))
        run_script("calibration.py", *map(str, floats))
        photos = str(load_pipeline(project).data.validate)
        run_script("run.py", *map(str, output.glob("*.litebundle")), photos)


def copy(pipeline: Path, scratch: Path) -> Path:
    """A copy without its cache; a pipeline of this repository finds the repository's data sets as before."""
    inside = pipeline.is_relative_to(ROOT)
    project = scratch / (pipeline.relative_to(ROOT) if inside else pipeline.name)
    shutil.copytree(pipeline, project, ignore=NOT_COPIED)
    if inside:
        (scratch / DATA).symlink_to(ROOT / DATA)
    return project


def build(project: Path, output: Path) -> Build:
    command = [sys.executable, "-m", "litebundle", "build", str(project), "--output", str(output), "--json"]
    start = time.perf_counter()
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.perf_counter() - start
    if process.returncode not in (0, 1):
        sys.exit(said)
    steps = tuple(Step(found[1], float(found[2])) for found in map(STEP.fullmatch, said.splitlines()) if found)
    return Build(wall_s, usage.ru_utime + usage.ru_stime, steps)


def change_last_stage(project: Path) -> None:
    """Make the last stage another one, to be converted, calibrated, quantized and validated again."""
    path = project / "pipeline.toml"
    head, stage, tail = path.read_text(encoding="utf-8").rpartition("[[stage]]")
    path.write_text(f"{head}{stage}\nparity_tolerance = 2e-4\n{tail}", encoding="utf-8")


def show(title: str, done: Build) -> None:
    print(f"\n{title}: {done.wall_s:.1f} s, processor {done.processor_s:.1f} s")
    for step in done.steps:
        print(f"  {step.title:<44}{step.wall_s:>7.1f} s {step.wall_s / done.wall_s:>6.1%}")
    if done.steps:
        rest = done.wall_s - sum(step.wall_s for step in done.steps)
        print(f"  {'start, digests, cache':<44}{rest:>7.1f} s {rest / done.wall_s:>6.1%}", flush=True)


def run_script(name: str, *arguments: str) -> None:
    print(f"\n{name}", flush=True)
    subprocess.run([sys.executable, str(BENCH / name), *arguments], check=True)


if __name__ == "__main__":
    main()
