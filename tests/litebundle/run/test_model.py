from __future__ import annotations

import numpy as np
import pytest

from litebundle.errors import LitebundleError
from litebundle.run.model import LiteRTModel


def test_computes_what_float64_computes(linear_tflite):
    rng = np.random.default_rng(1)
    weights, bias, x = rng.normal(size=(3, 5)), rng.normal(size=3), rng.normal(size=(1, 5)).astype(np.float32)
    model = LiteRTModel.from_buffer(memoryview(linear_tflite(weights, bias)))
    (y,) = model.run([x])
    np.testing.assert_allclose(y, x.astype(np.float64) @ weights.T + bias, rtol=1e-5, atol=1e-6)
    assert [tensor.name for tensor in (*model.inputs, *model.outputs)] == ["x", "y"]


def test_names_come_from_the_tensors_where_there_is_no_signature(linear_tflite):
    model = LiteRTModel.from_buffer(linear_tflite(np.eye(2), np.zeros(2), signature=False))
    assert (model.inputs[0].name, model.outputs[0].name) == ("x", "y")


def test_tensors_are_in_the_files_order_with_their_quantization(sum_tflite):
    model = LiteRTModel.from_buffer(sum_tflite([1, 4], "int8", (0.5, 0.25, 1.0), (0, -3, 7)))
    assert [(t.name, t.scale, t.zero_point) for t in model.inputs] == [("a", 0.5, 0), ("b", 0.25, -3)]
    assert (model.outputs[0].dtype, model.outputs[0].shape) == (np.dtype("int8"), (1, 4))


def test_outputs_outlive_later_runs_and_the_model(sum_tflite):
    model = LiteRTModel.from_buffer(sum_tflite([1, 3]))
    one = np.ones((1, 3), np.float32)
    (first,) = model.run([one, one])
    model.run([first, first])
    del model
    assert first.tolist() == [[2, 2, 2]]


def test_unchanged_inputs_are_those_of_the_run_before(sum_tflite):
    model = LiteRTModel.from_buffer(sum_tflite([1, 3]))
    one, two = np.ones((1, 3), np.float32), np.full((1, 3), 2, np.float32)
    assert model.run([one, one])[0].tolist() == [[2, 2, 2]]
    for _ in range(3):
        assert model.run([one, two], unchanged=frozenset({0}))[0].tolist() == [[3, 3, 3]]
    assert model.run([two, two])[0].tolist() == [[4, 4, 4]]


def test_stored_shape_that_lies_is_refused(sum_tflite):
    model = LiteRTModel.from_buffer(sum_tflite([1, 3], stored=[1, 1]), name="locate")
    one = np.ones((1, 3), np.float32)
    with pytest.raises(LitebundleError, match=r"locate.*'total' is stored as \[1, 1\] but computes \[1, 3\]"):
        model.run([one, one])


@pytest.mark.parametrize(
    ("shape", "dtype"), [((1, 4), "float32"), ((3,), "float32"), ((1, 3), "float64"), ((1, 3), "uint8")]
)
def test_input_that_does_not_fit_is_refused_by_name(sum_tflite, shape, dtype):
    model = LiteRTModel.from_buffer(sum_tflite([1, 3]), name="locate")
    with pytest.raises(LitebundleError, match="model 'locate': input 'b' is float32"):
        model.run([np.ones((1, 3), np.float32), np.ones(shape, dtype)])


def test_wrong_number_of_inputs_is_refused(sum_tflite):
    with pytest.raises(LitebundleError, match="takes 2 inputs, not 1"):
        LiteRTModel.from_buffer(sum_tflite([1])).run([np.ones(1, np.float32)])


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"TFL3" * 20])
def test_damaged_model_is_refused(linear_tflite, damage):
    with pytest.raises(LitebundleError, match="'locate': LiteRT cannot load it"):
        LiteRTModel.from_buffer(damage(linear_tflite(np.eye(2), np.zeros(2))), name="locate")
