"""What quantize/engine.py relies on in the pinned ai-edge-quantizer. A failure means: read its change log."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from quantize import engine
from quantize.model_file import read_model, write_model
from quantize.schemes import INT8_OPS, WEIGHTED

PINNED = "0.10.0"


def static_int8(model: bytes, ranges, weight_bounds) -> bytes:
    return write_model(engine.static_int8(read_model(model), ranges, weight_bounds))


def parameters(model: bytes) -> dict[str, dict]:
    details = Interpreter(model_content=model).get_tensor_details()
    return {detail["name"]: detail["quantization_parameters"] for detail in details}


def op_names(model: bytes) -> list[str]:
    return [op["op_name"] for op in Interpreter(model_content=model)._get_ops_details()]


def test_version_is_the_one_that_was_read() -> None:
    assert version("ai-edge-quantizer") == PINNED


def test_int8_table_is_the_engines_policy() -> None:
    assert engine.static_int8_ops() == INT8_OPS


def test_weight_table_is_the_engines_policy() -> None:
    assert engine.int8_weight_ops() == set(WEIGHTED)


@pytest.fixture
def two_layers(network) -> bytes:
    net = network()
    weights = net.constant("w", np.array([[1.0, -2.0], [0.5, 0.25], [3.0, 1.0]]))
    x = net.op("FULLY_CONNECTED", [net.input("x", [1, 2]), weights, net.constant("b", [1, 2, 3])], "h", [1, 3])
    return net.build(net.op("SOFTMAX", [x], "y", [1, 3]))


RANGES = {"x": (-1.0, 1.55), "h": (-4.0, 1.1), "y": (0.0, 1.0)}


def test_ranges_become_scales_and_zero_points(two_layers) -> None:
    known = parameters(static_int8(two_layers, RANGES, {}))
    assert known["x_quantized"]["scales"] == pytest.approx(0.01)
    assert known["x_quantized"]["zero_points"] == -28
    assert known["h"]["scales"] == pytest.approx(0.02)
    assert known["h"]["zero_points"] == 72


def test_softmax_overrides_the_given_range(two_layers) -> None:
    known = parameters(static_int8(two_layers, {**RANGES, "y": (-5.0, 5.0)}, {}))["y"]
    assert (known["scales"], known["zero_points"]) == (1 / 256, -128)


def test_weight_entry_replaces_its_own_extremes(two_layers) -> None:
    own = parameters(static_int8(two_layers, RANGES, {}))["w"]["scales"]
    np.testing.assert_allclose(own, np.array([2.0, 0.5, 3.0]) / 127, rtol=1e-6)
    bound = np.array([[2.0], [50.0], [3.0]])
    widened = parameters(static_int8(two_layers, RANGES, {"w": bound}))
    np.testing.assert_allclose(widened["w"]["scales"], bound.ravel() / 127, rtol=1e-6)
    np.testing.assert_allclose(widened["b"]["scales"], bound.ravel() / 127 * 0.01, rtol=1e-6)


def test_boundaries_stay_float(two_layers) -> None:
    interpreter = Interpreter(model_content=static_int8(two_layers, RANGES, {}))
    details = interpreter.get_input_details() + interpreter.get_output_details()
    assert all(detail["dtype"] is np.float32 for detail in details)


def test_operator_outside_the_policy_is_left_in_float(network) -> None:
    net = network()
    x = net.op("RELU", [net.input("x", [1, 4])], "a", [1, 4])
    x = net.op("LEAKY_RELU", [x], "b", [1, 4], alpha=0.1)
    model = net.build(net.op("RELU", [x], "y", [1, 4]))
    result = static_int8(model, dict.fromkeys(("x", "a", "b", "y"), (-1.0, 1.0)), {})
    named = [op for op in op_names(result) if op != "DELEGATE"]
    assert named == ["QUANTIZE", "RELU", "DEQUANTIZE", "LEAKY_RELU", "QUANTIZE", "RELU", "DEQUANTIZE"]


def test_missing_range_is_an_error_of_ours(two_layers) -> None:
    with pytest.raises(engine.QuantizationError, match="ai-edge-quantizer cannot"):
        static_int8(two_layers, {"x": (0.0, 1.0)}, {})


def test_output_that_an_operator_reads_stays_int8_for_it(network) -> None:
    """Left alone, the engine connects the second RELU to a float copy of `h`, because `h` is an output."""
    net = network()
    h = net.op("RELU", [net.input("x", [1, 4])], "h", [1, 4])
    model = net.build(h, net.op("RELU", [h], "y", [1, 4]))
    result = static_int8(model, dict.fromkeys(("x", "h", "y"), (0.0, 1.0)), {})
    Interpreter(model_content=result).allocate_tensors()
