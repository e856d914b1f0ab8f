from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from quantize import SCHEMES, Io, QuantizationError, calibrate, quantize

IMAGE_CLASSES = "image_classification/trained_models/pretrainedResnet.tflite"


def tensors(model: bytes) -> dict[str, dict]:
    return {detail["name"]: detail for detail in Interpreter(model_content=model).get_tensor_details()}


def ops(model: bytes) -> list[str]:
    return [op["op_name"] for op in Interpreter(model_content=model)._get_ops_details() if op["op_name"] != "DELEGATE"]


@pytest.fixture(scope="module")
def ranges(trained):
    return calibrate(trained.model, trained.samples)


@pytest.mark.parametrize(
    ("scheme", "least_db", "most_size"),
    [("fp16", 60, 0.75), ("int8_weights", 30, 0.75), ("int8_dynamic", 30, 0.75), ("int8", 25, 0.75)],
)
def test_every_scheme_stays_close_to_float(
    trained, ranges, held_out, run, sqnr_db, scheme, least_db, most_size
) -> None:
    samples, labels = held_out
    result = quantize(trained.model, scheme=scheme, ranges=ranges)
    reference, test = run(trained.model, samples), run(result.tflite, samples)
    assert sqnr_db(reference, test) > least_db
    assert len(result.tflite) < most_size * len(trained.model)
    assert result.scheme == result.preflight.scheme == scheme
    right = (reference.argmax(axis=1) == labels).mean()
    assert right > 0.9 and (test.argmax(axis=1) == labels).mean() > right - 0.02


def test_scheme_none_returns_the_model_itself(trained) -> None:
    assert quantize(trained.model, scheme="none").tflite == trained.model


def test_real_model_is_as_close_as_its_authors_int8(mlperf_tiny, run, sqnr_db) -> None:
    """ResNet-8 on CIFAR-like pictures: our int8 against float is no worse than the authors' int8 against float."""
    model = (mlperf_tiny / IMAGE_CLASSES).read_bytes()
    authors = (mlperf_tiny / IMAGE_CLASSES.replace("Resnet", "Resnet_quant")).read_bytes()
    random = np.random.default_rng(0)
    coarse = random.uniform(0, 255, (80, 4, 4, 3))
    images = np.rint(np.clip(coarse.repeat(8, 1).repeat(8, 2) + random.normal(0, 12, (80, 32, 32, 3)), 0, 255))
    samples = [{"input_1": image[None].astype(np.float32)} for image in images]
    ours = quantize(model, scheme="int8", ranges=calibrate(model, samples[:40])).tflite
    interpreter = Interpreter(model_content=authors)
    name = interpreter.get_input_details()[0]["name"]
    assert interpreter.get_input_details()[0]["dtype"] is np.int8
    integers = [{name: (image[None] - 128).astype(np.int8)} for image in images[40:]]
    reference = run(model, samples[40:])
    assert sqnr_db(reference, run(ours, samples[40:])) > sqnr_db(reference, run(authors, integers)) - 1


def test_parameters_follow_the_tflite_specification(trained, ranges) -> None:
    """int8 activations: (max - min) / 255 with zero exact; weights: max |w| / 127 per channel, zero point 0;
    bias: int32 in units of input scale * weight scale; softmax: 1/256, -128."""
    result = tensors(quantize(trained.model, scheme="int8", ranges=ranges).tflite)
    for name in ("edge", "blur", "logits"):
        known = ranges.tensors[name]
        low, high = min(known.min, 0), max(known.max, 0)
        scale, zero = result[name]["quantization"]
        assert scale == pytest.approx((high - low) / 255, rel=1e-6)
        assert zero == round(-128 - low / scale)
    floats = tensors(trained.model)
    interpreter = Interpreter(model_content=trained.model)
    interpreter.allocate_tensors()
    for name, axis, source in (("edge", 0, "image_quantized"), ("blur", 3, "edge"), ("head", 0, "features")):
        weights = interpreter.get_tensor(floats[f"{name}/weights"]["index"])
        parameters = result[f"{name}/weights"]["quantization_parameters"]
        others = tuple(k for k in range(weights.ndim) if k != axis)
        np.testing.assert_allclose(parameters["scales"], np.abs(weights).max(axis=others) / 127, rtol=1e-6)
        assert parameters["quantized_dimension"] == axis
        assert not parameters["zero_points"].any()
        bias = result[f"{name}/bias"]
        assert bias["dtype"] is np.int32
        expected = result[source]["quantization"][0] * parameters["scales"]
        np.testing.assert_allclose(bias["quantization_parameters"]["scales"], expected, rtol=1e-5)
    assert result["probabilities_inner"]["quantization"] == (1 / 256, -128)


