"""Writes tests/vectors/bundle: what this reader decides, so that another language decides alike.

`small.litebundle` is a bundle as the writer writes it. `manifests.json` holds a bundle's files and a thousand changes
of its manifest, each with whether a reader opens the bundle whose digests were made right again. Its models are none,
so the verdict is that of docs/bundle.md, "Integrity", less what needs a runtime.

    python -m tests.litebundle.bundle.make_vectors
"""

from __future__ import annotations

import copy
import hashlib
import json
import random
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

from litebundle.bundle import Bundle
from litebundle.bundle.layout import alignment
from litebundle.bundle.manifest import Stage, TensorInfo
from litebundle.bundle.zip_writer import write_zip
from litebundle.errors import LitebundleError
from litebundle.glue.boundary import Quantization
from litebundle.run.model import Tensor
from tests.litebundle.bundle.conftest import write_small
from tests.litebundle.conftest import build_mean_colour

FOLDER = Path(__file__).parents[2] / "vectors" / "bundle"
Place = tuple[str | int, ...]


def tensor(name: str, *shape: int, dtype: str = "float32", **more: object) -> dict[str, object]:
    return {"name": name, "dtype": dtype, "shape": list(shape), "layout": "", **more}


STAGES = {
    "locate": ([tensor("image", 1, 8, 8, 3)], [tensor("heatmap", 1, 4, 4, 1), tensor("box", 1, 4, 4, 4)]),
    "lines": (
        [tensor("image", 1, 8, 8, 1, dtype="uint8", scale=0.003921569, zero_point=0, value_range=[0.0, 1.0])],
        [tensor("map", 1, 8, 8, 1)],
    ),
    "orient": ([tensor("image", 1, 4, 4, 1, dtype="uint8")], [tensor("logits", 1, 4)]),
    "decode": (
        [tensor("token", 1, 1, dtype="int32"), tensor("memory", 1, 4), tensor("state", 1, 2)],
        [tensor("logits", 1, 5), tensor("state_out", 1, 2)],
    ),
}
LABELS = "labels/words.json"
NODES: list[tuple[str, str, str, bool, dict[str, object]]] = [
    ("letterbox", "photo", "l/canvas l/geometry", False, {"size": [6, 6], "fill": 0, "align": "left"}),
    ("normalize", "l/canvas", "l/real", False, {"mean": [0.0], "std": [255.0]}),
    ("pad", "l/real", "l/image", False, {"size": [8, 8], "value": -1.5}),
    ("model:locate", "l/image", "l/heatmap l/box", False, {}),
    ("heatmap_boxes", "l/heatmap l/box l/geometry photo", "l/found", False, {"threshold": 0.25, "max": 9, "kernel": 5}),
    ("nms", "l/found", "l/boxes", False, {"iou": 0.75}),
    ("crop_boxes", "photo l/boxes", "c/crops c/boxes", False, {"margin": 0.5, "min_size": 2}),
    ("convert_color", "c/crops", "c/gray", True, {"to": "gray"}),
    ("resize", "c/gray", "c/small", True, {"size": [4, 4]}),
    ("to_tensor", "c/small", "c/image", True, {}),
    ("model:orient", "c/image", "c/logits", True, {}),
    ("rotate_upright", "c/crops c/logits", "c/up c/angle", True, {"angles": [0, 270], "threshold": 0.5}),
    ("fit_height", "c/up", "c/line", True, {"height": 4, "max_width": 64}),
    ("softmax_top_k", "c/logits", "c/label c/sure", True, {"labels": LABELS, "k": 1, "softmax": False}),
    (
        "autoregressive_decode:decode",
        "c/logits",
        "d/tokens d/score",
        True,
        {
            "token": "token",
            "constants": ["memory"],
            "state": {"state": "state_out"},
            "logits": "logits",
            "start": 1,
            "end": 2,
            "max_tokens": 9,
            "beam": 2,
        },
    ),
    ("detokenize", "d/tokens", "d/text", True, {"labels": LABELS, "style": "latex"}),
    ("resize", "photo", "p/small", False, {"size": [8, 8]}),
    ("to_tensor", "p/small", "p/image", False, {}),
    ("model:lines", "p/image", "p/map", False, {}),
    ("dbnet_boxes", "p/map l/geometry photo", "p/boxes", False, {"score": 0.75, "unclip": 2, "min_side": 1.5}),
    ("ctc_decode", "p/map", "p/text p/score", False, {"labels": LABELS, "blank": 0}),
]
RESULTS = {"box": "c/boxes", "angle": "c/angle", "label": "c/label", "text": "d/text", "score": "d/score"}


