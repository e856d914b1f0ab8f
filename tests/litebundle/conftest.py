"""The command line in this process; hand-made `.tflite` models, written with the schema classes, small enough to
predict by arithmetic.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from litebundle.cli import execute as run
from litebundle.graph import Graph, Node, ResultField

TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "int32": schema.TensorType.INT32,
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
}


@dataclass(frozen=True)
class TensorPlan:
    name: str
    shape: Sequence[int]
    dtype: str = "float32"
    scale: float | None = None
    zero_point: int = 0
    data: np.ndarray | None = None


@dataclass(frozen=True)
class OperatorPlan:
    code: int
    inputs: Sequence[str]
    outputs: Sequence[str]
    options_type: int = schema.BuiltinOptions.NONE
    options: object = None


def write_tflite(
    tensors: Sequence[TensorPlan],
    operators: Sequence[OperatorPlan],
    inputs: Sequence[str],
    outputs: Sequence[str],
    signature: bool = True,
) -> bytes:
    model = schema.ModelT()
    model.version = 3
    model.description = "hand-made"
    model.buffers = [schema.BufferT()]
    model.operatorCodes = []
    graph = schema.SubGraphT()
    graph.tensors, graph.operators, index = [], [], {}
    for plan in tensors:
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type = plan.name, list(plan.shape), TYPES[plan.dtype]
        tensor.buffer = 0
        if plan.data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(plan.data.astype(plan.dtype).tobytes(), np.uint8)
            model.buffers.append(buffer)
            tensor.buffer = len(model.buffers) - 1
        if plan.scale is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = [plan.scale]
            tensor.quantization.zeroPoint = [plan.zero_point]
        index[plan.name] = len(graph.tensors)
        graph.tensors.append(tensor)
    for plan in operators:
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = plan.code
        code.version = 1
        model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(model.operatorCodes) - 1
        operator.inputs = [index[name] for name in plan.inputs]
        operator.outputs = [index[name] for name in plan.outputs]
        operator.builtinOptionsType, operator.builtinOptions = plan.options_type, plan.options
        graph.operators.append(operator)
    graph.inputs = [index[name] for name in inputs]
    graph.outputs = [index[name] for name in outputs]
    model.subgraphs = [graph]
    if signature:
        model.signatureDefs = [_signature(index, inputs, outputs)]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _signature(index: dict[str, int], inputs: Sequence[str], outputs: Sequence[str]) -> object:
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = "serving_default", 0
    signature.inputs, signature.outputs = [], []
    for names, maps in ((inputs, signature.inputs), (outputs, signature.outputs)):
        for name in names:
            entry = schema.TensorMapT()
            entry.name, entry.tensorIndex = name, index[name]
            maps.append(entry)
    return signature


ADD = (schema.BuiltinOperator.ADD, schema.BuiltinOptions.AddOptions, schema.AddOptionsT)
FULLY_CONNECTED = (
    schema.BuiltinOperator.FULLY_CONNECTED,
    schema.BuiltinOptions.FullyConnectedOptions,
    schema.FullyConnectedOptionsT,
)
CAST = (schema.BuiltinOperator.CAST, schema.BuiltinOptions.CastOptions, schema.CastOptionsT)
DEQUANTIZE = (
    schema.BuiltinOperator.DEQUANTIZE,
    schema.BuiltinOptions.DequantizeOptions,
    schema.DequantizeOptionsT,
)
QUANTIZE = (schema.BuiltinOperator.QUANTIZE, schema.BuiltinOptions.QuantizeOptions, schema.QuantizeOptionsT)
SUM = (schema.BuiltinOperator.SUM, schema.BuiltinOptions.ReducerOptions, schema.ReducerOptionsT)


def operator(kind: tuple, inputs: Sequence[str], outputs: Sequence[str]) -> OperatorPlan:
    code, options_type, options = kind
    return OperatorPlan(code, inputs, outputs, options_type, options())


@pytest.fixture
def linear_tflite() -> Callable[..., bytes]:
    """y [1, n] = x [1, m] @ weights.T + bias, float32."""

    def build(weights: np.ndarray, bias: np.ndarray, signature: bool = True) -> bytes:
        n, m = weights.shape
        tensors = [
            TensorPlan("x", [1, m]),
            TensorPlan("weights", [n, m], data=weights),
            TensorPlan("bias", [n], data=bias),
            TensorPlan("y", [1, n]),
        ]
        return write_tflite(
            tensors, [operator(FULLY_CONNECTED, ["x", "weights", "bias"], ["y"])], ["x"], ["y"], signature
        )

    return build


@pytest.fixture
def sum_tflite() -> Callable[..., bytes]:
    """total = a + b, elementwise, of one dtype; `stored` lies about the shape of total."""

    def build(
        shape: Sequence[int],
        dtype: str = "float32",
        scales: Sequence[float | None] = (None, None, None),
        zero_points: Sequence[int] = (0, 0, 0),
        stored: Sequence[int] | None = None,
    ) -> bytes:
        shapes = (shape, shape, shape if stored is None else stored)
        tensors = [
            TensorPlan(name, sides, dtype, scale, zero_point)
            for name, sides, scale, zero_point in zip(("a", "b", "total"), shapes, scales, zero_points, strict=True)
        ]
        return write_tflite(tensors, [operator(ADD, ["a", "b"], ["total"])], ["a", "b"], ["total"])

    return build


@pytest.fixture
def mean_colour_tflite() -> bytes:
    """scores [1, 3] = mean over the pixels of image [1, 2, 2, 3]."""
    return build_mean_colour()


def build_mean_colour() -> bytes:
    """See `mean_colour_tflite`."""
    tensors = [
        TensorPlan("image", [1, 2, 2, 3]),
        TensorPlan("axes", [2], "int32", data=np.array([1, 2])),
        TensorPlan("sums", [1, 3]),
        TensorPlan("quarter", [3, 3], data=np.eye(3) / 4),
        TensorPlan("zero", [3], data=np.zeros(3)),
        TensorPlan("scores", [1, 3]),
    ]
    operators = [
        operator(SUM, ["image", "axes"], ["sums"]),
        operator(FULLY_CONNECTED, ["sums", "quarter", "zero"], ["scores"]),
    ]
    return write_tflite(tensors, operators, ["image"], ["scores"])


def build_counter(state: str = "float32", scale: float | None = None, zero_point: int = 0) -> bytes:
    """See `counter_tflite`; `state` may be an integer type, turned into real numbers and back inside."""
    v = np.arange(8)
    tensors = [
        TensorPlan("token", [1, 1], "int32"),
        TensorPlan("memory", [1, 1]),
        TensorPlan("state", [1, 1], state, scale, zero_point),
        TensorPlan("token_real", [1, 1]),
        TensorPlan("state_real", [1, 1]),
        TensorPlan("partial", [1, 1]),
        TensorPlan("s", [1, 1]),
        TensorPlan("double", [8, 1], data=2.0 * v[:, None]),
        TensorPlan("minus_square", [8], data=-1.0 * v * v),
        TensorPlan("logits", [1, 8]),
        TensorPlan("one", [1, 1], data=np.ones((1, 1))),
        TensorPlan("next_real", [1, 1]),
        TensorPlan("state_out", [1, 1], state, scale, zero_point),
    ]
    real_in, real_out = ("state_real", "next_real") if scale else ("state", "state_out")
    operators = [
        operator(CAST, ["token"], ["token_real"]),
        operator(ADD, ["token_real", real_in], ["partial"]),
        operator(ADD, ["partial", "memory"], ["s"]),
        operator(FULLY_CONNECTED, ["s", "double", "minus_square"], ["logits"]),
        operator(ADD, [real_in, "one"], [real_out]),
    ]
    if scale:
        operators = [operator(DEQUANTIZE, ["state"], [real_in]), *operators]
        operators += [operator(QUANTIZE, [real_out], ["state_out"])]
    return write_tflite(tensors, operators, ["token", "memory", "state"], ["logits", "state_out"])


@pytest.fixture
def counter_tflite() -> bytes:
    """A token step that can be followed by hand.

    s = token + state + memory; logits[v] = 2 v s - v², highest at v = s (v in 0..7); state_out = state + 1.
    From token 1, state 0 and memory 1 the tokens are 2, 4, 7.
    """
    return build_counter()


@pytest.fixture
def int8_counter_tflite() -> bytes:
    """The counter with its state in int8: real = raw - 3."""
    return build_counter("int8", 1.0, 3)


@pytest.fixture
def locator_tflite() -> bytes:
    """image [1, 4, 4, 3] -> heatmap = r + g + b, box = 1/8 to all sides: exactly a cell of the grid."""
    tensors = [
        TensorPlan("image", [1, 4, 4, 3]),
        TensorPlan("ones", [1, 3], data=np.ones((1, 3))),
        TensorPlan("zero", [1], data=np.zeros(1)),
        TensorPlan("heatmap", [1, 4, 4, 1]),
        TensorPlan("zeros", [4, 3], data=np.zeros((4, 3))),
        TensorPlan("eighths", [4], data=np.full(4, 0.125)),
        TensorPlan("box", [1, 4, 4, 4]),
    ]
    operators = [
        operator(FULLY_CONNECTED, ["image", "ones", "zero"], ["heatmap"]),
        operator(FULLY_CONNECTED, ["image", "zeros", "eighths"], ["box"]),
    ]
    for plan in operators:
        plan.options.keepNumDims = True
    return write_tflite(tensors, operators, ["image"], ["heatmap", "box"])


def node(op: str, name: str, inputs: str, outputs: str, each: bool = False, **attributes: object) -> Node:
    return Node(name, op, tuple(inputs.split()), tuple(outputs.split()), attributes, name.split("/")[0], each)


@dataclass(frozen=True)
class App:
    """Finds coloured cells on a black photo and reads each: angle = channel, text = the counter's tokens."""

    graph: Graph
    models: dict[str, bytes]
    labels: dict[str, tuple[str, ...]]
    photo: np.ndarray
    items: list[dict[str, object]]


