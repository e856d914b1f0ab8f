"""Small models built with the schema's classes, and the real ones where they are present."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from quantize.model_file import new_op, write_model

CASES = Path(os.environ.get("LITEBUNDLE_CASES", Path(__file__).parents[3] / "shared" / "cases"))
TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.bool_): schema.TensorType.BOOL,
}


class Network:
    """A float `.tflite` under construction; every method returns the index of the tensor that it adds."""

    def __init__(self) -> None:
        self.tree = schema.ModelT()
        self.tree.version, self.tree.description = 3, b"test"
        self.tree.operatorCodes, self.tree.buffers = [], [schema.BufferT()]
        graph = schema.SubGraphT()
        graph.tensors, graph.operators, graph.inputs, graph.outputs, graph.name = [], [], [], [], b"main"
        self.tree.subgraphs = [graph]
        self.graph = graph

    def input(self, name: str, shape: list[int], dtype: Any = np.float32) -> int:
        index = self._tensor(name, shape, dtype)
        self.graph.inputs.append(index)
        return index

    def constant(self, name: str, value: Any, dtype: Any = np.float32) -> int:
        array = np.asarray(value, dtype)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(array.tobytes(), np.uint8)
        self.tree.buffers.append(buffer)
        index = self._tensor(name, list(array.shape), dtype)
        self.graph.tensors[index].buffer = len(self.tree.buffers) - 1
        return index

    def op(
        self, kind: str, inputs: list[int], name: str, shape: list[int], dtype: Any = np.float32, **options: Any
    ) -> int:
        return self.op_many(kind, inputs, [name], shape, dtype, **options)[0]

    def op_many(
        self, kind: str, inputs: list[int], names: list[str], shape: list[int], dtype: Any = np.float32, **options: Any
    ) -> list[int]:
        outputs = [self._tensor(name, shape, dtype) for name in names]
        op = new_op(self.tree, getattr(schema.BuiltinOperator, kind), inputs, outputs)
        family = OPTIONS.get(kind)
        if family:
            op.builtinOptionsType = getattr(schema.BuiltinOptions, family)
            op.builtinOptions = getattr(schema, f"{family}T")()
            for key, value in {**DEFAULTS.get(kind, {}), **options}.items():
                assert hasattr(op.builtinOptions, key), key
                setattr(op.builtinOptions, key, value)
        self.graph.operators.append(op)
        return outputs

    def variable(self, name: str, shape: list[int]) -> int:
        index = self._tensor(name, shape, np.float32)
        self.graph.tensors[index].isVariable = True
        return index

    def build(self, *outputs: int) -> bytes:
        self.graph.outputs = list(outputs)
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = b"serving_default", 0
        signature.inputs = [self._entry(index) for index in self.graph.inputs]
        signature.outputs = [self._entry(index) for index in outputs]
        self.tree.signatureDefs = [signature]
        return write_model(self.tree)

    def _entry(self, index: int) -> Any:
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = self.graph.tensors[index].name, index
        return entry

    def _tensor(self, name: str, shape: list[int], dtype: Any) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name.encode(), shape, 0
        tensor.type = TYPES[np.dtype(dtype)]
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1


OPTIONS = {
    "ADD": "AddOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "BATCH_MATMUL": "BatchMatMulOptions",
    "CONCATENATION": "ConcatenationOptions",
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "DIV": "DivOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "GATHER": "GatherOptions",
    "LEAKY_RELU": "LeakyReluOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "MUL": "MulOptions",
    "RESHAPE": "ReshapeOptions",
    "SOFTMAX": "SoftmaxOptions",
    "SUB": "SubOptions",
    "TRANSPOSE_CONV": "TransposeConvOptions",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTMOptions",
}
STRIDES = {"strideW": 1, "strideH": 1}
DEFAULTS: dict[str, dict[str, Any]] = {
    "AVERAGE_POOL_2D": STRIDES,
    "CONV_2D": STRIDES,
    "DEPTHWISE_CONV_2D": {**STRIDES, "depthMultiplier": 1},
    "MAX_POOL_2D": STRIDES,
    "SOFTMAX": {"beta": 1.0},
    "TRANSPOSE_CONV": STRIDES,
}
RELU = schema.ActivationFunctionType.RELU
TANH = schema.ActivationFunctionType.TANH


@dataclass(frozen=True)
class Case:
    """A model and samples of the data that it is meant for."""

    model: bytes
    samples: list[dict[str, Any]]


def pictures(count: int, seed: int) -> tuple[Any, Any]:
    """float32 [count, 12, 12, 3] in 0..1 with a bright bar, and its direction 0..3."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, count)
    images = random.normal(0.3, 0.1, (count, 12, 12, 3))
    for image, label in zip(images, labels, strict=True):
        at = random.integers(3, 9)
        bar = np.zeros((12, 12))
        bar[at] = 1
        turned = [bar, bar.T, np.eye(12), np.eye(12)[::-1]][label]
        image += turned[..., None] * random.uniform(0.4, 0.7, 3)
    return np.clip(images, 0, 1).astype(np.float32), labels


