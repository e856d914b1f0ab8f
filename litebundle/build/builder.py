"""The build: sources → float models → ranges → quantized models → drift → bundle → report.

Every step is found in the cache by what went into it, else made and put there; what the user sees is written
last, under a temporary name, and renamed.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from litebundle.build.cache import Cache
from litebundle.build.digests import digest_of
from litebundle.build.plan import Plan, make_plan
from litebundle.build.progress import Progress
from litebundle.errors import LitebundleError
from litebundle.files import digest_file
from litebundle.pipeline import load_pipeline

CACHE_FOLDER = ".litebundle/cache"
SUMMARY = "summary.json"
CLOCKED = frozenset({"offline_latency_p90_ms", "qps", "memory_mb"})


@dataclass(frozen=True)
class Published:
    """What a build leaves for its user; `unchanged`: nothing had to be done.

    `summary` has: size_bytes, held, verdicts (as in the manifest), stages (name, scheme, size_bytes,
    float_size_bytes, parity_max_rel, float_islands).
    """

    bundle: Path
    report: Path
    measurements: Path
    summary: Mapping[str, Any]
    unchanged: bool


def build(path: Path, output: Path, progress: Progress) -> Published:
    """Build the pipeline of `path` (its folder or its `pipeline.toml`) into the folder `output`.

    Writes `<name>-<version>.litebundle`, its `.html` report and its `.measurements.json`. A build that is
    killed leaves an earlier result whole and goes on from the last finished step the next time.

    Raises:
        LitebundleError, converter.ConversionError, quantize.QuantizationError: Bad input, by stage.
        OSError: A disk that is full or a folder that cannot be written; nothing half-written is left.
    """
    if find_spec("jinja2") is None:
        raise LitebundleError("a build writes a report, which needs jinja2: pip install 'litebundle[report]'")
    pipeline = load_pipeline(path)
    cache = Cache(pipeline.root / CACHE_FOLDER)
    plan = make_plan(pipeline)
    published = _published(plan, cache, output)
    if published is not None:
        return published
    with cache.locked(lambda: progress.note("waiting for another build of this pipeline")):
        return _published(plan, cache, output) or _publish(plan, cache, output, progress)


def _publish(plan: Plan, cache: Cache, output: Path, progress: Progress) -> Published:
    from litebundle.build.publish import publish

    files = _files(plan, output)
    _make_ready(output, files)
    summary = publish(plan, cache, progress, *files)
    summary["files"] = {file.name: digest_file(file) for file in files}
    cache.prune()
    cache.put("build", _key(plan, output), {SUMMARY: json.dumps(summary, sort_keys=True).encode()})
    return Published(*files, summary, unchanged=False)


def _make_ready(output: Path, files: Iterable[Path]) -> None:
    """Refuse a folder that cannot be written before the work is done, and drop what a killed build left in it."""
    output.mkdir(parents=True, exist_ok=True)
    if not os.access(output, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(output))
    for file in files:
        for pattern in (f"{file.name}.part", f".{file.name}.*.part"):
            for part in output.glob(pattern):
                part.unlink()


def _published(plan: Plan, cache: Cache, output: Path) -> Published | None:
    """The earlier result, when nothing changed and its files are still what that build wrote."""
    artefact = cache.get("build", _key(plan, output))
    if artefact is None:
        return None
    summary = artefact.json(SUMMARY)
    files = _files(plan, output)
    if any(not file.is_file() or digest_file(file) != summary["files"].get(file.name) for file in files):
        return None
    if any(v["requirement"] in CLOCKED and v["verdict"] == "fail" for v in summary["verdicts"]):
        # A busy host may have missed it: measured anew rather than held against the bundle for ever.
        return None
    return Published(*files, summary, unchanged=True)


def _key(plan: Plan, output: Path) -> str:
    return digest_of(plan.whole, str(output.resolve()))


def _files(plan: Plan, output: Path) -> tuple[Path, Path, Path]:
    stem = f"{plan.pipeline.name}-{plan.pipeline.version}"
    return output / f"{stem}.litebundle", output / f"{stem}.html", output / f"{stem}.measurements.json"
