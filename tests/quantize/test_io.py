from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from quantize import Io, QuantizationError, calibrate, quantize


@pytest.fixture(scope="module")
def ranges(trained):
    return calibrate(trained.model, trained.samples)


def boundary(model: bytes) -> tuple[dict, dict]:
    interpreter = Interpreter(model_content=model)
    return interpreter.get_input_details()[0], interpreter.get_output_details()[0]


def integers_of(detail: dict, value: np.ndarray) -> np.ndarray:
    """The specification's quantization of real values."""
    scale, zero = detail["quantization"]
    limits = np.iinfo(detail["dtype"])
    return np.clip(np.rint(value.astype(np.float64) / scale) + zero, limits.min, limits.max).astype(detail["dtype"])


@pytest.mark.parametrize("source", ["float32", "int8", "uint8"])
@pytest.mark.parametrize("target", ["float32", "int8", "uint8"])
def test_every_pair_of_types_gives_the_same_answers(trained, ranges, run, source, target) -> None:
    plain = quantize(trained.model, scheme="int8", ranges=ranges).tflite
    typed = quantize(
        trained.model,
        scheme="int8",
        ranges=ranges,
        inputs={"image": Io(source)},
        outputs={"probabilities": Io(target)},
    ).tflite
    read, written = boundary(typed)
    assert (np.dtype(read["dtype"]).name, np.dtype(written["dtype"]).name) == (source, target)
    assert (read["name"], written["name"]) == ("image", "probabilities")
    samples = trained.samples
    if source != "float32":
        samples = [{"image": integers_of(read, sample["image"])} for sample in samples]
    np.testing.assert_array_equal(run(typed, samples), run(plain, trained.samples))


def test_unsigned_output_is_the_signed_one_moved_by_128(trained, ranges) -> None:
    models = [
        quantize(trained.model, scheme="int8", ranges=ranges, outputs={"probabilities": Io(kind)}).tflite
        for kind in ("int8", "uint8")
    ]
    values = []
    for model in models:
        interpreter = Interpreter(model_content=model)
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], trained.samples[0]["image"])
        interpreter.invoke()
        values.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).astype(int))
    np.testing.assert_array_equal(values[1] - 128, values[0])


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_folded_normalisation_takes_raw_pixels(network, run, sqnr_db, dtype) -> None:
    """(pixel - 127) / 64 before the model, or scale 1/64 and zero point 127 inside it: the same function."""
    random = np.random.default_rng(0)
    net = network()
    x = net.input("image", [1, 8, 8, 3])
    weights = net.constant("w", random.normal(0, 0.2, (6, 3, 3, 3)))
    y = net.op("CONV_2D", [x, weights, net.constant("b", random.normal(size=6))], "y", [1, 8, 8, 6])
    model = net.build(y)
    pixels = [random.integers(0, 256, (1, 8, 8, 3)) for _ in range(20)]
    samples = [{"image": ((pixel - 127) / 64).astype(np.float32)} for pixel in pixels]
    shift = 128 if dtype == "int8" else 0
    folded = quantize(
        model, scheme="int8", ranges=calibrate(model, samples), inputs={"image": Io(dtype, 1 / 64, 127 - shift)}
    ).tflite
    assert boundary(folded)[0]["quantization"] == (1 / 64, 127 - shift)
    raw = [{"image": (pixel - shift).astype(dtype)} for pixel in pixels]
    assert sqnr_db(run(model, samples), run(folded, raw)) > 30


@pytest.mark.parametrize(("scale", "zero"), [(1 / 127.5, 128), (1.0, 0), (0.017, 255), (1 / 58.395, 124)])
def test_imposed_parameters_are_exact(trained, ranges, scale, zero) -> None:
    wish = {"image": Io("uint8", scale, zero)}
    model = quantize(trained.model, scheme="int8", ranges=ranges, inputs=wish).tflite
    assert boundary(model)[0]["quantization"] == (np.float32(scale), zero)


def test_imposed_range_reaches_through_data_movement(network) -> None:
    """What follows from the input's range follows from the imposed one."""
    net = network()
    x = net.input("x", [1, 2, 2, 1])
    flat = net.op("RESHAPE", [x, net.constant("shape", [1, 4], np.int32)], "flat", [1, 4])
    model = net.build(net.op("CONCATENATION", [flat, flat], "y", [1, 8], axis=1))
    samples = [{"x": np.full((1, 2, 2, 1), 0.5, np.float32)}]
    result = quantize(
        model,
        scheme="int8",
        ranges=calibrate(model, samples),
        inputs={"x": Io("uint8", 1 / 255, 0)},
        outputs={"y": Io("uint8")},
    ).tflite
    read, written = boundary(result)
    assert written["quantization"] == read["quantization"] == (np.float32(1 / 255), 0)


