from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from quantize import QuantizationError, calibrate, quantize

VISUAL_WAKE_WORDS = "visual_wake_words/trained_models/vww_96_float.tflite"


def biases(model: bytes) -> dict[str, np.ndarray]:
    """Dequantized int32 constants by name, float64."""
    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    found = {}
    for detail in interpreter.get_tensor_details():
        scales = detail["quantization_parameters"]["scales"].astype(np.float64)
        if detail["dtype"] is np.int32 and scales.size:
            found[detail["name"]] = interpreter.get_tensor(detail["index"]) * scales
    return found


def layer(network, kind: str, tiny: float) -> tuple[bytes, np.ndarray, np.ndarray]:
    """One layer whose output channel 2 has weights of magnitude `tiny` and the bias 5."""
    random = np.random.default_rng(0)
    net = network()
    bias = np.array([0.5, -1.0, 5.0, 0.25])
    if kind == "FULLY_CONNECTED":
        x, shape, axis, out = net.input("x", [1, 6]), (4, 6), 0, [1, 4]
    else:
        x, out = net.input("x", [1, 5, 5, 4]), [1, 5, 5, 4]
        shape, axis = ((1, 3, 3, 4), 3) if kind == "DEPTHWISE_CONV_2D" else ((4, 3, 3, 4), 0)
    weights = random.normal(0, 0.5, shape)
    np.moveaxis(weights, axis, 0)[2] *= tiny
    operands = [x, net.constant("w", weights), net.constant("b", bias)]
    if kind == "TRANSPOSE_CONV":
        operands = [net.constant("shape", out, np.int32), operands[1], x, operands[2]]
    return net.build(net.op(kind, operands, "y", out)), weights, bias


@pytest.mark.parametrize("kind", ["FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV"])
@pytest.mark.parametrize("tiny", [0.0, 1e-12, 1e-8])
def test_overflowing_bias_is_repaired(network, run, kind, tiny) -> None:
    model, _, bias = layer(network, kind, tiny)
    name = "x"
    shape = Interpreter(model_content=model).get_input_details()[0]["shape"]
    random = np.random.default_rng(1)
    samples = [{name: random.uniform(-1, 1, shape).astype(np.float32)} for _ in range(20)]
    result = quantize(model, scheme="int8", ranges=calibrate(model, samples))
    (repair,) = result.bias_repairs
    assert (repair.op, repair.name, repair.channel, repair.bias) == (kind, "y", 2, 5.0)
    assert repair.scale_after > repair.scale_before
    np.testing.assert_allclose(biases(result.tflite)["b"], bias, rtol=1e-4)
    step = Interpreter(model_content=result.tflite).get_tensor_details()
    scale = next(d["quantization"][0] for d in step if d["name"] == "y_inner")
    assert np.abs(run(result.tflite, samples) - run(model, samples)).max() < 3 * scale


def test_healthy_layer_is_left_alone(network) -> None:
    model, _, _ = layer(network, "CONV_2D", 1.0)
    samples = [{"x": np.random.default_rng(k).uniform(-1, 1, (1, 5, 5, 4)).astype(np.float32)} for k in range(4)]
    assert quantize(model, scheme="int8", ranges=calibrate(model, samples)).bias_repairs == ()


def test_weights_that_the_output_can_show_are_not_silenced(network) -> None:
    """Tiny inputs and weights next to a cancelling bias: no int8 scale holds both."""
    net = network()
    x = net.input("x", [1, 4])
    hidden = net.op(
        "FULLY_CONNECTED",
        [x, net.constant("w", np.full((2, 4), 1e-6)), net.constant("b", [1000.0, 1000.0])],
        "hidden",
        [1, 2],
    )
    del hidden
    model = net.build(len(net.graph.tensors) - 1)
    from quantize.observers import MinMax, Ranges

    ranges = Ranges("minmax", 99.99, {"x": MinMax(0.0, 1e-3, 1), "hidden": MinMax(0.0, 1e-9, 1)})
    with pytest.raises(QuantizationError, match="'hidden': the bias of output channel 0 does not fit int32"):
        quantize(model, scheme="int8", ranges=ranges)


def test_dead_channels_of_a_real_model_are_repaired(mlperf_tiny, run, sqnr_db) -> None:
    model = (mlperf_tiny / VISUAL_WAKE_WORDS).read_bytes()
    random = np.random.default_rng(0)
    samples = [{"input_1": random.uniform(0, 1, (1, 96, 96, 3)).astype(np.float32)} for _ in range(8)]
    result = quantize(model, scheme="int8", ranges=calibrate(model, samples))
    assert len(result.bias_repairs) > 100
    assert sqnr_db(run(model, samples), run(result.tflite, samples)) > 25


def test_weights_that_two_operators_share_hold_both_biases(network, run) -> None:
    random = np.random.default_rng(0)
    weights = random.normal(0, 0.5, (4, 4))
    weights[2] = 0
    net = network()
    shared, biases_of = net.constant("w", weights), ([0, 0, 5.0, 0], [0, 0, 0.5, 0])
    x = net.input("x", [1, 4])
    for number, bias in enumerate(biases_of):
        operands = [x, shared, net.constant(f"b{number}", bias)]
        x = net.op("FULLY_CONNECTED", operands, f"y{number}", [1, 4])
    model = net.build(x)
    samples = [{"x": random.uniform(-1, 1, (1, 4)).astype(np.float32)} for _ in range(20)]
    result = quantize(model, scheme="int8", ranges=calibrate(model, samples))
    assert [(repair.name, repair.channel) for repair in result.bias_repairs] == [("y0", 2), ("y1", 2)]
    for number, bias in enumerate(biases_of):
        np.testing.assert_allclose(biases(result.tflite)[f"b{number}"], bias, rtol=1e-4)
    assert np.abs(run(result.tflite, samples) - run(model, samples)).max() < 0.1
