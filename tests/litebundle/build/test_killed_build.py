"""kill -9 and Ctrl-C at any moment: what can be seen is whole, and the next build completes."""

from __future__ import annotations

import json
import multiprocessing
import random
import shutil
import signal
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from litebundle.build.builder import CACHE_FOLDER, build
from litebundle.build.cache import Cache
from tests.litebundle.build.conftest import RecordedProgress
from tests.litebundle.build.killed_build import build_until
from tests.litebundle.build.scanner import change_weights

NAME = "scanner-1.0.0"
KILLED = (-signal.SIGKILL, -signal.SIGXFSZ)


@pytest.fixture
def changed(scanner: Path) -> Path:
    """A project whose first stage changed since it was built: every step but two conversions is to be done."""
    change_weights(scanner, "find", "sides", lambda array: array * 2)
    return scanner


@pytest.fixture
def undisturbed(changed: Path, tmp_path: Path) -> Path:
    """A copy of `changed`, built where nothing kills it."""
    copy = shutil.copytree(changed, tmp_path / "undisturbed")
    build(copy, copy / "dist", RecordedProgress())
    return copy


def bundle(root: Path) -> bytes:
    return (root / f"dist/{NAME}.litebundle").read_bytes()


@pytest.fixture(scope="session")
def fork_server() -> multiprocessing.context.ForkServerContext:
    """Processes that need not import everything again."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["litebundle.build.publish", "litebundle.report", "quantize.engine"])
    return context


def assert_whole(root: Path, bundles: set[bytes]) -> None:
    """Whatever has a result's name is a whole result; whatever the cache gives is what was put there."""
    results = root / "dist"
    assert bundle(root) in bundles
    report = (results / f"{NAME}.html").read_text(encoding="utf-8")
    assert report.lower().startswith("<!doctype html>") and report.rstrip().endswith("</html>")
    assert json.loads((results / f"{NAME}.measurements.json").read_text(encoding="utf-8"))["photos"] > 0
    cache = Cache(root / CACHE_FOLDER)
    for folder in cache.root.glob("*-*/"):
        step, _, key = folder.name.partition("-")
        artefact = cache.get(step, key)
        assert artefact is None or all(artefact.read(name) for name in artefact.digests)


def assert_clean(root: Path) -> None:
    assert [path.name for path in root.rglob("*.part")] == []
    assert {path.name for path in (root / "dist").iterdir()} == {
        f"{NAME}.{suffix}" for suffix in ("litebundle", "html", "measurements.json")
    }


def test_killed_before_any_change_of_the_file_system(
    changed: Path, undisturbed: Path, fork_server: multiprocessing.context.ForkServerContext
) -> None:
    bundles = {bundle(changed), bundle(undisturbed)}
    seeded = random.Random(3)
    kills = 0
    while True:
        event = seeded.randrange(1, 20)
        process = start(fork_server, changed, event)
        process.join()
        assert_whole(changed, bundles)
        if process.exitcode == 0:
            break
        assert process.exitcode in KILLED
        kills += 1
        assert kills < 60, "builds make no headway"
    assert kills > 5
    assert bundle(changed) == bundle(undisturbed)
    assert_clean(changed)
    assert build(changed, changed / "dist", RecordedProgress()).unchanged


def test_killed_at_each_change_while_publishing(
    changed: Path, undisturbed: Path, fork_server: multiprocessing.context.ForkServerContext
) -> None:
    """All steps are in the cache: what is left is to write the results over the earlier ones."""
    shutil.copytree(undisturbed / CACHE_FOLDER, changed / CACHE_FOLDER, dirs_exist_ok=True)
    for folder in (changed / CACHE_FOLDER).glob("build-*"):
        shutil.rmtree(folder)
    bundles = {bundle(changed), bundle(undisturbed)}
    for event in range(60):
        process = start(fork_server, changed, event)
        process.join()
        assert_whole(changed, bundles)
        if process.exitcode == 0:
            break
        assert process.exitcode in KILLED
    assert 6 < event < 59
    assert bundle(changed) == bundle(undisturbed)
    assert_clean(changed)


def test_killed_at_random_times(
    changed: Path, undisturbed: Path, fork_server: multiprocessing.context.ForkServerContext
) -> None:
    bundles = {bundle(changed), bundle(undisturbed)}
    seeded = random.Random(4)
    for _ in range(6):
        process = start(fork_server, changed, 10**9)
        process.join(seeded.uniform(0.05, 1.5))
        process.kill()
        process.join()
        assert_whole(changed, bundles)
    build(changed, changed / "dist", RecordedProgress())
    assert bundle(changed) == bundle(undisturbed)
    assert_clean(changed)


def start(context: multiprocessing.context.ForkServerContext, project: Path, event: int) -> ForkServerProcess:
    process = context.Process(target=build_until, args=(project, event))
    process.start()
    return process