@pytest.mark.parametrize(("kind", "scale", "zero"), [("LOGISTIC", 1 / 256, -128), ("TANH", 1 / 128, 0)])
def test_saturating_functions_get_the_scale_of_their_kernel(network, kind, scale, zero) -> None:
    net = network()
    model = net.build(net.op(kind, [net.input("x", [1, 8])], "y", [1, 8]))
    samples = [{"x": np.linspace(-0.1, 0.1, 8, dtype=np.float32)[None]}]
    result = quantize(model, scheme="int8", ranges=calibrate(model, samples), outputs={"y": Io("int8")}).tflite
    assert tensors(result)["y"]["quantization"] == (scale, zero)


def test_integer_fully_connected_matches_integer_arithmetic(network) -> None:
    """The int8 model against the specification's formula in int64, one step of the output at most."""
    random = np.random.default_rng(7)
    net = network()
    weights, bias = random.normal(0, 0.3, (5, 9)).astype(np.float32), random.normal(0, 0.5, 5).astype(np.float32)
    x = net.input("x", [1, 9])
    model = net.build(net.op("FULLY_CONNECTED", [x, net.constant("w", weights), net.constant("b", bias)], "y", [1, 5]))
    samples = [{"x": random.normal(size=(1, 9)).astype(np.float32)} for _ in range(50)]
    result = quantize(
        model, scheme="int8", ranges=calibrate(model, samples), inputs={"x": Io("int8")}, outputs={"y": Io("int8")}
    ).tflite
    interpreter = Interpreter(model_content=result)
    interpreter.allocate_tensors()
    (x_in,), (y_out,) = interpreter.get_input_details(), interpreter.get_output_details()
    (x_scale, x_zero), (y_scale, y_zero) = x_in["quantization"], y_out["quantization"]
    w_scale = np.abs(weights).max(axis=1).astype(np.float64) / 127
    integer_weights = np.rint(weights / w_scale[:, None]).astype(np.int64)
    integer_bias = np.rint(bias / (x_scale * w_scale)).astype(np.int64)
    for _ in range(20):
        x_value = random.integers(-128, 128, (1, 9)).astype(np.int8)
        interpreter.set_tensor(x_in["index"], x_value)
        interpreter.invoke()
        sums = (x_value.astype(np.int64) - x_zero) @ integer_weights.T + integer_bias
        expected = np.clip(np.rint(sums * x_scale * w_scale / y_scale) + y_zero, -128, 127)
        assert np.abs(interpreter.get_tensor(y_out["index"]) - expected).max() <= 1


def test_concatenation_shares_one_scale_without_requantization(network) -> None:
    net = network()
    x = net.input("x", [1, 4])
    wide = net.op("MUL", [x, net.constant("ten", np.full((1, 4), 10))], "wide", [1, 4])
    narrow = net.op("MUL", [x, net.constant("two", np.full((1, 4), 2))], "narrow", [1, 4])
    moved = net.op("RESHAPE", [narrow, net.constant("shape", [1, 4], np.int32)], "moved", [1, 4])
    joined = net.op("CONCATENATION", [wide, moved], "joined", [1, 8], axis=1)
    model = net.build(net.op("RELU", [joined], "y", [1, 8]))
    samples = [{"x": np.random.default_rng(k).uniform(-1, 1, (1, 4)).astype(np.float32)} for k in range(10)]
    result = quantize(model, scheme="int8", ranges=calibrate(model, samples)).tflite
    known = tensors(result)
    assert len({known[name]["quantization"] for name in ("wide", "narrow", "moved", "joined")}) == 1
    assert ops(result).count("QUANTIZE") == 1