def test_float_island_at_the_boundary_gets_quantized_io(network, run) -> None:
    net = network()
    x = net.input("x", [1, 4])
    y = net.op("LEAKY_RELU", [x], "y", [1, 4], alpha=0.25)
    model = net.build(y)
    samples = [{"x": np.linspace(-1, 1, 4, dtype=np.float32)[None]}]
    result = quantize(
        model, scheme="int8", ranges=calibrate(model, samples), inputs={"x": Io("uint8")}, outputs={"y": Io("int8")}
    ).tflite
    read, _ = boundary(result)
    got = run(result, [{"x": integers_of(read, samples[0]["x"])}])
    np.testing.assert_allclose(got, run(model, samples), atol=2 / 255)


def test_integer_input_keeps_its_type(network) -> None:
    net = network()
    token, gain = net.input("token", [2], np.int32), net.input("gain", [2, 3])
    row = net.op("GATHER", [net.constant("table", np.eye(5, 3)), token], "row", [2, 3])
    model = net.build(net.op("MUL", [row, gain], "y", [2, 3]))
    samples = [{"token": np.array([1, 2], np.int32), "gain": np.ones((2, 3), np.float32)}]
    ranges = calibrate(model, samples)
    result = quantize(model, scheme="int8", ranges=ranges, inputs={"gain": Io("int8")}).tflite
    types = {d["name"]: np.dtype(d["dtype"]).name for d in Interpreter(model_content=result).get_input_details()}
    assert types == {"token": "int32", "gain": "int8"}
    with pytest.raises(QuantizationError, match="'token' is not float32"):
        quantize(model, scheme="int8", ranges=ranges, inputs={"token": Io("int8")})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inputs": {"picture": Io("int8")}}, "no input 'picture'; it has image"),
        ({"outputs": {"class": Io("int8")}}, "no output 'class'; it has probabilities"),
        ({"inputs": {"image": Io("int16")}}, "'int16' is not one of"),
        ({"inputs": {"image": Io("uint8", 1 / 255, None)}}, "together"),
        ({"inputs": {"image": Io("uint8", 0.0, 3)}}, "must be positive"),
        ({"inputs": {"image": Io("uint8", float("nan"), 3)}}, "must be positive"),
        ({"inputs": {"image": Io("uint8", 0.1, -1)}}, r"within 0\.\.255"),
        ({"inputs": {"image": Io("int8", 0.1, 200)}}, r"within -128\.\.127"),
        ({"outputs": {"probabilities": Io("uint8", 0.1, 0)}}, "calibrated, not given"),
    ],
)
def test_impossible_wish_is_refused(trained, ranges, options, message) -> None:
    with pytest.raises(QuantizationError, match=message):
        quantize(trained.model, scheme="int8", ranges=ranges, **options)


@pytest.mark.parametrize("scheme", ["none", "fp16", "int8_weights", "int8_dynamic"])
def test_integer_io_needs_integer_arithmetic(trained, scheme) -> None:
    with pytest.raises(QuantizationError, match="needs scheme 'int8'"):
        quantize(trained.model, scheme=scheme, inputs={"image": Io("uint8")})


@pytest.mark.parametrize("inner", ["float32", "int8", "uint8"])
@pytest.mark.parametrize("last", ["float32", "int8", "uint8"])
def test_output_that_an_operator_reads_is_right(network, inner, last) -> None:
    net = network()
    x = net.input("x", [1, 4])
    state = net.op("RELU", [x], "state", [1, 4])
    model = net.build(state, net.op("TANH", [state], "y", [1, 4]))
    values = np.array([[-0.5, 0.1, 0.4, 1.0]], np.float32)
    result = quantize(
        model,
        scheme="int8",
        ranges=calibrate(model, [{"x": values}]),
        outputs={"state": Io(inner), "y": Io(last)},
    ).tflite
    interpreter = Interpreter(model_content=result)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], values)
    interpreter.invoke()
    expected = np.maximum(values, 0), np.tanh(np.maximum(values, 0))
    for detail, kind, truth in zip(interpreter.get_output_details(), (inner, last), expected, strict=True):
        assert np.dtype(detail["dtype"]).name == kind
        value = interpreter.get_tensor(detail["index"]).astype(np.float64)
        scale, zero = detail["quantization"]
        np.testing.assert_allclose((value - zero) * scale if scale else value, truth, atol=0.015)


def test_input_that_is_an_output_and_an_output_named_twice(network) -> None:
    net = network()
    x = net.input("x", [1, 4])
    y = net.op("RELU", [x], "y", [1, 4])
    model = net.build(x, y, y)
    ranges = calibrate(model, [{"x": np.ones((1, 4), np.float32)}])
    both = quantize(model, scheme="int8", ranges=ranges, inputs={"x": Io("int8")}, outputs={"x": Io("int8")}).tflite
    interpreter = Interpreter(model_content=both)
    assert [d["name"] for d in interpreter.get_output_details()] == ["x", "y", "y"]
    with pytest.raises(QuantizationError, match="give both the same type"):
        quantize(model, scheme="int8", ranges=ranges, outputs={"x": Io("int8")})
