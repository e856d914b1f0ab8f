"""The end of a build: drift judged, bundle packed and proven, host measured, report written."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from litebundle.build import records
from litebundle.build.cache import Cache
from litebundle.build.cascade import run_cascade
from litebundle.build.cascade_report import CascadeReport
from litebundle.build.measure import measure
from litebundle.build.pack import bundle_files
from litebundle.build.plan import Plan
from litebundle.build.progress import Progress
from litebundle.build.steps import Steps, spread
from litebundle.build.variants import Job
from litebundle.build.verdict import Verdict as Judgement
from litebundle.build.verdict import judge
from litebundle.bundle import Bundle, Verdict, write_bundle
from litebundle.data import DataSet
from litebundle.documents import plain
from litebundle.files import write_atomically
from litebundle.requirements import fell_short, hold
from litebundle.run import Runner, read_image

MEASURED_PHOTOS = 24
PICTURE_SIDE = 480
PICTURES = "report/pictures.json"
# Enough digits to compare by, few enough that drift does not weigh on the phone.
DIGITS = 6


def publish(
    plan: Plan, cache: Cache, progress: Progress, bundle: Path, report: Path, measurements: Path
) -> dict[str, Any]:
    """Make everything that is not in the cache, write the three files, and return the build's summary."""
    steps = Steps(plan, cache, progress)
    cascade = _cascade(steps)
    judgements = judge(plan.pipeline, cascade)
    pictures = _pictures(cascade, plan.validate)
    manifest, files = bundle_files(steps, [_verdict(j) for j in judgements], _documents(steps, cascade, judgements))
    with progress.step("pack and prove the bundle"):
        write_bundle(bundle, manifest, files | pictures)
    photos = [sample.path for sample in spread(plan.validate.samples, MEASURED_PHOTOS)]
    with progress.step("measure this host", len(photos)) as advance:
        runner = Runner(plan.graph, steps.models, steps.labels)
        measured = plain(measure(bundle, runner, photos, list(steps.models), advance))
    write_atomically(measurements, _json(measured))
    with progress.step("write the report"), Bundle.open(bundle) as opened:
        from litebundle.report import render

        write_atomically(report, render(opened, measured).encode())
    verdicts = hold(manifest, bundle.stat().st_size, measured)
    return {
        "size_bytes": bundle.stat().st_size,
        "held": not fell_short(verdicts),
        "verdicts": plain(verdicts),
        "stages": [_stage_summary(stage.name, steps) for stage in plan.pipeline.stages],
    }


def _cascade(steps: Steps) -> CascadeReport:
    plan = steps.plan
    artefact = steps.cache.get("cascade", plan.cascade)
    if artefact is None:
        job = Job(
            plan.float_graph,
            plan.graph,
            {name: conversion.tflite for name, conversion in steps.conversions.items()},
            {name: quantized.tflite for name, quantized in steps.quantized.items()},
            steps.labels,
        )
        with steps.progress.step("validate end to end", len(plan.validate.samples)) as advance:
            found = run_cascade(job, plan.validate, advance=advance)
        artefact = steps.cache.put("cascade", plan.cascade, {"cascade.json": records.to_bytes(found)})
    return records.from_bytes(CascadeReport, artefact.read("cascade.json"))


def _documents(steps: Steps, cascade: CascadeReport, judgements: Sequence[Judgement]) -> Mapping[str, Any]:
    """The bundle's JSON files besides the manifest; per-sample scores stay behind, they would weigh most."""
    whole = plain(cascade, DIGITS)
    del whole["records"]
    return {
        "drift.json": {
            "stages": plain(steps.drifts, DIGITS),
            "parity": plain(steps.parities, DIGITS),
            "cascade": whole,
        },
        "preflight.json": {
            name: {
                "rows": plain(q.preflight.rows),
                "islands": q.preflight.islands,
                "warnings": list(q.preflight.warnings),
                "bias_repairs": plain(q.bias_repairs, DIGITS),
                "float_size_bytes": len(steps.conversions[name].tflite),
            }
            for name, q in steps.quantized.items()
        },
        "budgets.json": plain(judgements, DIGITS),
    }


def _pictures(cascade: CascadeReport, data: DataSet) -> dict[str, bytes]:
    """Small pictures of the worst samples, so that the report needs nothing but the bundle.

    Named by number, since a data set's names may hold what a bundle's may not; `report/pictures.json` says which
    sample each shows and the size in pixels of its photo, which boxes are given in.
    """
    paths = {sample.path.relative_to(data.folder).as_posix(): sample.path for sample in data.samples}
    index: dict[str, dict[str, object]] = {}
    files: dict[str, bytes] = {}
    for number, name in enumerate(sorted({row.sample for row in cascade.worst})):
        picture = Image.fromarray(read_image(paths[name]))
        file = f"report/{number:02d}.webp"
        index[name] = {"file": file, "width": picture.width, "height": picture.height}
        files[file] = _small_picture(picture)
    return {PICTURES: _json(index), **files}


def _small_picture(picture: Image.Image) -> bytes:
    picture.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=60)
    return stream.getvalue()


def _verdict(judgement: Judgement) -> Verdict:
    return Verdict(
        requirement=judgement.requirement,
        stage=judgement.stage,
        metric=judgement.metric,
        limit=judgement.limit,
        measured=judgement.measured,
        low=judgement.low,
        high=judgement.high,
        samples=judgement.samples,
        verdict=judgement.verdict,
    )


def _stage_summary(name: str, steps: Steps) -> dict[str, Any]:
    quantized = steps.quantized[name]
    return {
        "name": name,
        "scheme": quantized.scheme,
        "size_bytes": len(quantized.tflite),
        "float_size_bytes": len(steps.conversions[name].tflite),
        "parity_max_rel": steps.parities[name].max_rel,
        "float_islands": quantized.preflight.islands,
    }


def _json(document: Any) -> bytes:
    return f"{json.dumps(document, ensure_ascii=False, indent=2)}\n".encode()