def test_concatenation_operand_with_another_reader_keeps_its_own_scale(network) -> None:
    net = network()
    x = net.input("x", [1, 4])
    wide = net.op("MUL", [x, net.constant("ten", np.full((1, 4), 10))], "wide", [1, 4])
    narrow = net.op("MUL", [x, net.constant("tenth", np.full((1, 4), 0.1))], "narrow", [1, 4])
    joined = net.op("CONCATENATION", [wide, narrow], "joined", [1, 8], axis=1)
    model = net.build(joined, net.op("RELU", [narrow], "y", [1, 4]))
    samples = [{"x": np.random.default_rng(k).uniform(-1, 1, (1, 4)).astype(np.float32)} for k in range(10)]
    result = quantize(model, scheme="int8", ranges=calibrate(model, samples)).tflite
    known = tensors(result)
    assert known["narrow"]["quantization"][0] < known["wide"]["quantization"][0] / 50


def test_two_activations_multiply_in_int8(network, run, sqnr_db) -> None:
    net = network()
    a, b = net.input("a", [1, 6, 8]), net.input("b", [1, 8, 5])
    model = net.build(net.op("BATCH_MATMUL", [a, b], "y", [1, 6, 5]))
    random = np.random.default_rng(0)
    shapes = {"a": (1, 6, 8), "b": (1, 8, 5)}
    samples = [{k: random.normal(size=s).astype(np.float32) for k, s in shapes.items()} for _ in range(20)]
    result = quantize(model, scheme="int8", ranges=calibrate(model, samples), full_integer=True).tflite
    assert tensors(result)["y_inner"]["dtype"] is np.int8
    assert sqnr_db(run(model, samples), run(result, samples)) > 30


def test_embedding_table_becomes_int8(network, run, sqnr_db) -> None:
    net = network()
    random = np.random.default_rng(0)
    table = net.constant("table", random.normal(size=(32, 16)))
    model = net.build(net.op("GATHER", [table, net.input("token", [1], np.int32)], "row", [1, 16]))
    samples = [{"token": np.array([k], np.int32)} for k in range(32)]
    result = quantize(model, scheme="int8", ranges=calibrate(model, samples)).tflite
    assert tensors(result)["table"]["dtype"] is np.int8
    assert tensors(result)["token"]["dtype"] is np.int32
    assert sqnr_db(run(model, samples), run(result, samples)) > 35


def test_embedding_lookup_keeps_int8_rows_and_float_results(network, run, sqnr_db) -> None:
    net = network()
    table = net.constant("table", np.random.default_rng(0).normal(size=(32, 16)))
    rows = net.op("EMBEDDING_LOOKUP", [net.input("token", [3], np.int32), table], "rows", [3, 16])
    model = net.build(net.op("RELU", [rows], "y", [3, 16]))
    samples = [{"token": np.array([k, k + 1, 31], np.int32)} for k in range(30)]
    result = quantize(model, scheme="int8", ranges=calibrate(model, samples))
    assert [row.verdict for row in result.preflight.rows] == ["weights", "int8"]
    assert tensors(result.tflite)["table"]["dtype"] is np.int8
    assert sqnr_db(run(model, samples), run(result.tflite, samples)) > 35


