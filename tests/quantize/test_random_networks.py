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


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(st.sampled_from(sorted(PARTS)), min_size=1, max_size=5),
    source=st.sampled_from(["float32", "int8", "uint8"]),
    target=st.sampled_from(["float32", "int8", "uint8"]),
    seed=st.integers(0, 2**16),
)
def test_int8_follows_float(network, run, parts, source, target, seed) -> None:
    random = np.random.default_rng(seed)
    net = network()
    x = net.input("x", SHAPE)
    for number, part in enumerate(parts):
        x = PARTS[part](net, x, f"{number}/{part}", random)
    model = net.build(x)
    name = f"{len(parts) - 1}/{parts[-1]}"
    samples = [{"x": random.normal(0, 1, SHAPE).astype(np.float32)} for _ in range(12)]
    result = quantize(
        model, scheme="int8", ranges=calibrate(model, samples), inputs={"x": Io(source)}, outputs={name: Io(target)}
    )
    interpreter = Interpreter(model_content=result.tflite)
    types = {d["index"]: d["dtype"] for d in interpreter.get_tensor_details()}
    verdicts = [
        types[op["outputs"][0]] is np.int8
        for op in interpreter._get_ops_details()
        if op["op_name"] not in ("DELEGATE", "QUANTIZE", "DEQUANTIZE")
    ]
    assert verdicts == [row.verdict == "int8" for row in result.preflight.rows]
    scale, zero = interpreter.get_input_details()[0]["quantization"]
    fed = samples
    if source != "float32":
        limits = np.iinfo(source)
        fed = [{"x": np.clip(np.rint(s["x"] / scale) + zero, limits.min, limits.max).astype(source)} for s in samples]
    reference = run(model, samples)
    error = np.abs(run(result.tflite, fed) - reference)
    assert np.sqrt((error**2).mean()) <= 0.04 * (len(parts) + 1) * max(np.ptp(reference), 1 / 256)