@pytest.fixture
def app(locator_tflite, mean_colour_tflite, linear_tflite, counter_tflite) -> App:
    unit = {"mean": [0.0], "std": [255.0]}
    nodes = (
        node("letterbox", "locate/letterbox", "photo", "locate/picture locate/geometry", size=[4, 4], fill=0),
        node("normalize", "locate/normalize", "locate/picture", "locate/image", **unit),
        node("model", "locate/model", "locate/image", "locate/heatmap locate/box"),
        node(
            "heatmap_boxes",
            "locate/heatmap_boxes",
            "locate/heatmap locate/box locate/geometry photo",
            "locate/boxes",
            threshold=0.2,
        ),
        node("crop_boxes", "colour/crop_boxes", "photo locate/boxes", "colour/crops colour/boxes"),
        node("resize", "colour/resize", "colour/crops", "colour/small", True, size=[2, 2]),
        node("normalize", "colour/normalize", "colour/small", "colour/image", True, **unit),
        node("model", "colour/model", "colour/image", "colour/scores", True),
        node(
            "rotate_upright",
            "colour/rotate_upright",
            "colour/crops colour/scores",
            "colour/picture colour/angle",
            True,
            angles=[0, 90, 180],
        ),
        node("model", "number/model", "colour/scores", "number/y", True),
        node(
            "autoregressive_decode",
            "count/loop",
            "number/y",
            "count/tokens count/score",
            True,
            token="token",
            constants=["memory"],
            state={"state": "state_out"},
            logits="logits",
            start=1,
            end=7,
            max_tokens=5,
            beam=1,
        ),
        node(
            "detokenize",
            "count/detokenize",
            "count/tokens",
            "count/text",
            True,
            labels="labels/count.json",
            style="none",
        ),
    )
    results = (
        ResultField("box", "colour/boxes"),
        ResultField("angle", "colour/angle"),
        ResultField("text", "count/text"),
        ResultField("score", "count/score"),
    )
    models = {
        "locate": locator_tflite,
        "colour": mean_colour_tflite,
        "number": linear_tflite(np.array([[1.0, 2.0, 3.0]]), np.zeros(1)),
        "count": counter_tflite,
    }
    photo = np.zeros((40, 40, 3), np.uint8)
    photo[0:10, 0:10, 0] = 255
    photo[20:30, 30:40, 1] = 204
    items = [
        {"box": [0, 0, 10, 10], "angle": 0, "text": "ce"},
        {"box": [30, 20, 40, 30], "angle": 1, "text": "dg"},
    ]
    return App(Graph(nodes, results), models, {"labels/count.json": tuple("abcdefgh")}, photo, items)


@dataclass(frozen=True)
class Answer:
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(scope="session")
def litebundle() -> Callable[..., Answer]:
    def call(*arguments: object) -> Answer:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run([str(argument) for argument in arguments])
        return Answer(code, out.getvalue(), err.getvalue())

    return call