def base_files() -> dict[str, bytes]:
    """The files of the bundle that is changed, its manifest among them."""
    files: dict[str, bytes] = {LABELS: b'["a", "b", "c", "d", "\\\\e"]', "golden/x.bin": b"\0" * 16}
    stages = []
    for i, (name, (inputs, outputs)) in enumerate(STAGES.items()):
        file = f"stages/{i + 1:02d}-{name}/model.tflite"
        files[file] = b"\x1c\0\0\0TFL3" + name.encode()
        stages.append(
            {
                "name": name,
                "file": file,
                **entry(files[file]),
                "precision": "int8" if i else "none",
                "signature": "serving_default" if i else None,
                "inputs": inputs,
                "outputs": outputs,
                "accelerators": {"order": ["gpu", "cpu"][i % 2 :], "policy": "strict"},
            }
        )
    document = {
        "format_version": "1.0",
        "identity": {
            "name": "corpus",
            "version": "1.0.0",
            "summary": "",
            "licence": "Apache-2.0",
            "source_commit": None,
            "tools": {"x": "1"},
            "configuration": "0" * 64,
            "weights": {"locate": "1" * 64},
            "data_sets": {"test": "2" * 64},
        },
        "stages": stages,
        "graph": {
            "nodes": [graph_node(*fields) for fields in NODES],
            "results": [{"field": field, "value": value} for field, value in RESULTS.items()],
        },
        "requirements": {"latency_ms": 40, "devices": ["x"]},
        "verdicts": [{"requirement": "budget", "limit": 1, "measured": 0.5, "samples": 3, "verdict": "pass"}],
        "golden": {
            "stages": [
                {
                    "stage": "orient",
                    "tolerance": {"logits": 0.001},
                    "vectors": [{"inputs": {"image": "golden/x.bin"}, "outputs": {"logits": "golden/x.bin"}}],
                }
            ],
            "pipeline": {"tolerance": {"score": 0.5}, "vectors": [{"photo": "golden/x.bin", "items": "golden/x.bin"}]},
        },
        "files": {name: entry(data) for name, data in files.items()},
    }
    return files | {"manifest.json": json.dumps(document, sort_keys=True, indent=1).encode()}


def graph_node(op: str, inputs: str, outputs: str, each: bool, attributes: dict[str, object]) -> dict[str, object]:
    op, _, stage = op.partition(":")
    values = {"inputs": inputs.split(), "outputs": outputs.split(), "attributes": attributes}
    return {"name": outputs.split()[0], "op": op, "stage": stage or None, "each": each, **values}


def entry(data: bytes) -> dict[str, object]:
    return {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}


REPLACEMENTS: list[object] = [
    None,
    True,
    0,
    1,
    -1,
    10**30,
    2**31,
    1.5,
    2.0,
    1e300,
    "",
    "x",
    "photo",
    "a\u00e9",
    [],
    ["x"],
    [1, 2],
]
REPLACEMENTS += [{}, {"x": 1}, [[1], [2]], "0" * 63 + "\n", "A" * 64, "1.0\n", "../x", LABELS]


def changes(manifest: bytes) -> Iterator[tuple[str, bytes]]:
    """What is changed, and the manifest so changed."""
    document = json.loads(manifest)
    rng = random.Random(1)
    places = list(distinct_places(document))
    texts = sorted({value for _, value in places if isinstance(value, str) and len(value) < 40})
    yield "nothing", manifest
    for path, value in places:
        name = ".".join(map(str, path))
        yield f"{name} removed", changed(document, path, None)
        tried = 6 if "attributes" in path else 2
        for other in [*rng.sample(REPLACEMENTS, tried), *alike(value, texts, rng)]:
            if other != value or type(other) is not type(value):
                yield f"{name} = {json.dumps(other)[:40]}", changed(document, path, [other])
    nodes = document["graph"]["nodes"]
    for i in range(len(nodes) - 1):
        swapped = [*nodes[:i], nodes[i + 1], nodes[i], *nodes[i + 2 :]]
        yield f"nodes {i} and {i + 1} swapped", changed(document, ("graph", "nodes"), [swapped])
    yield from texts_changed(manifest)


def alike(value: object, texts: list[str], rng: random.Random) -> list[object]:
    """Other values that could stand in the same place."""
    match value:
        case bool():
            return [not value]
        case int():
            return [float(value), value + 1]
        case str():
            return [rng.choice(texts), value + "x"]
        case list():
            return [[*value, *value[:1]], value[1:], value[1:] + value[:1]]
        case dict():
            return [{**value, "unknown": 1}]
    return []