def classifier(head_weights: Any = None, head_bias: Any = None) -> bytes:
    """conv → depthwise conv → pooling → fully connected → softmax; without a head, the features."""
    random = np.random.default_rng(1)
    edges = random.normal(0, 1, (16, 3, 3, 3)) / np.sqrt(27)
    net = Network()
    x = net.input("image", [1, 12, 12, 3])
    edge = net.constant("edge/weights", edges - edges.mean(axis=(1, 2, 3), keepdims=True))
    x = net.op("CONV_2D", [x, edge, net.constant("edge/bias", np.full(16, 0.05))], "edge", [1, 12, 12, 16],
               fusedActivationFunction=RELU)  # fmt: skip
    blur = net.constant("blur/weights", np.abs(random.normal(0.1, 0.05, (1, 3, 3, 16))))
    x = net.op("DEPTHWISE_CONV_2D", [x, blur, net.constant("blur/bias", np.zeros(16))], "blur", [1, 12, 12, 16],
               fusedActivationFunction=RELU)  # fmt: skip
    x = net.op("MAX_POOL_2D", [x], "pool", [1, 3, 3, 16], strideW=4, strideH=4, filterWidth=4, filterHeight=4)
    x = net.op("RESHAPE", [x, net.constant("flat", [1, 144], np.int32)], "features", [1, 144])
    if head_weights is None:
        return net.build(x)
    x = net.op("FULLY_CONNECTED", [x, net.constant("head/weights", head_weights), net.constant("head/bias", head_bias)],
               "logits", [1, 4])  # fmt: skip
    return net.build(net.op("SOFTMAX", [x], "probabilities", [1, 4], beta=1.0))


def outputs_of(model: bytes, samples: list[dict[str, Any]]) -> Any:
    """First output of every sample, float64 [samples, elements], dequantized where it is quantized."""
    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    indices = {d["name"]: d["index"] for d in interpreter.get_input_details()}
    output = interpreter.get_output_details()[0]
    rows = []
    for sample in samples:
        for name, value in sample.items():
            interpreter.set_tensor(indices[name], value)
        interpreter.reset_all_variables()
        interpreter.invoke()
        rows.append(interpreter.get_tensor(output["index"]).astype(np.float64).ravel())
    scale, zero = output["quantization"]
    return (np.array(rows) - zero) * scale if scale else np.array(rows)


@pytest.fixture
def network() -> type[Network]:
    return Network


@pytest.fixture
def run() -> Any:
    return outputs_of


@pytest.fixture
def sqnr_db() -> Any:
    return lambda reference, test: 10 * np.log10((reference**2).sum() / ((reference - test) ** 2).sum())


@pytest.fixture(scope="session")
def trained() -> Case:
    """A classifier of bar directions whose head was fitted by least squares; right on nearly all of its samples."""
    images, labels = pictures(400, seed=2)
    features = outputs_of(classifier(), [{"image": image[None]} for image in images])
    design = np.hstack([features, np.ones((len(features), 1))])
    targets = 6.0 * np.eye(4)[labels]
    solution = np.linalg.solve(design.T @ design + 1e-3 * np.eye(145), design.T @ targets)
    model = classifier(solution[:-1].T, solution[-1])
    return Case(model, [{"image": image[None]} for image in images[:64]])


@pytest.fixture(scope="session")
def held_out() -> tuple[list[dict[str, Any]], Any]:
    images, labels = pictures(200, seed=3)
    return [{"image": image[None]} for image in images], labels


@pytest.fixture(scope="session")
def recurrent() -> bytes:
    """steps [1, 6, 3] → LSTM of 8 cells → fully connected [1, 6, 2] of every step."""
    random = np.random.default_rng(4)
    net = Network()
    operands = [net.input("steps", [1, 6, 3])]
    operands += [net.constant(f"input{gate}", random.normal(0, 0.5, (8, 3))) for gate in range(4)]
    operands += [net.constant(f"recurrent{gate}", random.normal(0, 0.3, (8, 8))) for gate in range(4)]
    operands += [-1] * 3
    operands += [net.constant(f"bias{gate}", random.normal(0, 0.1, 8)) for gate in range(4)]
    operands += [-1] * 2
    operands += [net.variable("hidden", [1, 8]), net.variable("cell", [1, 8])]
    operands += [-1] * 4
    cells = net.op("UNIDIRECTIONAL_SEQUENCE_LSTM", operands, "cells", [1, 6, 8], fusedActivationFunction=TANH)
    head = [net.constant("head/weights", random.normal(0, 0.5, (2, 8))), net.constant("head/bias", [0.1, -0.2])]
    return net.build(net.op("FULLY_CONNECTED", [cells, *head], "head", [1, 6, 2], keepNumDims=True))


@pytest.fixture
def mlperf_tiny() -> Path:
    folder = CASES / "mlperf_tiny" / "benchmark" / "training"
    if not folder.is_dir():
        pytest.skip(f"no MLPerf Tiny models at {folder}; set LITEBUNDLE_CASES")
    return folder