def test_recurrent_model_keeps_its_lstm_in_float(recurrent, run, sqnr_db) -> None:
    random = np.random.default_rng(0)
    samples = [{"steps": random.normal(size=(1, 6, 3)).astype(np.float32)} for _ in range(20)]
    ranges = calibrate(recurrent, samples)
    reference = run(recurrent, samples)
    for scheme, least_db in (("fp16", 60), ("int8_weights", 30), ("int8_dynamic", 30), ("int8", 30)):
        result = quantize(recurrent, scheme=scheme, ranges=ranges)
        assert sqnr_db(reference, run(result.tflite, samples)) > least_db, scheme
    rows = {row.op: row for row in result.preflight.rows}
    assert rows["UNIDIRECTIONAL_SEQUENCE_LSTM"].verdict == "float"
    assert rows["FULLY_CONNECTED"].verdict == "int8"
    assert result.preflight.islands == 1
    with pytest.raises(QuantizationError, match="UNIDIRECTIONAL_SEQUENCE_LSTM 'cells'"):
        quantize(recurrent, scheme="int8", ranges=ranges, full_integer=True)


def test_stale_quantization_of_float_tensors_is_ignored(trained, ranges) -> None:
    """A trainer's leftovers on float weights do not keep them in float."""
    from ai_edge_litert import schema_py_generated as schema

    from quantize.model_file import read_model, write_model

    tree = read_model(trained.model)
    for tensor in tree.subgraphs[0].tensors:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [0.5], [0]
    stale = write_model(tree)
    assert len(quantize(stale, scheme="int8", ranges=ranges).tflite) < 0.75 * len(trained.model)


def test_names_and_signature_stay(trained, ranges) -> None:
    for scheme in SCHEMES:
        interpreter = Interpreter(model_content=quantize(trained.model, scheme=scheme, ranges=ranges).tflite)
        runner = interpreter.get_signature_runner("serving_default")
        assert list(runner.get_input_details()) == ["image"]
        assert list(runner.get_output_details()) == ["probabilities"]
        assert [d["name"] for d in interpreter.get_input_details()] == ["image"]
        assert [d["name"] for d in interpreter.get_output_details()] == ["probabilities"]


def test_same_arguments_same_bytes_in_another_process(trained, ranges, tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(trained.model)
    (tmp_path / "ranges.json").write_text(ranges.to_json())
    code = (
        "import sys, hashlib; from pathlib import Path; from quantize import *; folder = Path(sys.argv[1])\n"
        "model, ranges = (folder / 'model.tflite').read_bytes(), (folder / 'ranges.json').read_text()\n"
        "for scheme in sorted(SCHEMES):\n"
        "    result = quantize(model, scheme=scheme, ranges=Ranges.from_json(ranges))\n"
        "    print(hashlib.sha256(result.tflite).hexdigest())\n"
    )
    root = Path(__file__).parents[2]
    runs = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code, str(tmp_path)],
            cwd=root,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] and len(runs[0].split()) == len(SCHEMES)


def test_nan_weight_is_refused_by_name(network) -> None:
    net = network()
    weights = np.ones((2, 3))
    weights[1, 1] = np.nan
    y = net.op("FULLY_CONNECTED", [net.input("x", [1, 3]), net.constant("poison", weights), -1], "y", [1, 2])
    model = net.build(y)
    for scheme in SCHEMES:
        with pytest.raises(QuantizationError, match=r"'poison' .*NaN"):
            quantize(model, scheme=scheme)


def test_infinite_constant_is_refused_in_int8(network) -> None:
    net = network()
    x = net.input("x", [1, 3])
    model = net.build(net.op("MAXIMUM", [x, net.op("ADD", [x, net.constant("mask", [[0, 0, -np.inf]])], "s", [1, 3])],
                             "y", [1, 3]))  # fmt: skip
    quantize(model, scheme="fp16")
    with pytest.raises(QuantizationError, match="'mask' of ADD is infinite"):
        quantize(model, scheme="int8")


