"""Data sets of any size: recorded inputs come in chunks, pictures one by one."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from pathlib import Path

import pytest
from PIL import Image

from litebundle.build.builder import CACHE_FOLDER
from litebundle.build.cache import Cache
from litebundle.build.calibrate import stage_inputs
from litebundle.build.cascade import run_cascade
from litebundle.build.plan import make_plan
from litebundle.build.steps import Steps
from litebundle.build.variants import Job
from litebundle.pipeline import load_pipeline
from quantize import Ranges, calibrate
from tests.litebundle.build.conftest import RecordedProgress

STAGES = ("find", "encode", "decode")


@pytest.fixture(scope="module")
def steps(built: Path) -> Steps:
    return Steps(make_plan(load_pipeline(built)), Cache(built / CACHE_FOLDER), RecordedProgress())


def ranges_in_chunks(steps: Steps, chunk_bytes: int, method: str) -> tuple[int, dict[str, Ranges]]:
    chunks = list(
        stage_inputs(
            steps.plan.float_graph,
            steps.float_models,
            steps.labels,
            steps.plan.calibrate.samples,
            STAGES,
            chunk_bytes=chunk_bytes,
        )
    )
    merged = {
        name: reduce(
            Ranges.merge,
            [calibrate(steps.conversions[name].tflite, chunk[name], method=method) for chunk in chunks],
        )
        for name in STAGES
    }
    return len(chunks), merged


@pytest.mark.parametrize("method", ["minmax", "percentile"])
def test_ranges_do_not_depend_on_the_chunks(steps: Steps, method: str) -> None:
    whole_chunks, whole = ranges_in_chunks(steps, 2**30, method)
    some_chunks, some = ranges_in_chunks(steps, 30_000, method)
    most_chunks, most = ranges_in_chunks(steps, 1, method)
    assert whole_chunks == 1 < some_chunks < most_chunks == len(steps.plan.calibrate.samples)
    for name in STAGES:
        assert some[name].to_json() == whole[name].to_json()
        assert most[name].to_json() == whole[name].to_json()


def test_shared_inputs_count_once(steps: Steps) -> None:
    """A decoder is given the same memory at every step: what is held is one memory per card."""
    (chunk,) = stage_inputs(
        steps.plan.float_graph, steps.float_models, steps.labels, steps.plan.calibrate.samples, ["encode", "decode"]
    )
    memories = {id(sample["memory"]) for sample in chunk["decode"]}
    assert len(memories) == len(chunk["encode"]) < len(chunk["decode"])


@pytest.fixture
def big_pictures(steps: Steps, tmp_path: Path) -> Callable[[int], list]:
    """Samples whose pictures are 16 times as large, as many as asked for."""

    def make(count: int) -> list:
        samples = []
        for i in range(count):
            sample = steps.plan.validate.samples[i % len(steps.plan.validate.samples)]
            path = tmp_path / f"{i}.png"
            Image.open(sample.path).resize((1024, 1024), Image.Resampling.NEAREST).save(path, compress_level=1)
            samples.append(replace(sample, path=path))
        return samples

    return make


def peak_bytes(work: Callable[[], object]) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_calibration_holds_one_picture_at_a_time(steps: Steps, big_pictures: Callable[[int], list]) -> None:
    samples = big_pictures(16)

    def record(count: int) -> None:
        for _ in stage_inputs(
            steps.plan.float_graph, steps.float_models, steps.labels, samples[:count], STAGES, chunk_bytes=100_000
        ):
            pass

    few = peak_bytes(lambda: record(3))
    many = peak_bytes(lambda: record(16))
    assert many < few + 2 * 3 * 1024**2, "pictures are 3 MiB each, and 13 more were run"


def test_validation_holds_one_picture_per_worker(
    steps: Steps, big_pictures: Callable[[int], list], tmp_path: Path
) -> None:
    samples = big_pictures(16)
    job = Job(
        steps.plan.float_graph,
        steps.plan.graph,
        {name: conversion.tflite for name, conversion in steps.conversions.items()},
        {name: quantized.tflite for name, quantized in steps.quantized.items()},
        steps.labels,
    )

    def validate(count: int) -> None:
        run_cascade(job, replace(steps.plan.validate, folder=tmp_path, samples=tuple(samples[:count])), workers=1)

    few = peak_bytes(lambda: validate(3))
    many = peak_bytes(lambda: validate(16))
    assert many < few + 2 * 3 * 1024**2, "pictures are 3 MiB each, and 13 more were run"
