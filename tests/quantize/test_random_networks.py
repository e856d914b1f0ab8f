"""Random chains of operators: whatever the neighbours, int8 follows float and the preflight table tells the truth."""

from __future__ import annotations

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantize import Io, calibrate, quantize

SHAPE = [1, 6, 6, 4]
FLAT = [1, 144]
WINDOW = {"filterWidth": 3, "filterHeight": 3, "padding": 0}


def convolve(net, x, name, random):
    weights = net.constant(f"{name}/w", random.normal(0, 0.4, (4, 3, 3, 4)))
    return net.op("CONV_2D", [x, weights, net.constant(f"{name}/b", random.normal(0, 0.2, 4))], name, SHAPE)


def convolve_each(net, x, name, random):
    weights = net.constant(f"{name}/w", random.normal(0, 0.5, (1, 3, 3, 4)))
    return net.op("DEPTHWISE_CONV_2D", [x, weights, net.constant(f"{name}/b", np.zeros(4))], name, SHAPE)


def concatenate(net, x, name, random):
    half = net.op("MUL", [x, net.constant(f"{name}/g", np.full(4, 0.5))], f"{name}/half", SHAPE)
    both = net.op("CONCATENATION", [x, half], f"{name}/both", [1, 6, 6, 8], axis=3)
    weights = net.constant(f"{name}/w", random.normal(0, 0.4, (4, 1, 1, 8)))
    return net.op("CONV_2D", [both, weights, net.constant(f"{name}/b", np.zeros(4))], name, SHAPE)


def shift(net, x, name, random):
    return net.op("ADD", [x, net.constant(f"{name}/c", random.normal(0, 0.5, 4))], name, SHAPE)


def double(net, x, name, random):
    return net.op("ADD", [x, x], name, SHAPE)


def there_and_back(net, x, name, random):
    flat = net.op("RESHAPE", [x, net.constant(f"{name}/1", FLAT, np.int32)], f"{name}/flat", FLAT)
    return net.op("RESHAPE", [flat, net.constant(f"{name}/4", SHAPE, np.int32)], name, SHAPE)


def turn(net, x, name, random):
    return net.op("TRANSPOSE", [x, net.constant(f"{name}/p", [0, 2, 1, 3], np.int32)], name, SHAPE)


def add(net, x, y, name):
    return net.op("ADD", [x, y], name, SHAPE)


def multiply(net, x, y, name):
    return net.op("MUL", [x, y], name, SHAPE)


def larger(net, x, y, name):
    return net.op("MAXIMUM", [x, y], name, SHAPE)


def stack(net, x, y, name):
    both = net.op("CONCATENATION", [x, y], f"{name}/both", [1, 6, 12, 4], axis=2)
    return net.op("MAX_POOL_2D", [both], name, SHAPE, strideW=2, strideH=1, filterWidth=2, filterHeight=1)


def simple(kind: str, **options):
    return lambda net, x, name, random: net.op(kind, [x], name, SHAPE, **options)


PARTS = {
    "average": simple("AVERAGE_POOL_2D", **WINDOW),
    "concatenate": concatenate,
    "convolve": convolve,
    "convolve_each": convolve_each,
    "double": double,
    "leaky": simple("LEAKY_RELU", alpha=0.2),
    "logistic": simple("LOGISTIC"),
    "maximum": simple("MAX_POOL_2D", **WINDOW),
    "relu": simple("RELU"),
    "shift": shift,
    "softmax": simple("SOFTMAX"),
    "swish": simple("HARD_SWISH"),
    "tanh": simple("TANH"),
    "there_and_back": there_and_back,
    "turn": turn,
}


JOINS = {"add": add, "larger": larger, "multiply": multiply, "stack": stack}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(st.sampled_from(sorted(PARTS | JOINS)), min_size=1, max_size=6),
    types=st.lists(st.sampled_from(["float32", "int8", "uint8"]), min_size=8, max_size=8),
    seed=st.integers(0, 2**16),
)
def test_int8_follows_float(network, parts, types, seed) -> None:
    """Every part reads tensors picked at random; what nothing reads is an output, and one tensor that is read too."""
    random = np.random.default_rng(seed)
    net = network()
    known = [net.input("x", SHAPE)]
    for number, part in enumerate(parts):
        first, second = (known[max(0, len(known) - 1 - random.integers(0, 3))] for _ in range(2))
        name = f"{number}/{part}"
        made = JOINS[part](net, first, second, name) if part in JOINS else PARTS[part](net, first, name, random)
        known.append(made)
    read = {index for op in net.graph.operators for index in op.inputs}
    model = net.build(*(index for index in known[1:] if index not in read or index == known[1]))
    samples = [{"x": random.normal(0, 1, SHAPE).astype(np.float32)} for _ in range(12)]
    names = [d["name"] for d in Interpreter(model_content=model).get_output_details()]
    outputs = {name: Io(kind) for name, kind in zip(names, types[1:], strict=False)}
    result = quantize(
        model, scheme="int8", ranges=calibrate(model, samples), inputs={"x": Io(types[0])}, outputs=outputs
    )
    interpreter = Interpreter(model_content=result.tflite)
    dtypes = {d["index"]: d["dtype"] for d in interpreter.get_tensor_details()}
    verdicts = [
        dtypes[op["outputs"][0]] is np.int8
        for op in interpreter._get_ops_details()
        if op["op_name"] not in ("DELEGATE", "QUANTIZE", "DEQUANTIZE")
    ]
    assert verdicts == [row.verdict == "int8" for row in result.preflight.rows]
    real, integer = answers(model, samples), answers(result.tflite, samples)
    assert list(real) == list(integer) == names
    for name in names:
        error = np.sqrt(((real[name] - integer[name]) ** 2).mean())
        assert error <= 0.02 * (len(parts) + 1) * max(np.ptp(real[name]), 1 / 64), name


def answers(model: bytes, samples) -> dict[str, np.ndarray]:
    """Real values of every output on all samples; inputs and outputs go through their quantization."""
    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    (source,) = interpreter.get_input_details()
    found: dict[str, list] = {d["name"]: [] for d in interpreter.get_output_details()}
    for sample in samples:
        value, (scale, zero) = sample["x"], source["quantization"]
        if scale:
            limits = np.iinfo(source["dtype"])
            value = np.clip(np.rint(value / scale) + zero, limits.min, limits.max).astype(source["dtype"])
        interpreter.set_tensor(source["index"], value)
        interpreter.invoke()
        for detail in interpreter.get_output_details():
            value, (scale, zero) = interpreter.get_tensor(detail["index"]).astype(np.float64), detail["quantization"]
            found[detail["name"]].append((value - zero) * scale if scale else value)
    return {name: np.array(values) for name, values in found.items()}
