"""docs/bundle.md against the code: a second writer and a second check, made from the page alone, with struct."""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
import zlib

import numpy as np

LOCAL, CENTRAL, END = "<IHHHHHIIIHH", "<IHHHHHHIIIHHHHHII", "<IHHHHIIH"


def zip_by_the_page(files: dict[str, bytes]) -> bytes:
    data, directory = b"", b""
    for name in sorted(files, key=lambda name: name.encode()):
        content, header = files[name], len(data)
        multiple = 16384 if name.endswith(".tflite") else 4
        begin = header + 30 + len(name) + 6
        begin += -begin % multiple
        extra = begin - header - 30 - len(name)
        crc, size = zlib.crc32(content), len(content)
        data += struct.pack(LOCAL, 0x04034B50, 20, 0x0800, 0, 0, 0x21, crc, size, size, len(name), extra)
        data += name.encode() + struct.pack("<HHH", 0xD935, extra - 4, multiple) + bytes(extra - 6) + content
        fields = (0x02014B50, 20, 20, 0x0800, 0, 0, 0x21, crc, size, size, len(name), 0, 0, 0, 0, 0, header)
        directory += struct.pack(CENTRAL, *fields) + name.encode()
    end = struct.pack(END, 0x06054B50, 0, 0, len(files), len(files), len(directory), len(data), 0)
    return data + directory + end


def unzip(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_layout_on_the_page_gives_the_bundle_byte_for_byte(bundle_path):
    assert zip_by_the_page(unzip(bundle_path)) == bundle_path.read_bytes()


def test_integrity_as_on_the_page(bundle_path):
    files = unzip(bundle_path)
    digest = hashlib.sha256(files["manifest.json"]).hexdigest()
    assert files["MANIFEST.sha256"] == f"{digest}  manifest.json\n".encode()
    assert len(files["MANIFEST.sha256"]) == 80
    manifest = json.loads(files["manifest.json"])
    assert manifest["format_version"] == "1.0"
    listed = {name: (info["size_bytes"], info["sha256"]) for name, info in manifest["files"].items()}
    del files["manifest.json"], files["MANIFEST.sha256"]
    assert listed == {name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()}
    for number, stage in enumerate(manifest["stages"], 1):
        assert stage["file"] == f"stages/{number:02d}-{stage['name']}/model.tflite"
        assert (stage["size_bytes"], stage["sha256"]) == listed[stage["file"]]
        assert files[stage["file"]][4:8] == b"TFL3"


def test_golden_files_are_raw_values_of_the_tensors_shape(bundle_path):
    """The counter's arithmetic (see its fixture) on the bytes in the bundle."""
    files = unzip(bundle_path)
    manifest = json.loads(files["manifest.json"])
    stage = next(stage for stage in manifest["stages"] if stage["name"] == "count")
    golden = next(golden for golden in manifest["golden"]["stages"] if golden["stage"] == "count")
    dtypes = {"float32": "<f4", "int32": "<i4"}
    (vector,) = golden["vectors"]
    values = {}
    for role in ("inputs", "outputs"):
        for tensor in stage[role]:
            raw = np.frombuffer(files[vector[role][tensor["name"]]], dtypes[tensor["dtype"]])
            values[tensor["name"]] = raw.reshape(tensor["shape"]).astype(np.float64)
    s = values["token"] + values["state"] + values["memory"]
    v = np.arange(8)
    np.testing.assert_allclose(values["logits"], 2 * v * s - v * v, atol=golden["tolerance"]["logits"])
    assert values["state_out"] == values["state"] + 1
