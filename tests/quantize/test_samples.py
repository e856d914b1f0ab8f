from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantize import QuantizationError, calibrate, load_samples


@pytest.fixture
def two_inputs(network) -> bytes:
    net = network()
    a, b = net.input("in/a:0", [1, 4]), net.input("b", [4])
    return net.build(net.op("ADD", [a, b], "y", [1, 4]))


GOOD = {"in/a:0": np.arange(12, dtype=np.float32).reshape(3, 4), "b": np.ones((3, 4), np.float32)}


def save(folder: Path, form: str, arrays: dict[str, np.ndarray]) -> Path:
    if form == "npz":
        np.savez(folder / "samples.npz", **arrays)
        return folder / "samples.npz"
    for name, array in arrays.items():
        np.save(folder / f"{name.replace('/', '_').replace(':', '_')}.npy", array)
    return folder


@pytest.mark.parametrize("form", ["npz", "npy"])
def test_samples_come_back_one_by_one(tmp_path, two_inputs, form) -> None:
    samples = load_samples(save(tmp_path, form, GOOD), two_inputs)
    assert len(samples) == 3
    for _ in range(2):
        for number, sample in enumerate(samples):
            np.testing.assert_array_equal(sample["in/a:0"], GOOD["in/a:0"][number][None])
            assert sample["b"].shape == (4,)
    assert calibrate(two_inputs, samples).tensors["y"].max == 12


def test_batch_axis_may_be_written_out(tmp_path, two_inputs) -> None:
    arrays = {**GOOD, "in/a:0": GOOD["in/a:0"][:, None]}
    (first, *_) = load_samples(save(tmp_path, "npz", arrays), two_inputs)
    assert first["in/a:0"].shape == (1, 4)


def test_folder_is_mapped_not_read(tmp_path, two_inputs) -> None:
    samples = load_samples(save(tmp_path, "npy", GOOD), two_inputs)
    assert all(isinstance(array, np.memmap) for array in samples.arrays.values())


@pytest.mark.parametrize("form", ["npz", "npy"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"b": None}, r"holds 'in/a:0'; the model's inputs are 'b', 'in/a:0'"),
        ({"c": np.ones(3, np.float32)}, "'c'"),
        ({"b": np.ones((3, 5), np.float32)}, r"'b' is \[3, 5\], the model takes \[N, 4\]"),
        ({"b": np.float32(1)}, r"'b' is \[\]"),
        ({"b": np.ones((3, 4))}, "'b' is float64, the model takes float32"),
        ({"b": np.ones((2, 4), np.float32)}, "unequal numbers"),
        ({"in/a:0": np.ones((0, 4), np.float32), "b": np.ones((0, 4), np.float32)}, "no samples"),
        ({"b": np.array([{}], object)}, "plain numbers"),
    ],
)
def test_samples_that_do_not_fit_are_refused(tmp_path, two_inputs, form, change, message) -> None:
    arrays = {name: value for name, value in {**GOOD, **change}.items() if value is not None}
    with pytest.raises(QuantizationError, match=message):
        load_samples(save(tmp_path, form, arrays), two_inputs)


def test_missing_file_is_refused(tmp_path, two_inputs) -> None:
    with pytest.raises(QuantizationError, match="no such file"):
        load_samples(tmp_path / "보정.npz", two_inputs)


def test_empty_folder_is_refused(tmp_path, two_inputs) -> None:
    with pytest.raises(QuantizationError, match="holds no arrays"):
        load_samples(tmp_path, two_inputs)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 truncated", b"\x80\x04pickle"])
def test_file_that_is_no_archive_is_refused(tmp_path, two_inputs, content) -> None:
    (tmp_path / "samples.npz").write_bytes(content)
    with pytest.raises(QuantizationError, match="plain numbers"):
        load_samples(tmp_path / "samples.npz", two_inputs)


def test_lone_array_is_refused(tmp_path, two_inputs) -> None:
    np.save(tmp_path / "lone.npy", GOOD["b"])
    with pytest.raises(QuantizationError, match="one array per input"):
        load_samples(tmp_path / "lone.npy", two_inputs)
