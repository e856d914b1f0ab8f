from __future__ import annotations

import hashlib
import json
import re

import jsonschema
import numpy as np
import pytest
from PIL import Image

from litebundle.bundle import Bundle
from litebundle.bundle.manifest import manifest_schema
from litebundle.errors import LitebundleError


def without_score(result):
    return [{key: value for key, value in item.items() if key != "score"} for item in result.items]


def test_runs_on_an_array_and_on_a_file(bundle_path, app, tmp_path):
    picture = tmp_path / "photo.png"
    Image.fromarray(app.photo).save(picture)
    with Bundle.open(bundle_path) as bundle:
        for photo in (app.photo, picture, str(picture)):
            assert sorted(without_score(bundle.run(photo)), key=lambda item: item["angle"]) == app.items
        assert [stage.name for stage in bundle.stages] == list(app.models)
        assert bundle.graph.to_json() == app.graph.to_json()


def test_reads_files_as_they_were_given_without_a_copy(bundle_path, bundle_parts):
    _, files = bundle_parts
    with Bundle.open(bundle_path) as bundle:
        for name, data in files.items():
            view = bundle.read(name)
            assert isinstance(view, memoryview) and view == data
        with pytest.raises(LitebundleError, match="there is no file 'absent'"):
            bundle.read("absent")


def test_verifies_its_golden_vectors(bundle_path, app):
    with Bundle.open(bundle_path) as bundle:
        verification = bundle.verify()
    assert verification.passed
    names = [vector.name for vector in verification.vectors]
    assert names == ["locate/0", "colour/0", "number/0", "count/0", "pipeline/0"]
    assert json.loads(json.dumps(verification.to_json()))["passed"] is True


def test_an_unpacked_bundle_is_a_bundle(bundle_path, app, tmp_path, unpack):
    with Bundle.open(unpack(bundle_path, tmp_path / "folder")) as bundle:
        assert len(bundle.run(app.photo).items) == 2
        assert bundle.verify().passed


def test_works_under_a_korean_path(write, app, tmp_path):
    folder = tmp_path / "수식 인식"
    folder.mkdir()
    with Bundle.open(write(folder / "앱.litebundle")) as bundle:
        assert len(bundle.run(app.photo).items) == 2


def test_views_stay_readable_while_they_are_held(bundle_path):
    bundle = Bundle.open(bundle_path)
    view = bundle.read("manifest.json")
    bundle.close()
    assert bytes(view).startswith(b"{")


def test_absent_bundle(tmp_path):
    with pytest.raises(LitebundleError, match="no such bundle"):
        Bundle.open(tmp_path / "absent.litebundle")


@pytest.mark.parametrize("data", [b"", b"PK", b"text\n" * 100])
def test_what_is_no_bundle(tmp_path, data):
    path = tmp_path / "x.litebundle"
    path.write_bytes(data)
    with pytest.raises(LitebundleError, match=r"x\.litebundle: it "):
        Bundle.open(path)


def test_manifest_fits_the_published_schema(bundle_path):
    with Bundle.open(bundle_path) as bundle:
        document = json.loads(bytes(bundle.read("manifest.json")))
    schema = json.loads(manifest_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)
    document["stages"][0]["precision"] = "int3"
    assert not jsonschema.Draft202012Validator(schema).is_valid(document)


def test_published_schema_is_current(pytestconfig):
    published = pytestconfig.rootpath / "docs" / "manifest.schema.json"
    assert published.read_text(encoding="utf-8") == manifest_schema(), (
        "write it anew: python -c 'from litebundle.bundle.manifest import manifest_schema as s; print(s(), end=str())' "
        f"> {published}"
    )


def test_digest_line_is_what_sha256sum_reads(bundle_path):
    with Bundle.open(bundle_path) as bundle:
        digest, name = bytes(bundle.read("MANIFEST.sha256")).decode().split()
        assert digest == hashlib.sha256(bundle.read(name)).hexdigest()


def test_a_damaged_file_is_named_even_when_the_zip_is_right(bundle_path, tmp_path, rewrite):
    changed = rewrite(bundle_path, tmp_path / "changed", {"labels/count.json": b"[]"}, index=False)
    with pytest.raises(LitebundleError, match=r"file 'labels/count\.json' has 2 bytes, not 40"):
        Bundle.open(changed)
    labels = json.dumps(list("hgfedcba")).encode()
    changed = rewrite(bundle_path, tmp_path / "changed", {"labels/count.json": labels}, index=False)
    with pytest.raises(LitebundleError, match=r"file 'labels/count\.json' does not have the digest"):
        Bundle.open(changed)