def distinct_places(
    document: object, path: Place = (), seen: set[tuple[str, ...]] | None = None
) -> Iterator[tuple[Place, Any]]:
    """Every place of which the manifest has no like before; nodes are alike that have one operation."""
    seen = set() if seen is None else seen
    entries = document.items() if isinstance(document, dict) else enumerate(document)  # type: ignore[arg-type]
    for key, value in entries:
        here = (*path, key)
        likeness = tuple("*" if isinstance(part, int) else part for part in here)
        if here[:2] == ("graph", "nodes") and len(here) > 2:
            likeness = (*likeness, NODES[int(here[2])][0])
        if here[:1] == ("stages",) and len(here) > 2 and here[2] != "accelerators" and here[2] in ("inputs", "outputs"):
            likeness = (*likeness, str(here[1]))
        if likeness not in seen or isinstance(value, dict | list):
            if likeness not in seen:
                yield here, value
            seen.add(likeness)
            if isinstance(value, dict | list):
                yield from distinct_places(value, here, seen)


def changed(document: Any, path: Place, value: list[object] | None) -> bytes:
    mutant = copy.deepcopy(document)
    parent = mutant
    for step in path[:-1]:
        parent = parent[step]
    if value is None:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value[0]
    return json.dumps(mutant, sort_keys=True, indent=1, ensure_ascii=False).encode()


def texts_changed(manifest: bytes) -> Iterator[tuple[str, bytes]]:
    """What only the JSON's text can say."""
    for name, old, new in [
        ("a later minor version", rb'"1\.0",\n "golden"', b'"1.999999",\n "golden"'),
        ("zeros before the version", rb'"1\.0",\n "golden"', b'"000001.0",\n "golden"'),
        ("a version of seven digits", rb'"1\.0",\n "golden"', b'"0000001.0",\n "golden"'),
        ("another major version", rb'"1\.0",\n "golden"', b'"2.0",\n "golden"'),
        ("major version 0", rb'"1\.0",\n "golden"', b'"0.9",\n "golden"'),
        ("no minor version", rb'"1\.0",\n "golden"', b'"1",\n "golden"'),
        ("digits of another script", rb'"1\.0",\n "golden"', '"١.0",\n "golden"'.encode()),
        ("a byte order mark", rb"^", b"\xef\xbb\xbf"),
        ("UTF-16", rb"(?s)^.*$", manifest.decode().encode("utf-16")),
        ("nothing but spaces", rb"(?s)^.*$", b"  \n"),
        ("a list", rb"(?s)^.*$", b"[]"),
        ("text behind", rb"\Z", b"{}"),
        ("a NUL behind", rb"\Z", b"\0"),
        ("space behind", rb"\Z", b" \t\r\n"),
        ("a form feed behind", rb"\Z", b"\f"),
        ("a comment", rb"^", b"/* */"),
        ("single quotes", rb'"identity"', b"'identity'"),
        ("no quotes", rb'"identity"', b"identity"),
        ("a comma behind the last", rb"\}\Z", b",}"),
        ("a semicolon", rb",\n", b";\n"),
        ("an equals sign", rb'"licence":', b'"licence"='),
        ("True", rb"\btrue\b", b"True"),
        ("an unknown escape", rb'"corpus"', rb'"\q"'),
        ("an escaped quote of JavaScript", rb'"corpus"', rb'"\'"'),
        ("a line break in a string", rb'"corpus"', b'"a\nb"'),
        ("a control character", rb'"corpus"', b'"\x1f"'),
        ("a delete character", rb'"corpus"', b'"\x7f"'),
        ("a surrogate pair", rb'"corpus"', rb'"\ud83d\ude00"'),
        ("a high surrogate", rb'"corpus"', rb'"\ud83d"'),
        ("a low surrogate", rb'"corpus"', rb'"\ude00\ud83d"'),
        ("a surrogate in a key that is ignored", rb'"identity"', rb'"\ud800": 1, "identity"'),
        ("a surrogate as UTF-8", rb'"corpus"', b'"\xed\xa0\x80"'),
        ("a byte that is no UTF-8", rb'"corpus"', b'"\xff"'),
        ("an overlong NUL", rb'"corpus"', b'"\xc0\x80"'),
        ("a key twice", rb'"name": "corpus"', b'"name": "x", "name": "corpus"'),
        ("a key twice, once escaped", rb'"name": "corpus"', rb'"n\u0061me": "x", "name": "corpus"'),
        ("a key twice in what is ignored", rb'"identity"', b'"z": {"a": 1, "a": 1}, "identity"'),
        ("a key of two cases", rb'"identity"', b'"Identity": 1, "identity"'),
        ("an infinite number in what is ignored", rb'"identity"', b'"z": 1e999, "identity"'),
        ("a tiny number", rb'"identity"', b'"z": 1e-999, "identity"'),
        ("NaN", rb'"identity"', b'"z": NaN, "identity"'),
        ("Infinity", rb'"identity"', b'"z": -Infinity, "identity"'),
        ("a number of 64 characters", rb'"identity"', b'"z": ' + b"1" * 64 + b', "identity"'),
        ("a number of 65 characters", rb'"identity"', b'"z": ' + b"1" * 65 + b', "identity"'),
        ("a zero before a number", rb'"identity"', b'"z": 01, "identity"'),
        ("a plus before a number", rb'"identity"', b'"z": +1, "identity"'),
        ("a point at a number's end", rb'"identity"', b'"z": 1., "identity"'),
        ("a point at its beginning", rb'"identity"', b'"z": .5, "identity"'),
        ("a hexadecimal number", rb'"identity"', b'"z": 0x1, "identity"'),
        ("minus zero", rb'"samples": 3', b'"samples": -0'),
        ("a whole number with a fraction", rb'"samples": 3', b'"samples": 3.0'),
        ("a whole number with an exponent", rb'"samples": 3', b'"samples": 3e0'),
        ("the largest whole number", rb'"samples": 3', b'"samples": 2147483647'),
        ("one more than the largest", rb'"samples": 3', b'"samples": 2147483648'),
        ("99 lists in an object", rb'"identity"', b'"z": ' + b"[" * 99 + b"]" * 99 + b', "identity"'),
        ("100 lists in an object", rb'"identity"', b'"z": ' + b"[" * 100 + b"]" * 100 + b', "identity"'),
        ("3000 lists", rb'"identity"', b'"z": ' + b"[" * 3000 + b"]" * 3000 + b', "identity"'),
        ("a scale that no float32 holds", rb"0\.003921569", b"1e39"),
        ("a scale that float32 rounds to zero", rb"0\.003921569", b"1e-46"),
        ("the smallest scale", rb"0\.003921569", b"1.5e-45"),
        ("the largest scale", rb"0\.003921569", b"3.4028235e38"),
        ("a scale of zero", rb"0\.003921569", b"0"),
        ("a negative scale", rb"0\.003921569", b"-0.5"),
        ("a scale without a zero point", rb'"zero_point": 0', b'"zero_point": null'),
        ("a zero point without a scale", rb"0\.003921569", b"null"),
        ("tokens of int64", rb'"int32"', b'"int64"'),
        ("tokens of uint8", rb'"int32"', b'"uint8"'),
        ("logits of int8", rb'"float32"(?=,\s*"layout": "",\s*"name": "logits",\s*"shape": \[\s*1,\s*5)', b'"int8"'),
        ("a scale of float32", rb'("dtype": "uint8",\s*"layout": "",\s*"name": "image",\s*"scale")', None),
    ]:
        if new is None:
            mutant, count = re.sub(old, lambda m: m[0].replace(b"uint8", b"float32"), manifest, count=1), 1
        else:
            mutant, count = re.subn(old, lambda _, new=new: new, manifest, count=1)  # type: ignore[misc]
        assert count == 1 and mutant != manifest, name
        yield name, mutant


