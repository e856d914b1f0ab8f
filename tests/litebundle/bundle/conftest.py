"""The hand-made app as a bundle, its golden vectors written as docs/bundle.md says."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from litebundle.bundle import Identity, Manifest, describe_stage, write_bundle
from litebundle.bundle.layout import alignment
from litebundle.bundle.zip_writer import write_zip
from litebundle.run import LiteRTModel, Runner


@pytest.fixture
def bundle_parts(app) -> tuple[Manifest, dict[str, bytes]]:
    models = {name: LiteRTModel.from_buffer(data, name=name) for name, data in app.models.items()}
    files: dict[str, bytes] = {}
    vectors: dict[str, dict] = {}

    def record(stage, inputs, outputs):
        vectors[stage] = {}
        for role, values in (("inputs", inputs), ("outputs", outputs)):
            vectors[stage][role] = {name: f"golden/{stage}/{role}-{name}.bin" for name in values}
            files.update({vectors[stage][role][name]: values[name].tobytes() for name in values})

    items = Runner(app.graph, models, app.labels).run(app.photo, tap=record).items
    png = io.BytesIO()
    Image.fromarray(app.photo).save(png, "PNG")
    files["golden/photo.png"] = png.getvalue()
    files["golden/items.json"] = json.dumps([dict(item) for item in items]).encode()
    golden = {
        "stages": [
            {"stage": stage, "tolerance": dict.fromkeys(vector["outputs"], 1e-05), "vectors": [vector]}
            for stage, vector in vectors.items()
        ],
        "pipeline": {
            "tolerance": {"box": 0.01, "score": 1e-6},
            "vectors": [{"photo": "golden/photo.png", "items": "golden/items.json"}],
        },
    }
    stages = [describe_stage(i, name, data, "none") for i, (name, data) in enumerate(app.models.items())]
    files |= {stage.file: app.models[stage.name] for stage in stages}
    files |= {name: json.dumps(list(labels)).encode() for name, labels in app.labels.items()}
    document = {
        "identity": Identity(name="colours", version="1.2.0", summary="coloured cells", licence="Apache-2.0"),
        "stages": stages,
        "graph": app.graph.to_json(),
        "golden": golden,
    }
    return Manifest.model_validate(document, strict=False), files


@pytest.fixture
def write(bundle_parts) -> Callable[[Path], Path]:
    def build(path: Path) -> Path:
        write_bundle(path, *bundle_parts)
        return path

    return build


@pytest.fixture
def bundle_path(write, tmp_path) -> Path:
    return write(tmp_path / "colours-1.2.0.litebundle")


@pytest.fixture
def small_path(mean_colour_tflite, tmp_path) -> Path:
    """One stage, no golden vectors: few bytes, so that each can be flipped."""
    return write_small(tmp_path / "small.litebundle", mean_colour_tflite)


def write_small(path: Path, model: bytes) -> Path:
    """See `small_path`."""
    unit = {"mean": [0.0], "std": [255.0]}
    nodes = [
        node("resize", "colour/resize", "photo", "colour/small", size=[2, 2]),
        node("normalize", "colour/normalize", "colour/small", "colour/image", **unit),
        node("model", "colour/model", "colour/image", "colour/scores"),
        node("rotate_upright", "colour/turn", "photo colour/scores", "colour/up colour/angle", angles=[0, 90, 180]),
    ]
    graph = {"nodes": nodes, "results": [{"field": "angle", "value": "colour/angle"}]}
    stage = describe_stage(0, "colour", model, "none")
    identity = Identity(name="small", version="0.1.0", summary="brightest channel", licence="Apache-2.0")
    manifest = Manifest.model_validate({"identity": identity, "stages": [stage], "graph": graph}, strict=False)
    write_bundle(path, manifest, {stage.file: model})
    return path


def node(op: str, name: str, inputs: str, outputs: str, **attributes: object) -> dict[str, object]:
    values = {"inputs": inputs.split(), "outputs": outputs.split(), "attributes": attributes}
    return {"name": name, "op": op, "stage": "colour", "each": False, **values}


@pytest.fixture
def rewrite() -> Callable[..., Path]:
    """A changed copy whose zip and manifest digest are right again, as a careful attacker would leave them."""

    def build(source: Path, target: Path, changed: dict[str, bytes | None], index: bool = True) -> Path:
        with zipfile.ZipFile(source) as archive:
            files: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
        files = {name: data for name, data in (files | changed).items() if data is not None}
        if index and "manifest.json" not in changed:
            manifest = json.loads(files["manifest.json"])
            for name in manifest["files"].keys() & changed.keys() & files.keys():
                data = files[name]
                manifest["files"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
                for stage in manifest["stages"]:
                    if stage["file"] == name:
                        stage |= manifest["files"][name]
            files["manifest.json"] = json.dumps(manifest).encode()
        if "MANIFEST.sha256" not in changed and "manifest.json" in files:
            digest = hashlib.sha256(files["manifest.json"]).hexdigest()
            files["MANIFEST.sha256"] = f"{digest}  manifest.json\n".encode()
        with target.open("wb") as file:
            write_zip(file, files, alignment)
        return target

    return build


@pytest.fixture
def unpack() -> Callable[[Path, Path], Path]:
    def extract(bundle: Path, folder: Path) -> Path:
        with zipfile.ZipFile(bundle) as archive:
            archive.extractall(folder)
        return folder

    return extract
