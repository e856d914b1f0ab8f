from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from quantize import Io, QuantizationError, calibrate, preflight, quantize


@pytest.fixture
def mixed(network) -> bytes:
    """relu → leaky relu → leaky relu → add → leaky relu, and an integer addition beside it."""
    net = network()
    x, k = net.input("x", [1, 64]), net.input("k", [2], np.int32)
    a = net.op("RELU", [x], "a", [1, 64])
    b = net.op("LEAKY_RELU", [a], "b", [1, 64], alpha=0.1)
    c = net.op("LEAKY_RELU", [b], "c", [1, 64], alpha=0.1)
    d = net.op("ADD", [c, net.constant("one", np.ones((1, 64)))], "d", [1, 64])
    e = net.op("LEAKY_RELU", [d], "e", [1, 64], alpha=0.1)
    n = net.op("ADD", [k, net.constant("two", [2, 2], np.int32)], "n", [2], np.int32)
    return net.build(e, n)


def verdicts(model: bytes, scheme: str) -> dict[str, str]:
    return {row.name: row.verdict for row in preflight(model, scheme).rows}


def test_rows_say_what_will_happen(mixed) -> None:
    table = preflight(mixed, "int8")
    assert [(row.index, row.op, row.name) for row in table.rows][:2] == [(0, "RELU", "a"), (1, "LEAKY_RELU", "b")]
    expected = {"a": "int8", "b": "float", "c": "float", "d": "int8", "e": "float", "n": "integer"}
    assert verdicts(mixed, "int8") == expected
    assert table.islands == 2
    assert "LEAKY_RELU" in table.rows[1].reason


def test_table_agrees_with_the_result(mixed) -> None:
    """Each operator of the result works on int8 exactly where the table says so."""
    samples = [{"x": np.linspace(-1, 1, 64, dtype=np.float32)[None], "k": np.array([1, 2], np.int32)}]
    result = quantize(mixed, scheme="int8", ranges=calibrate(mixed, samples))
    interpreter = Interpreter(model_content=result.tflite)
    types = {d["index"]: d["dtype"] for d in interpreter.get_tensor_details()}
    found = [
        (op["op_name"], types[op["outputs"][0]] is np.int8)
        for op in interpreter._get_ops_details()
        if op["op_name"] not in ("DELEGATE", "QUANTIZE", "DEQUANTIZE")
    ]
    assert found == [(row.op, row.verdict == "int8") for row in result.preflight.rows]


@pytest.mark.parametrize(
    ("scheme", "edge", "pool", "flat"),
    [
        ("none", "float", "float", "data"),
        ("fp16", "fp16", "float", "data"),
        ("int8_weights", "weights", "float", "data"),
        ("int8_dynamic", "weights", "float", "data"),
        ("int8", "int8", "int8", "int8"),
    ],
)
def test_every_scheme_has_its_verdicts(trained, scheme, edge, pool, flat) -> None:
    found = verdicts(trained.model, scheme)
    assert (found["edge"], found["pool"], found["features"]) == (edge, pool, flat)
    assert preflight(trained.model, scheme).islands == 0


def test_weights_that_are_computed_stay_float(network) -> None:
    net = network()
    a, b = net.input("a", [1, 4, 8]), net.input("b", [1, 8, 4])
    model = net.build(net.op("BATCH_MATMUL", [a, b], "y", [1, 4, 4]))
    assert verdicts(model, "int8_dynamic") == {"y": "float"}
    assert verdicts(model, "int8") == {"y": "int8"}


def test_islands_that_meet_count_once(network) -> None:
    net = network()
    x = net.input("x", [1, 4])
    left = net.op("LEAKY_RELU", [net.op("RELU", [x], "r1", [1, 4])], "left", [1, 4], alpha=0.1)
    right = net.op("LEAKY_RELU", [net.op("RELU", [x], "r2", [1, 4])], "right", [1, 4], alpha=0.2)
    model = net.build(net.op("MINIMUM", [left, right], "y", [1, 4]))
    assert preflight(model, "int8").islands == 1


def test_full_integer_names_every_island(mixed) -> None:
    samples = [{"x": np.ones((1, 64), np.float32), "k": np.array([1, 2], np.int32)}]
    with pytest.raises(QuantizationError, match=r"3 operators .*LEAKY_RELU 'b'.*'c'.*'e'.*full_integer = false"):
        quantize(mixed, scheme="int8", ranges=calibrate(mixed, samples), full_integer=True)
    with pytest.raises(QuantizationError, match="full_integer needs scheme 'int8'"):
        quantize(mixed, scheme="fp16", full_integer=True)


def test_concatenation_of_very_different_ranges_is_warned_of(network) -> None:
    net = network()
    x = net.input("x", [1, 4])
    boxes = net.op("MUL", [x, net.constant("g", np.full((1, 4), 640))], "boxes", [1, 4])
    model = net.build(net.op("CONCATENATION", [boxes, x], "head", [1, 8], axis=1))
    samples = [{"x": np.linspace(0, 1, 4, dtype=np.float32)[None]}]
    ranges = calibrate(model, samples)
    (warning,) = preflight(model, "int8", ranges=ranges).warnings
    assert "'head' joins 'boxes' (up to 640) with 'x' (up to 1)" in warning
    assert quantize(model, scheme="int8", ranges=ranges).preflight.warnings == (warning,)
    assert preflight(model, "int8").warnings == ()


def test_unknown_scheme_is_refused(trained) -> None:
    with pytest.raises(QuantizationError, match="unknown"):
        preflight(trained.model, "int4")


def test_tensor_that_never_moved_is_warned_of(network) -> None:
    net = network()
    state, x = net.input("state", [1, 4]), net.input("x", [1, 4])
    model = net.build(net.op("ADD", [state, x], "y", [1, 4]))
    samples = [{"state": np.zeros((1, 4), np.float32), "x": np.ones((1, 4), np.float32)}] * 3
    result = quantize(model, scheme="int8", ranges=calibrate(model, samples))
    (warning,) = result.preflight.warnings
    assert warning.startswith("'state' was zero in all 3 calibration samples")


@pytest.mark.parametrize(("scale", "warned"), [(1 / 255, False), (1 / 300, True), (1 / 127, False)])
def test_imposed_scale_that_clips_is_warned_of(trained, scale, warned) -> None:
    ranges = calibrate(trained.model, trained.samples)
    result = quantize(trained.model, scheme="int8", ranges=ranges, inputs={"image": Io("uint8", scale, 0)})
    assert [w.startswith("input 'image' is imposed to 0..") for w in result.preflight.warnings] == [True] * warned
