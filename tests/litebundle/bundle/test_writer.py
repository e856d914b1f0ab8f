"""A bundle is there whole and proven, or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from litebundle.bundle import Bundle, write_bundle
from litebundle.errors import LitebundleError

CHILD = """
import os, pickle, resource, signal, sys
from pathlib import Path
from litebundle.bundle import writer
path, parts, what = Path(sys.argv[1]), pickle.loads(sys.stdin.buffer.read()), sys.argv[2]
if what == "killed":
    writer._prove = lambda *args: os.kill(os.getpid(), signal.SIGKILL)
if what == "full":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30000, 30000))
try:
    writer.write_bundle(path, *parts)
except OSError as error:
    print(error.filename, error.strerror)
"""


def in_child(path, parts, what):
    import pickle

    root = Path(__file__).parents[3]
    return subprocess.run(
        [sys.executable, "-c", CHILD, path, what], input=pickle.dumps(parts), capture_output=True, cwd=root
    )


def test_equal_input_gives_equal_bytes_in_two_folders(bundle_parts, tmp_path):
    manifest, files = bundle_parts
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    write_bundle(tmp_path / "a" / "x.litebundle", manifest, files)
    write_bundle(tmp_path / "b" / "y.litebundle", manifest, dict(reversed(files.items())))
    assert (tmp_path / "a" / "x.litebundle").read_bytes() == (tmp_path / "b" / "y.litebundle").read_bytes()


def test_models_lie_on_pages(bundle_path):
    data = bundle_path.read_bytes()
    with zipfile.ZipFile(bundle_path) as archive:
        models = [archive.read(name) for name in archive.namelist() if name.endswith(".tflite")]
    assert len(models) == 4
    for model in models:
        assert data.find(model) % 16384 == 0


def test_files_may_be_given_as_paths(bundle_parts, bundle_path, tmp_path):
    manifest, files = bundle_parts
    name = next(name for name in files if name.endswith(".tflite"))
    source = tmp_path / "model.tflite"
    source.write_bytes(files[name])
    write_bundle(tmp_path / "paths.litebundle", manifest, {**files, name: source})
    assert (tmp_path / "paths.litebundle").read_bytes() == bundle_path.read_bytes()


def test_only_the_bundle_is_left(bundle_path):
    assert [path.name for path in bundle_path.parent.iterdir()] == [bundle_path.name]


def test_one_that_fails_its_own_golden_vectors_is_not_kept(bundle_parts, bundle_path):
    manifest, files = bundle_parts
    before = bundle_path.read_bytes()
    files["golden/items.json"] = json.dumps([]).encode()
    with pytest.raises(
        LitebundleError, match=r"does not pass its own golden vectors.*2 items were found, expected are 0"
    ):
        write_bundle(bundle_path, manifest, files)
    assert bundle_path.read_bytes() == before
    assert [path.name for path in bundle_path.parent.iterdir()] == [bundle_path.name]


def test_killed_before_the_rename_leaves_the_old_one_and_the_next_run_cleans_up(bundle_parts, bundle_path):
    before = bundle_path.read_bytes()
    done = in_child(bundle_path, bundle_parts, "killed")
    assert done.returncode == -9
    part = bundle_path.with_name(bundle_path.name + ".part")
    assert part.exists() and bundle_path.read_bytes() == before
    write_bundle(bundle_path, *bundle_parts)
    assert not part.exists() and bundle_path.read_bytes() == before


def test_no_room_leaves_the_old_one_and_no_part(bundle_parts, bundle_path):
    before = bundle_path.read_bytes()
    done = in_child(bundle_path, bundle_parts, "full")
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().startswith(f"{bundle_path} ")
    assert bundle_path.read_bytes() == before
    assert [path.name for path in bundle_path.parent.iterdir()] == [bundle_path.name]


def test_full_disk(bundle_parts, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("a small tmpfs cannot be mounted here")
    try:
        with pytest.raises(OSError, match="No space left on device") as caught:
            write_bundle(disk / "x.litebundle", *bundle_parts)
        assert caught.value.filename == str(disk / "x.litebundle")
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_folder_that_is_not_there(bundle_parts, tmp_path):
    with pytest.raises(OSError) as caught:
        write_bundle(tmp_path / "absent" / "x.litebundle", *bundle_parts)
    assert caught.value.filename == str(tmp_path / "absent" / "x.litebundle")


def test_a_folder_that_cannot_be_written(bundle_parts, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    if os.access(locked, os.W_OK):
        pytest.skip("this user may write everywhere")
    with pytest.raises(OSError, match="Permission denied"):
        write_bundle(locked / "x.litebundle", *bundle_parts)


@pytest.mark.parametrize("name", ["../x", "a b", "manifest.json", "MANIFEST.sha256", "MANIFEST.sig", "Manifest.json"])
def test_a_name_no_bundle_may_hold(bundle_parts, tmp_path, name):
    manifest, files = bundle_parts
    with pytest.raises(LitebundleError, match="file "):
        write_bundle(tmp_path / "x.litebundle", manifest, {**files, name: b""})
    assert list(tmp_path.iterdir()) == []


def test_a_large_model_is_streamed(bundle_parts, tmp_path):
    """Peak memory of writing a file of 256 MiB from disk stays far below its size."""
    import tracemalloc

    from litebundle.bundle.layout import alignment
    from litebundle.bundle.zip_writer import write_zip

    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(256 * 2**20)
    tracemalloc.start()
    with (tmp_path / "x.zip").open("wb") as file:
        write_zip(file, {"large.tflite": large}, alignment)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20
    (tmp_path / "x.zip").unlink()


def test_opening_twice_gives_two_independent_bundles(bundle_path, app):
    with Bundle.open(bundle_path) as one, Bundle.open(bundle_path) as other:
        assert one.run(app.photo).items == other.run(app.photo).items