def test_missing_and_unlisted_files_are_refused(bundle_path, tmp_path, rewrite):
    for name in ("labels/count.json", "stages/01-locate/model.tflite"):
        with pytest.raises(LitebundleError, match=f"file '{name}' is missing, though the manifest lists it"):
            Bundle.open(rewrite(bundle_path, tmp_path / "changed", {name: None}, index=False))
    for name in ("manifest.json", "MANIFEST.sha256"):
        with pytest.raises(LitebundleError, match=rf"file '{name}' is missing; this is no bundle"):
            Bundle.open(rewrite(bundle_path, tmp_path / "changed", {name: None}, index=name != "manifest.json"))
    with pytest.raises(LitebundleError, match="file 'extra' is not in the manifest's list"):
        Bundle.open(rewrite(bundle_path, tmp_path / "changed", {"extra": b""}))


def test_the_signatures_place_is_free(bundle_path, tmp_path, rewrite):
    with Bundle.open(rewrite(bundle_path, tmp_path / "signed", {"MANIFEST.sig": b"later"})) as bundle:
        assert bundle.read("MANIFEST.sig") == b"later"


def test_a_link_in_a_folder_is_refused(bundle_path, tmp_path, unpack):
    folder = unpack(bundle_path, tmp_path / "folder")
    labels = folder / "labels" / "count.json"
    labels.rename(tmp_path / "outside.json")
    labels.symlink_to(tmp_path / "outside.json")
    with pytest.raises(LitebundleError, match=r"'labels/count\.json' is a link"):
        Bundle.open(folder)


def edit(bundle_path, tmp_path, rewrite, change):
    with Bundle.open(bundle_path) as bundle:
        document = json.loads(bytes(bundle.read("manifest.json")))
    change(document)
    return rewrite(bundle_path, tmp_path / "edited", {"manifest.json": json.dumps(document).encode()})


def test_a_later_minor_version_may_say_more(bundle_path, app, tmp_path, rewrite):
    def change(document):
        document["format_version"] = "1.99"
        document["news"] = {"of": "1.99"}
        document["stages"][0]["mood"] = "good"
        document["graph"]["nodes"][0]["hint"] = 1

    with Bundle.open(edit(bundle_path, tmp_path, rewrite, change)) as bundle:
        assert len(bundle.run(app.photo).items) == 2


@pytest.mark.parametrize("version", ["2.0", "0.9", "10.0"])
def test_another_major_version_is_refused_before_all_else(bundle_path, tmp_path, rewrite, version):
    def change(document):
        document.clear()
        document["format_version"] = version

    with pytest.raises(LitebundleError, match=rf"has format version {version}, this litebundle reads 1\.x"):
        Bundle.open(edit(bundle_path, tmp_path, rewrite, change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("identity"), "breaks the schema at identity"),
        (lambda d: d.update(format_version=1.0), "gives no format_version"),
        (lambda d: d["stages"][0].update(size_bytes="12"), r"schema at stages\.0\.size_bytes"),
        (lambda d: d["stages"][0].update(sha256="0" * 64), "not the one in the list of files"),
        (lambda d: d["stages"][0]["inputs"][0].update(shape=[1, 4, 4, 1]), "its inputs are not as the manifest says"),
        (lambda d: d["stages"][0]["outputs"].reverse(), "its outputs are not as the manifest says"),
        (lambda d: d["stages"].append(d["stages"][0]), "two stages have one name"),
        (lambda d: d["graph"]["nodes"][0].update(op="dream"), "unknown operation 'dream'"),
        (lambda d: d["graph"]["nodes"][0]["attributes"].update(size="big"), "its graph cannot be run"),
        (lambda d: d["graph"]["nodes"][0]["outputs"].pop(), "locate/geometry|makes 2 outputs"),
        (lambda d: d["graph"]["nodes"][2].update(stage="absent"), "no model for stage 'absent'"),
        (
            lambda d: d["graph"]["nodes"][-1]["attributes"].update(labels="labels/absent.json"),
            "is missing, and the graph",
        ),
        (lambda d: d["graph"]["nodes"][-1]["attributes"].update(labels=["a"]), "labels"),
    ],
)
def test_a_manifest_that_does_not_hold_together_is_refused(bundle_path, tmp_path, rewrite, change, message):
    with pytest.raises(LitebundleError, match=message):
        Bundle.open(edit(bundle_path, tmp_path, rewrite, change))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "not JSON"),
        (b'{"format_version": "1.0", "format_version": "1.0"}', "'format_version' is given twice"),
        (b'{"format_version": "1.0", "x": NaN}', "NaN is no JSON number"),
        (b"[" * 100000, "not JSON"),
        (b"[]", "gives no format_version"),
        (b"\xff", "not JSON"),
    ],
)
def test_a_manifest_that_is_not_the_json_it_must_be(bundle_path, tmp_path, rewrite, data, message):
    with pytest.raises(LitebundleError, match=message):
        Bundle.open(rewrite(bundle_path, tmp_path / "edited", {"manifest.json": data}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda b: b[:4] + b"TFL2" + b[8:], "lacks the identifier TFL3"),
        (lambda b: b[:8] + bytes(len(b) - 8), "LiteRT cannot load it"),
        (lambda b: b[:200], "LiteRT cannot load it"),
    ],
)
def test_a_model_that_is_none_is_refused(bundle_path, tmp_path, rewrite, app, damage, message):
    name = "stages/02-colour/model.tflite"
    changed = rewrite(bundle_path, tmp_path / "changed", {name: damage(app.models["colour"])})
    with pytest.raises(LitebundleError, match=rf"file '{name}'.*{message}"):
        Bundle.open(changed)


