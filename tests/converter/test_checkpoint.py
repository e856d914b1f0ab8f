"""Weights files: the safe ones by their format, the others refused unread."""

from __future__ import annotations

import json
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save, save_file

from converter.checkpoint import check_weights
from converter.errors import ConversionError

CASES = Path(os.environ.get("LITEBUNDLE_CASES", Path(__file__).parents[3] / "shared" / "cases"))
LOOT = Path("/tmp/litebundle-was-here")


class Payload:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, (f"touch {LOOT}",))


def torch_zip(path: Path, data: bytes, name: str = "archive/data.pkl", compression: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(name, data)
    return path


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "w.safetensors"
    tensors = {"a.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "a.steps": np.array(3, np.int64)}
    save_file(tensors, path, metadata={"format": "np"})
    return path


def test_safetensors_is_told_by_its_bytes(weights: Path) -> None:
    misnamed = weights.rename(weights.with_suffix(".pth"))
    assert check_weights(misnamed) == "safetensors"


def test_empty_state_dict_is_fine(tmp_path: Path) -> None:
    save_file({}, tmp_path / "none.safetensors")
    assert check_weights(tmp_path / "none.safetensors") == "safetensors"


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite_weight_is_named(tmp_path: Path, dtype: type, value: float) -> None:
    good, bad = np.full(7, np.finfo(dtype).max, dtype), np.zeros((2, 5), dtype)
    bad[1, 2] = value
    save_file({"good": good, "stem.bad": bad}, tmp_path / "w.safetensors")
    with pytest.raises(ConversionError, match=r"'stem\.bad' holds 1 NaN or infinite values of 10"):
        check_weights(tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [-1], "data_offsets": [0, -4]},
        {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], "more": 1},
        {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]},
        {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 4]},
        "text",
    ],
)
def test_header_that_does_not_fit_its_data_is_refused(tmp_path: Path, entry: Any) -> None:
    header = json.dumps({"x": entry}).encode()
    path = tmp_path / "w.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    with pytest.raises(ConversionError):
        check_weights(path)


def test_duplicate_name_is_refused(tmp_path: Path) -> None:
    entry = '"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
    header = f"{{{entry},{entry}}}".encode()
    path = tmp_path / "w.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    with pytest.raises(ConversionError, match="twice"):
        check_weights(path)


@settings(deadline=None)
@given(data=st.data())
def test_what_passes_is_readable_by_safetensors(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Damage a file anywhere: what is accepted, the reference implementation reads as well."""
    whole = bytearray(save({"a": np.ones((2, 3), np.float32), "b": np.zeros(4, np.int8)}))
    damage = data.draw(st.sampled_from(["flip", "cut", "grow"]))
    place = data.draw(st.integers(0, len(whole) - 1))
    if damage == "flip":
        whole[place] ^= 1 << data.draw(st.integers(0, 7))
    whole = whole[:place] if damage == "cut" else whole + bytes(damage == "grow")
    path = tmp_path_factory.mktemp("damaged") / "w.safetensors"
    path.write_bytes(whole)
    try:
        check_weights(path)
    except ConversionError:
        return
    try:
        with safe_open(path, "np") as file:
            for name in file.keys():  # noqa: SIM118
                file.get_tensor(name)
    except SafetensorError as error:
        pytest.fail(f"accepted what safetensors refuses: {error}")


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_of_code_is_refused_unread(tmp_path: Path, protocol: int) -> None:
    code = pickle.dumps({"weight": Payload()}, protocol=protocol)
    raw = tmp_path / "raw.pth"
    raw.write_bytes(code)
    for path in (raw, torch_zip(tmp_path / "zip.pth", code)):
        with pytest.raises(ConversionError, match=r"safetensors\.torch\.save_file"):
            check_weights(path)
    assert not LOOT.exists()


@pytest.mark.parametrize("protocol", [2, 4])
def test_the_error_names_what_it_would_call(tmp_path: Path, protocol: int) -> None:
    code = pickle.dumps({"weight": Payload()}, protocol=protocol)
    with pytest.raises(ConversionError, match=r"would run code: it refers to (os|posix|nt)\.system"):
        check_weights(torch_zip(tmp_path / "w.pth", code))


def test_code_after_the_first_legacy_pickles_is_found(tmp_path: Path) -> None:
    parts = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, Payload(), []]
    path = tmp_path / "w.pth"
    path.write_bytes(b"".join(pickle.dumps(part, protocol=2) for part in parts))
    with pytest.raises(ConversionError, match="would run code"):
        check_weights(path)


def test_code_in_a_second_pickle_of_the_archive_is_found(tmp_path: Path) -> None:
    path = torch_zip(tmp_path / "w.pth", pickle.dumps(OrderedDict(), protocol=2))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("other/data.pkl", pickle.dumps(Payload(), protocol=2))
    with pytest.raises(ConversionError, match="would run code"):
        check_weights(path)


def test_torchscript_compressed_and_empty_archives_are_refused(tmp_path: Path) -> None:
    data = pickle.dumps(OrderedDict(), protocol=2)
    assert check_weights(torch_zip(tmp_path / "plain.pth", data)) == "torch"
    with pytest.raises(ConversionError, match="TorchScript"):
        check_weights(torch_zip(tmp_path / "script.pth", b"", "archive/code/__torch__.py"))
    with pytest.raises(ConversionError, match="compressed"):
        check_weights(torch_zip(tmp_path / "packed.pth", data, compression=zipfile.ZIP_DEFLATED))
    with pytest.raises(ConversionError, match=r"no data\.pkl"):
        check_weights(torch_zip(tmp_path / "odd.pth", data, "archive/other"))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80", b"\x80\x02", b"weights", bytes(600)])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(content)
    with pytest.raises(ConversionError, match=r"w\.pth"):
        check_weights(path)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.pth", tmp_path):
        with pytest.raises(ConversionError, match="cannot be read"):
            check_weights(path)


@pytest.mark.parametrize("pattern", ["cifar_resnet/**/*.th", "mtcnn/**/*.pt", "ultraface/**/*.pth"])
def test_published_state_dicts_pass(pattern: str) -> None:
    paths = sorted(CASES.glob(pattern))
    if not paths:
        pytest.skip(f"no {pattern} under {CASES}; set LITEBUNDLE_CASES")
    assert [check_weights(path) for path in paths] == ["torch"] * len(paths)
