"""What goes into a key: every file that can change what a build makes, and no other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save_model

from litebundle.build.digests import digest_of_folder, digest_of_modules, digest_of_onnx
from litebundle.build.plan import digest_of_data
from litebundle.data import Answer, DataSample, DataSet


def save_with_weights_outside(path: Path, scale: float) -> None:
    weights = numpy_helper.from_array(np.arange(2048, dtype=np.float32) * scale, "w")
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2048])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2048])],
        [weights],
    )
    save_model(helper.make_model(graph), path, save_as_external_data=True, location="w.bin", size_threshold=0)


def test_weights_outside_the_onnx_file_count(tmp_path: Path) -> None:
    model = tmp_path / "m.onnx"
    save_with_weights_outside(model, 1.0)
    content, before = model.read_bytes(), digest_of_onnx(model)
    (tmp_path / "w.bin").unlink()
    save_with_weights_outside(model, -1.0)
    assert model.read_bytes() == content, "only the weights differ"
    assert digest_of_onnx(model) != before


def test_a_neighbour_that_the_model_does_not_name_does_not_count(tmp_path: Path) -> None:
    model = tmp_path / "m.onnx"
    save_with_weights_outside(model, 1.0)
    before = digest_of_onnx(model)
    (tmp_path / "notes.txt").write_text("unrelated")
    assert digest_of_onnx(model) == before


def test_a_module_beside_the_factorys_own_counts(tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text("from parts import W")
    (tmp_path / "parts.py").write_text("W = 0.5")
    before = digest_of_modules("nets", tmp_path)
    (tmp_path / "parts.py").write_text("W = -9.5")
    assert digest_of_modules("nets", tmp_path) != before


def test_an_installed_package_counts(tmp_path: Path) -> None:
    assert digest_of_modules("json", tmp_path) != digest_of_modules("csv", tmp_path) != digest_of_folder(tmp_path)


def test_caches_and_compiled_python_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    before = digest_of_folder(tmp_path)
    for folder in (".litebundle", "__pycache__"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "b.py").write_text("1")
    assert digest_of_folder(tmp_path) == before
    (tmp_path / "page.html").write_text("")
    assert digest_of_folder(tmp_path) != before


def test_the_folder_of_a_picture_counts(tmp_path: Path) -> None:
    def digest(folder: str) -> str:
        path = tmp_path / folder / "0.png"
        path.parent.mkdir()
        path.write_bytes(b"the same picture")
        return digest_of_data(
            DataSet("d", "validate", tmp_path, (DataSample(path, "validate", "k", Answer(items=())),))
        )

    assert digest("plain") != digest("flat")