def test_padding_with_minus_infinity_saturates(network, run) -> None:
    """A maximum over padding with minus infinity gives the maximum of the values, also in int8."""
    net = network()
    pads = net.constant("pads", [[0, 0], [1, 1], [1, 1], [0, 0]], np.int32)
    padded = net.op(
        "PADV2", [net.input("x", [1, 4, 4, 1]), pads, net.constant("floor", -np.inf)], "padded", [1, 6, 6, 1]
    )
    pooled = net.op("MAX_POOL_2D", [padded], "y", [1, 4, 4, 1], filterWidth=3, filterHeight=3, padding=1)
    model = net.build(pooled)
    random = np.random.default_rng(0)
    samples = [{"x": random.uniform(-2, -1, (1, 4, 4, 1)).astype(np.float32)} for _ in range(10)]
    result = quantize(model, scheme="int8", ranges=calibrate(model, samples)).tflite
    assert np.abs(run(model, samples) - run(result, samples)).max() <= 2 / 255


@pytest.mark.parametrize("scheme", ["int4", "", "INT8"])
def test_unknown_scheme_is_refused(trained, scheme) -> None:
    with pytest.raises(QuantizationError, match="none, fp16, int8_weights, int8_dynamic, int8"):
        quantize(trained.model, scheme=scheme)


def test_int8_without_ranges_is_refused(trained) -> None:
    with pytest.raises(QuantizationError, match="calibrat"):
        quantize(trained.model, scheme="int8")


def test_ranges_of_another_model_are_refused(trained, recurrent, ranges) -> None:
    with pytest.raises(QuantizationError, match="calibrate this very model"):
        quantize(recurrent, scheme="int8", ranges=ranges)


def test_quantized_model_is_refused(trained, ranges) -> None:
    once = quantize(trained.model, scheme="int8", ranges=ranges).tflite
    with pytest.raises(QuantizationError, match="quantized already"):
        quantize(once, scheme="int8", ranges=ranges)


def test_weight_beyond_float16_is_refused(network) -> None:
    net = network()
    weights = net.constant("huge", np.full((16, 16), 1e6))
    model = net.build(net.op("FULLY_CONNECTED", [net.input("x", [1, 16]), weights, -1], "y", [1, 16]))
    with pytest.raises(QuantizationError, match="'huge' reaches 1e\\+06"):
        quantize(model, scheme="fp16")


def test_model_that_is_not_finite_on_zeros_may_be_quantized(network) -> None:
    """x / |x| has no value at zero; that is the model's own matter."""
    net = network()
    x = net.input("x", [1, 3])
    model = net.build(net.op("DIV", [x, net.op("ABS", [x], "size", [1, 3])], "y", [1, 3]))
    assert quantize(model, scheme="none").tflite == model


def test_result_that_is_not_finite_is_refused(network) -> None:
    """A divisor that float16 rounds to zero."""
    net = network()
    divisor = net.constant("divisor", np.full((1, 64), 1e-9))
    model = net.build(net.op("DIV", [net.input("x", [1, 64]), divisor], "y", [1, 64]))
    with pytest.raises(QuantizationError, match=r"'y' .*NaN or infinite on zeros"):
        quantize(model, scheme="fp16")


def test_stale_output_shape_is_corrected(network) -> None:
    """The stored shape of the result is the one that the model computes."""
    net = network()
    x = net.input("x", [1, 6])
    y = net.op("RESHAPE", [x, net.constant("shape", [2, 3], np.int32)], "y", [1, 1])
    result = quantize(net.build(y), scheme="fp16").tflite
    assert Interpreter(model_content=result).get_output_details()[0]["shape"].tolist() == [2, 3]


def test_model_without_float_tensors_is_left_alone(network) -> None:
    net = network()
    x = net.input("x", [1, 4], np.int32)
    model = net.build(net.op("ADD", [x, net.constant("one", np.ones((1, 4)), np.int32)], "y", [1, 4], np.int32))
    samples = [{"x": np.ones((1, 4), np.int32)}]
    assert quantize(model, scheme="int8", ranges=calibrate(model, samples), full_integer=True).tflite == model
