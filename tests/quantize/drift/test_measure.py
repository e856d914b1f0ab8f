"""Drift of whole models against an independent run of both in the test, and its refusals."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from quantize.drift import drift
from quantize.drift.side import TensorInfo
from quantize.errors import QuantizationError

CASES = Path(os.environ.get("LITEBUNDLE_CASES", Path(__file__).parents[4] / "shared" / "cases"))
TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
}


@dataclass(frozen=True)
class T:
    """A tensor of a chain: its name, dtype and, where it is quantized, scale and zero point."""

    name: str
    dtype: str = "float32"
    scale: float | None = None
    zero_point: int = 0


def chain_model(start: T, *steps: tuple[str, T], shape: tuple[int, ...] = (1, 4)) -> bytes:
    """One-input operators one after the other; the last tensor is the only output."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs, model.buffers = 3, [graph], [schema.BufferT()]
    model.operatorCodes, graph.operators, graph.tensors = [], [], []
    for tensor in (start, *(tensor for _, tensor in steps)):
        graph.tensors.append(_tensor(tensor, shape))
    for i, (op, _) in enumerate(steps):
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, op)
        code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
        model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = i, [i], [i + 1]
        graph.operators.append(operator)
    graph.inputs, graph.outputs = [0], [len(steps)]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensor(tensor: T, shape: tuple[int, ...]) -> schema.TensorT:
    entry = schema.TensorT()
    entry.name, entry.shape, entry.type, entry.buffer = tensor.name, list(shape), TYPES[tensor.dtype], 0
    if tensor.scale is not None:
        entry.quantization = schema.QuantizationParametersT()
        entry.quantization.scale = np.array([tensor.scale], np.float32)
        entry.quantization.zeroPoint = np.array([tensor.zero_point], np.int64)
    return entry


@pytest.fixture(
    params=[
        ("anomaly_detection", "ad01_fp32.tflite", "ad01_int8.tflite"),
        ("image_classification", "pretrainedResnet.tflite", "pretrainedResnet_quant.tflite"),
        ("keyword_spotting", "kws_ref_model_float32.tflite", "kws_ref_model.tflite"),
        ("visual_wake_words", "vww_96_float.tflite", "vww_96_int8.tflite"),
    ],
    ids=lambda param: param[0],
)
def tiny_pair(request: pytest.FixtureRequest) -> tuple[bytes, bytes]:
    """A float and an int8 model of the same trained weights."""
    task, *names = request.param
    folder = CASES / "mlperf_tiny" / "benchmark" / "training" / task / "trained_models"
    if not folder.is_dir():
        pytest.skip(f"no MLPerf Tiny models at {folder}; set LITEBUNDLE_CASES")
    reference, quantized = ((folder / name).read_bytes() for name in names)
    return reference, quantized


REFERENCE = chain_model(T("x"), ("RELU", T("a")), ("SQRT", T("b")), ("NEG", T("y")))


def samples_of(*rows: list[float]) -> list[dict[str, np.ndarray]]:
    return [{"x": np.array([row], np.float32)} for row in rows]


