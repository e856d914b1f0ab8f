"""Build small ONNX models and hold their conversion against onnxruntime."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper, numpy_helper

from converter.conversion import Lowered
from converter.onnx_convert import lower

Array = NDArray[Any]
OPERATOR_NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}


def model_of(
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, Array],
    outputs: Sequence[str],
    constants: Mapping[str, Array] | None = None,
    *,
    opset: int = 18,
) -> ModelProto:
    """A model whose inputs have the shapes and types of the arrays ``inputs``; outputs are left untyped."""
    graph = helper.make_graph(
        list(nodes),
        "test",
        [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
            for name, value in inputs.items()
        ],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def run_onnx(model: ModelProto, feeds: Mapping[str, Array]) -> list[Array]:
    """What onnxruntime answers, its graph optimisations off where they could hide what the nodes say."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return session.run(None, {name: np.asarray(value) for name, value in feeds.items()})


def run_tflite(lowered: Lowered, feeds: Mapping[str, Array], *, delegated: bool = True) -> list[Array]:
    """What the interpreter answers, by XNNPACK or by its own kernels; inputs and outputs in the source's axes."""
    kernels = OpResolverType.AUTO if delegated else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(model_content=lowered.tflite, num_threads=1, experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    inputs = {entry["name"]: entry["index"] for entry in interpreter.get_input_details()}
    outputs = {entry["name"]: entry["index"] for entry in interpreter.get_output_details()}
    given = {}
    for spec in lowered.inputs:
        order = lowered.tensor_map[spec.onnx_name].permutation
        value = feeds[spec.onnx_name].astype(spec.dtype)
        given[spec.tflite_name] = np.array(value.transpose(order) if order else value)
        assert given[spec.tflite_name].shape == spec.shape
    for name, value in given.items():
        interpreter.set_tensor(inputs[name], value)
    interpreter.invoke()
    results = []
    for spec in lowered.outputs:
        value = interpreter.get_tensor(outputs[spec.tflite_name])
        assert value.shape == spec.shape, "the stored shape is not what the model computes"
        order = lowered.tensor_map[spec.onnx_name].permutation
        results.append(value.transpose(np.argsort(order)) if order else value)
    return results


def assert_same(
    model: ModelProto,
    feeds: Mapping[str, Array],
    *,
    layouts: Mapping[str, str] | None = None,
    tolerance: float = 2e-6,
) -> Lowered:
    """Convert, run both on ``feeds``, with and without XNNPACK, and compare every output relative to its scale."""
    lowered = lower(model, {name: value.shape for name, value in feeds.items()}, layouts)
    expected = run_onnx(model, feeds)
    for delegated in (True, False):
        for reference, result in zip(expected, run_tflite(lowered, feeds, delegated=delegated), strict=True):
            assert reference.shape == result.shape
            scale = max(1.0, float(np.max(np.abs(reference), initial=0)))
            np.testing.assert_allclose(result, reference, rtol=0, atol=tolerance * scale)
    return lowered


def assert_tensor_map(model: ModelProto, lowered: Lowered, feeds: Mapping[str, Array]) -> None:
    """Each value that the map knows, made an output of the source, is what the tensor holds."""
    interpreter = Interpreter(
        model_content=lowered.tflite,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    indices = {entry["name"]: entry["index"] for entry in interpreter.get_tensor_details()}

    def in_order(name: str, value: Array) -> Array:
        order = lowered.tensor_map[name].permutation
        return value.transpose(order) if order else value

    for name, value in feeds.items():
        interpreter.set_tensor(indices[lowered.tensor_map[name].tflite_name], in_order(name, value))
    interpreter.invoke()
    exposed = ModelProto()
    exposed.CopyFrom(model)
    names = [name for name in lowered.tensor_map if name not in feeds]
    del exposed.graph.output[:]
    exposed.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    for name, expected in zip(names, run_onnx(exposed, feeds), strict=True):
        held = interpreter.get_tensor(indices[lowered.tensor_map[name].tflite_name])
        scale = max(1.0, float(np.max(np.abs(expected), initial=0)))
        np.testing.assert_allclose(held, in_order(name, expected), rtol=0, atol=2e-5 * scale, err_msg=name)


def operators(lowered: Lowered) -> Counter[str]:
    """How often each TFLite operator occurs."""
    model = schema.ModelT.InitFromPackedBuf(lowered.tflite, 0)
    return Counter(
        OPERATOR_NAMES[model.operatorCodes[operator.opcodeIndex].builtinCode]
        for operator in model.subgraphs[0].operators
    )


def one_op(
    op: str,
    inputs: Sequence[Array | None],
    *,
    constants: Sequence[Array | None] = (),
    outputs: int = 1,
    opset: int = 18,
    **attributes: Any,
) -> tuple[ModelProto, dict[str, Array]]:
    """A model of one node: ``inputs`` are fed, ``constants`` follow them; None is an absent optional input."""
    fed = {f"x{number}": value for number, value in enumerate(inputs) if value is not None}
    held = {f"c{number}": value for number, value in enumerate(constants) if value is not None}
    names = [f"x{number}" if value is not None else "" for number, value in enumerate(inputs)]
    names += [f"c{number}" if value is not None else "" for number, value in enumerate(constants)]
    results = [f"y{number}" for number in range(outputs)]
    node = helper.make_node(op, names, results, **attributes)
    return model_of([node], fed, results, held, opset=opset), fed


def floats(*shape: int, seed: int = 0) -> Array:
    """Seeded normal float32 values."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