def opens(files: dict[str, bytes], path: Path) -> bool:
    """Whether this reader opens the bundle, with models that are as the manifest says."""
    digest = f"{hashlib.sha256(files['manifest.json']).hexdigest()}  manifest.json\n".encode()
    with path.open("wb") as file:
        write_zip(file, files | {"MANIFEST.sha256": digest}, alignment)
    try:
        with mock.patch("litebundle.bundle.bundle.load_stage", described_model):
            Bundle.open(path).close()
    except LitebundleError:
        return False
    return True


def described_model(stage: Stage, *_: object) -> Any:
    def described(info: TensorInfo) -> Tensor:
        quantization = None
        if info.scale is not None and info.zero_point is not None:
            quantization = Quantization("int8" if info.dtype == "int8" else "uint8", info.scale, info.zero_point)
        return Tensor(info.name, (1,), np.dtype(info.dtype), quantization)

    return SimpleNamespace(inputs=tuple(map(described, stage.inputs)), outputs=tuple(map(described, stage.outputs)))


def manifests() -> str:
    """The content of manifests.json."""
    files = base_files()
    manifest = files["manifest.json"]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mutant.litebundle"
        for name, mutant in changes(manifest):
            rows.append([name, *splice(manifest, mutant), opens(files | {"manifest.json": mutant}, path)])
    head = json.dumps({name: data.decode("latin-1") for name, data in files.items()})
    body = ",\n".join(map(json.dumps, rows))
    return f'{{"files": {head},\n"changes": [\n{body}\n]}}\n'


def splice(old: bytes, new: bytes) -> tuple[int, int, str]:
    """(a, b, bytes as latin-1 text): `new` is `old` with the bytes from a to b replaced."""
    shortest = min(len(old), len(new))
    start = next((i for i in range(shortest) if old[i] != new[i]), shortest)
    stop = next((i for i in range(shortest - start) if old[-1 - i] != new[-1 - i]), shortest - start)
    return start, len(old) - stop, new[start : len(new) - stop].decode("latin-1")


def make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_small(folder / "small.litebundle", build_mean_colour())
    (folder / "manifests.json").write_text(manifests(), encoding="utf-8")


if __name__ == "__main__":
    make(FOLDER)