def test_drift_beyond_the_tolerance_fails_by_stage_and_tensor(bundle_path, tmp_path, rewrite, linear_tflite):
    """Another model of the same form, one weight off by 0.001."""
    other = linear_tflite(np.array([[1.0, 2.001, 3.0]]), np.zeros(1))
    name = "stages/03-number/model.tflite"
    with Bundle.open(rewrite(bundle_path, tmp_path / "changed", {name: other})) as bundle:
        verification = bundle.verify()
    assert not verification.passed
    (fault,) = [fault for fault in verification.faults if fault.startswith("number/0")]
    assert "output 'y' is off by" in fault
    check = next(vector for vector in verification.vectors if vector.name == "number/0")
    assert check.max_abs["y"] <= 0.001 + 1e-6


def test_a_nan_never_passes(bundle_path, tmp_path, rewrite, linear_tflite):
    other = linear_tflite(np.array([[np.nan, 2.0, 3.0]]), np.zeros(1))
    with Bundle.open(rewrite(bundle_path, tmp_path / "changed", {"stages/03-number/model.tflite": other})) as bundle:
        faults = {fault.split(": ")[0]: fault for fault in bundle.verify().faults}
    assert "output 'y' is off by nan" in faults["number/0"]
    assert "NaN" in faults["pipeline/0"]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (lambda items: items[:1], "2 items were found, expected are 1"),
        (lambda items: [items[0] | {"text": "zz"}, items[1]], "item 0: text is .*, expected is 'zz'"),
        (lambda items: [items[0] | {"box": [0, 0, 99, 99]}, items[1]], "item 0: box is"),
        (lambda items: [items[0] | {"score": "high"}, items[1]], "item 0: score is"),
        (lambda items: [items[0] | {"more": 1}, items[1]], "item 0: more is None, expected is 1"),
    ],
)
def test_other_results_fail_end_to_end(bundle_path, tmp_path, rewrite, items, message):
    with Bundle.open(bundle_path) as bundle:
        right = json.loads(bytes(bundle.read("golden/items.json")))
    wrong = json.dumps(items(right)).encode()
    with Bundle.open(rewrite(bundle_path, tmp_path / "changed", {"golden/items.json": wrong})) as bundle:
        verification = bundle.verify()
    (fault,) = verification.faults
    assert fault.startswith("pipeline/0: ")
    assert re.search(message, fault)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("golden/photo.png", b"no picture", "'golden/photo.png' is not a readable PNG"),
        ("golden/items.json", b"{}", "'golden/items.json' is not a JSON list"),
        ("golden/count/inputs-token.bin", b"123", r"has 3 bytes, but tensor 'token', int32 \[1, 1\], takes 4"),
    ],
)
def test_a_golden_vector_that_is_none_is_damage(bundle_path, tmp_path, rewrite, name, data, message):
    with (
        Bundle.open(rewrite(bundle_path, tmp_path / "changed", {name: data})) as bundle,
        pytest.raises(LitebundleError, match=message),
    ):
        bundle.verify()