def run_plainly(model: bytes, real: np.ndarray) -> np.ndarray:
    """One sample through a model with one input and one output, real numbers on both ends, float64
    throughout.
    """
    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    (source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()
    scale, zero_point = source["quantization"]
    if scale:
        limits = np.iinfo(source["dtype"])
        real = np.clip(np.rint(real.astype(np.float64) / scale) + zero_point, limits.min, limits.max)
    interpreter.set_tensor(source["index"], real.astype(source["dtype"]))
    interpreter.invoke()
    scale, zero_point = sink["quantization"]
    stored = interpreter.get_tensor(sink["index"]).astype(np.float64)
    return (stored - zero_point) * scale if scale else stored


def test_real_pairs_agree_with_a_plain_float64_computation(tiny_pair: tuple[bytes, bytes]) -> None:
    reference, quantized = tiny_pair
    source = Interpreter(model_content=reference).get_input_details()[0]
    other = Interpreter(model_content=quantized).get_input_details()[0]
    scale, zero_point = other["quantization"]
    low, high = (-128 - zero_point) * scale, (127 - zero_point) * scale
    generator = np.random.default_rng(0)
    values = [generator.uniform(low, high, source["shape"]).astype(np.float32) for _ in range(70)]

    result = drift(reference, quantized, [{source["name"]: value} for value in values])

    expected = np.stack([run_plainly(reference, value) for value in values])
    got = np.stack([run_plainly(quantized, value) for value in values])
    error = expected - got
    (output,) = result.outputs
    assert output.samples == result.samples == 70
    assert output.sqnr_db == pytest.approx(10 * np.log10((expected**2).sum() / (error**2).sum()), rel=1e-9)
    assert output.max_abs == pytest.approx(np.abs(error).max(), rel=1e-12)
    assert output.rms == pytest.approx(np.sqrt((error**2).mean()), rel=1e-9)
    assert output.cosine == pytest.approx(
        (expected * got).sum() / np.sqrt((expected**2).sum() * (got**2).sum()), rel=1e-9
    )
    # The values lie within what the quantized input can hold, so rounding alone parts them.
    assert result.tensors[0].name == source["name"] and result.tensors[0].max_abs <= scale / 2 * (1 + 1e-6)
    assert len(result.tensors) > 5 and not result.unmatched
    assert all(tensor.finite and tensor.samples == 4 for tensor in result.tensors)


def test_a_model_against_itself_is_a_perfect_match(tiny_pair: tuple[bytes, bytes]) -> None:
    reference, _ = tiny_pair
    source = Interpreter(model_content=reference).get_input_details()[0]
    value = np.random.default_rng(0).uniform(-1, 1, source["shape"]).astype(np.float32)
    result = drift(reference, reference, [{source["name"]: value}])
    assert not result.unmatched
    for row in (*result.outputs, *result.tensors):
        assert (row.sqnr_db, row.cosine, row.max_abs, row.rms) == (math.inf, 1.0, 0.0, 0.0)


def test_tensors_are_matched_through_inserted_quantize_and_dequantize() -> None:
    scale, zero_point = 0.1, -128
    quantized = chain_model(
        T("x"),
        ("QUANTIZE", T("x_quantized", "int8", scale, zero_point)),
        ("RELU", T("a", "int8", scale, zero_point)),
        ("DEQUANTIZE", T("a_dequant")),
        ("SQRT", T("b")),
        ("NEG", T("y")),
    )
    row = [0.04, 1.26, 4.0, 9.0]
    result = drift(REFERENCE, quantized, samples_of(row))
    real = np.array(row, np.float32).astype(np.float64)
    rounded = np.rint(real / scale) * np.float64(np.float32(scale))
    by_name = {tensor.name: tensor for tensor in result.tensors}
    assert list(by_name) == ["x", "a", "b"] and not result.unmatched
    assert by_name["x"].max_abs == pytest.approx(np.abs(real - rounded).max(), rel=1e-6)
    assert by_name["a"].max_abs == by_name["x"].max_abs
    assert by_name["b"].max_abs == pytest.approx(np.abs(np.sqrt(real) - np.sqrt(rounded)).max(), rel=1e-6)
    assert result.outputs[0].max_abs == pytest.approx(by_name["b"].max_abs)


def test_a_uint8_input_takes_the_rounded_real_numbers() -> None:
    quantized = chain_model(
        T("x", "uint8", 0.5, 10),
        ("DEQUANTIZE", T("x_real")),
        ("RELU", T("a")),
        ("SQRT", T("b")),
        ("NEG", T("y")),
    )
    # -10 and 200 lie outside what 0.5 * (0..255 - 10) can hold; 2.25 is a tie, rounded to the even step.
    result = drift(REFERENCE, quantized, samples_of([-10.0, 2.25, 200.0, 4.0]))
    expected = np.sqrt([[0.0, 2.25, 200.0, 4.0]]) - np.sqrt([[0.0, 2.0, 122.5, 4.0]])
    assert result.outputs[0].max_abs == pytest.approx(np.abs(expected).max(), rel=1e-6)
    assert result.outputs[0].rms == pytest.approx(np.sqrt((expected**2).mean()), rel=1e-6)


def test_renamed_tensors_can_be_tied_by_hand() -> None:
    renamed = chain_model(T("x"), ("RELU", T("a_1")), ("SQRT", T("b")), ("NEG", T("y")))
    plain = drift(REFERENCE, renamed, samples_of([1.0, 2.0, 3.0, 4.0]))
    tied = drift(REFERENCE, renamed, samples_of([1.0, 2.0, 3.0, 4.0]), tensor_names={"a": "a_1"})
    assert plain.unmatched == ("a",) and [tensor.name for tensor in plain.tensors] == ["x", "b"]
    assert tied.unmatched == () and [tensor.name for tensor in tied.tensors] == ["x", "a", "b"]


def test_per_channel_parameters_lie_along_their_axis() -> None:
    details = {
        "index": 3,
        "name": "w",
        "shape": np.array([2, 3]),
        "dtype": np.int8,
        "quantization_parameters": {
            "scales": np.array([0.5, 1.0, 2.0], np.float32),
            "zero_points": np.array([0, 1, -1]),
            "quantized_dimension": 1,
        },
    }
    stored = np.array([[2, 2, 2], [4, 4, 4]])
    real = TensorInfo.of(details).dequantize(stored.astype(np.float64))
    assert real.tolist() == [[1.0, 1.0, 6.0], [2.0, 3.0, 10.0]]


def test_the_first_bad_tensor_of_the_reference_is_named() -> None:
    model = chain_model(T("x"), ("NEG", T("minus")), ("SQRT", T("root")), ("NEG", T("y")))
    samples = samples_of([-1.0] * 4, [-4.0] * 4, [-1.0, -1.0, 1.0, -1.0], [1.0] * 4)
    with pytest.raises(QuantizationError) as caught:
        drift(model, model, samples)
    for part in ("sample 2", "'root'", "SQRT", "reference", "NaN"):
        assert part in str(caught.value)


def test_the_first_bad_tensor_of_the_quantized_model_is_named() -> None:
    reference = chain_model(T("x"), ("NEG", T("minus")), ("ABS", T("root")), ("NEG", T("y")))
    broken = chain_model(T("x"), ("NEG", T("minus")), ("LOG", T("root")), ("NEG", T("y")))
    rows = [[-1.0] * 4] * 100 + [[-1.0, -2.0, 0.0, -3.0]]
    with pytest.raises(QuantizationError) as caught:
        drift(reference, broken, samples_of(*rows))
    for part in ("sample 100", "'root'", "LOG", "quantized", "infinity"):
        assert part in str(caught.value)


def test_a_bad_intermediate_is_found_though_the_output_hides_it() -> None:
    model = chain_model(T("x"), ("LOG", T("log")), ("LOGISTIC", T("y")))
    with pytest.raises(QuantizationError, match=r"sample 1: tensor 'log' .*infinity"):
        drift(model, model, samples_of([1.0] * 4, [1.0, 0.0, 1.0, 1.0]))


@pytest.mark.parametrize(
    ("samples", "fault"),
    [
        ([], "at least one sample"),
        ([{"z": np.zeros((1, 4), np.float32)}], "sample 0: .* inputs are x"),
        ([{"x": np.zeros((1, 5), np.float32)}], r"sample 0: input 'x' has shape \[1, 5\].*\[1, 4\]"),
        ([{"x": np.array([[0, 0, np.nan, 0]], np.float32)}], "sample 0: input 'x' holds NaN"),
    ],
)
def test_samples_that_do_not_fit_are_refused(samples: list[dict[str, np.ndarray]], fault: str) -> None:
    with pytest.raises(QuantizationError, match=fault):
        drift(REFERENCE, REFERENCE, samples)


def test_large_values_whose_sum_overflows_are_still_finite() -> None:
    model = chain_model(T("x"), ("NEG", T("y")))
    result = drift(model, model, samples_of([3e38, 3e38, 3e38, 3e38]))
    assert result.outputs[0].sqnr_db == math.inf


def test_models_that_do_not_belong_together_are_refused() -> None:
    other = chain_model(T("x"), ("NEG", T("y")), shape=(1, 5))
    with pytest.raises(QuantizationError, match=r"x \[1, 4\].*x \[1, 5\]"):
        drift(REFERENCE, other, samples_of([1.0] * 4))


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(QuantizationError, match="reference model"):
        drift(b"not a model at all", REFERENCE, samples_of([1.0] * 4))


def test_progress_counts_every_sample() -> None:
    seen: list[int] = []
    drift(REFERENCE, REFERENCE, samples_of(*[[1.0] * 4] * 5), progress=seen.append)
    assert seen == [1, 2, 3, 4, 5]


def test_the_function_keeps_its_public_name_whoever_imports_first() -> None:
    import quantize
    import quantize.drift.moments

    assert callable(quantize.drift)
