"""Whatever is done to a bundle: it is refused with a LitebundleError, or it is the same bundle."""

from __future__ import annotations

import json
import random
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from litebundle.bundle import Bundle
from litebundle.errors import LitebundleError

RELAXED = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def opens(path):
    try:
        with Bundle.open(path) as bundle:
            bundle.verify()
    except LitebundleError as error:
        assert str(path) in str(error)
        return False
    return True


@RELAXED
@given(data=st.data())
def test_mutated_bytes(small_path, tmp_path, data):
    """Cut out, doubled, moved, overwritten stretches, several at a time."""
    original = small_path.read_bytes()
    mutant = bytearray(original)
    rng = random.Random(data.draw(st.integers(0, 2**32)))
    for _ in range(rng.randint(1, 3)):
        a, b = sorted(rng.randrange(len(mutant) + 1) for _ in range(2))
        at = rng.randrange(len(mutant) + 1)
        stretch = bytes(mutant[a : min(b, a + rng.choice([1, 4, 64, 20000]))])
        match rng.randrange(4):
            case 0:
                del mutant[a : a + len(stretch)]
            case 1:
                mutant[at:at] = stretch
            case 2:
                mutant[at : at + len(stretch)] = stretch
            case 3:
                mutant[at : at + 4] = rng.randbytes(4)
    path = tmp_path / "mutant.litebundle"
    path.write_bytes(mutant)
    assert opens(path) == (bytes(mutant) == original)


REPLACEMENTS = [None, True, 0, -1, 10**30, 1.5, "", "x", "../x", "photo", [], ["x"], {}, {"x": 1}, [[1, 2], [3]]]


def places(document, path=()):
    entries = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in entries:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


@RELAXED
@given(data=st.data())
def test_mutated_manifest_with_its_digest_made_right(bundle_path, tmp_path, rewrite, data):
    """No damage but malice: any value of the manifest replaced or removed. Nothing but LitebundleError may escape."""
    with Bundle.open(bundle_path) as bundle:
        document = json.loads(bytes(bundle.read("manifest.json")))
    *parents, key = data.draw(st.sampled_from(list(places(document))))
    parent = document
    for step in parents:
        parent = parent[step]
    if data.draw(st.booleans()):
        parent[key] = data.draw(st.sampled_from(REPLACEMENTS))
    else:
        del parent[key]
    opens(rewrite(bundle_path, tmp_path / "mutant.litebundle", {"manifest.json": json.dumps(document).encode()}))


@RELAXED
@given(data=st.data())
def test_mutated_model_with_its_digest_made_right(bundle_path, tmp_path, rewrite, data, app):
    name = data.draw(st.sampled_from(sorted(app.models)))
    model = bytearray(app.models[name])
    for _ in range(data.draw(st.integers(1, 3))):
        model[data.draw(st.integers(0, len(model) - 1))] = data.draw(st.integers(0, 255))
    index = list(app.models).index(name) + 1
    changed = {f"stages/{index:02d}-{name}/model.tflite": bytes(model)}
    path = rewrite(bundle_path, tmp_path / "mutant.litebundle", changed)
    try:
        Bundle.open(path).close()
    except LitebundleError as error:
        assert "mutant" in str(error)


def test_a_file_lost_from_a_folder(small_path, tmp_path, unpack):
    folder = unpack(small_path, tmp_path / "folder")
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        kept = path.read_bytes()
        path.unlink()
        with pytest.raises(LitebundleError):
            Bundle.open(folder)
        path.write_bytes(kept)
    shutil.rmtree(folder)
    with pytest.raises(LitebundleError, match="no such bundle"):
        Bundle.open(folder)
