"""Damaged and contradictory models are refused with a ConversionError, never with anything else."""

from __future__ import annotations

import random

import numpy as np
import onnx
import pytest

from converter.errors import ConversionError
from converter.onnx_convert import lower
from converter.onnx_file import load_model
from tests.converter.against_onnxruntime import floats, one_op

MUTATIONS_PER_MODEL = 40
MODELS = {
    "Conv": one_op(
        "Conv", [floats(1, 4, 8, 8)], constants=[floats(4, 2, 3, 3), floats(4)], group=2, pads=[1] * 4, strides=[2, 2]
    ),
    "ConvTranspose": one_op("ConvTranspose", [floats(1, 4, 8, 8)], constants=[floats(4, 2, 3, 3)], pads=[1] * 4),
    "MaxPool": one_op("MaxPool", [floats(1, 4, 8, 8)], kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2]),
    "Resize": one_op("Resize", [floats(1, 2, 5, 6)], constants=[None, np.float32([1, 1, 2, 2])], mode="linear"),
    "LSTM": one_op("LSTM", [floats(4, 1, 3)], constants=[floats(1, 16, 3), floats(1, 16, 4)], hidden_size=4),
    "GRU": one_op("GRU", [floats(4, 1, 3)], constants=[floats(1, 12, 3), floats(1, 12, 4)], hidden_size=4),
    "Gemm": one_op("Gemm", [floats(2, 3)], constants=[floats(4, 3), floats(4)], transB=1),
    "Slice": one_op("Slice", [floats(4, 5)], constants=[np.array([1, 0]), np.array([3, 9])]),
    "Pad": one_op("Pad", [floats(4, 5)], constants=[np.array([1, 0, 2, 1]), np.float32(2)]),
    "Split": one_op("Split", [floats(4, 6)], constants=[np.array([2, 4])], outputs=2, axis=1),
    "Gather": one_op("Gather", [floats(4, 6)], constants=[np.array([2, 1])], axis=1),
    "Reshape": one_op("Reshape", [floats(2, 3, 4)], constants=[np.array([0, -1])]),
    "Concat": one_op("Concat", [floats(2, 3), floats(2, 3)], axis=1),
}
OTHER_OPERATORS = ["Conv", "MatMul", "Foo", "LSTM", "If", "Loop", "Constant", "NonZero", "Erf", "Dropout", "Squeeze"]
NUMBERS = [-(2**63), -1, 0, 1, 2, 5, 100, 2**40]


def flipped_bytes(model: onnx.ModelProto, source: random.Random) -> bytes:
    content = bytearray(model.SerializeToString())
    for _ in range(source.randint(1, 4)):
        content[source.randrange(len(content))] = source.randrange(256)
    return bytes(content)


def truncated(model: onnx.ModelProto, source: random.Random) -> bytes:
    content = model.SerializeToString()
    return content[: source.randrange(len(content))]


def contradictory(model: onnx.ModelProto, source: random.Random) -> bytes:
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    node = changed.graph.node[0]
    match source.randrange(7):
        case 0 if node.attribute:
            del node.attribute[source.randrange(len(node.attribute))]
        case 1 if node.attribute:
            attribute = source.choice(node.attribute)
            attribute.i = source.choice(NUMBERS)
            if attribute.ints:
                attribute.ints[source.randrange(len(attribute.ints))] = source.choice(NUMBERS)
        case 2:
            node.input[source.randrange(len(node.input))] = source.choice(["", "nope", "x0", "c0"])
        case 3:
            del node.input[source.randrange(len(node.input))]
        case 4:
            node.op_type = source.choice(OTHER_OPERATORS)
        case 5 if changed.graph.initializer:
            tensor = source.choice(changed.graph.initializer)
            tensor.dims[:] = [source.randint(0, 4) for _ in tensor.dims]
        case _:
            axes = changed.graph.input[0].type.tensor_type.shape.dim
            axes[source.randrange(len(axes))].dim_value = source.choice([0, 1, 3, 7, 64])
    return changed.SerializeToString()


@pytest.mark.parametrize("damage", [flipped_bytes, truncated, contradictory])
@pytest.mark.parametrize("name", MODELS)
def test_damage_is_refused_or_harmless(name, damage):
    model, _ = MODELS[name]
    for seed in range(MUTATIONS_PER_MODEL):
        content = damage(model, random.Random(seed))
        try:
            lower(load_model(content))
        except ConversionError as error:
            assert len(str(error)) > 20
