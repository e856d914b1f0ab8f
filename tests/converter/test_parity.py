"""Parity: it agrees where the models agree, and names what differs where one was changed."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from ai_edge_litert.interpreter import Interpreter
from onnx import TensorProto, helper, numpy_helper

from converter.conversion import Lowered
from converter.errors import ConversionError
from converter.onnx_convert import lower
from converter.parity import check_parity
from converter.parity_inputs import parity_inputs

RNG = np.random.default_rng(7)
STEM = RNG.standard_normal((4, 3, 3, 3)).astype(np.float32)
HEAD = RNG.standard_normal((2, 4, 1, 1)).astype(np.float32)


def model(
    nodes: list[onnx.NodeProto],
    inputs: dict[str, tuple[int, list[int]]],
    outputs: dict[str, tuple[int, list[int]]],
    **constants: np.ndarray,
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, *kind) for name, kind in inputs.items()],
        [helper.make_tensor_value_info(name, *kind) for name, kind in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    built = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(built, full_check=True)
    return built


def network(head: np.ndarray = HEAD) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Conv", ["x", "stem"], ["stem/conv"], "stem/conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["stem/conv"], ["stem/relu"], "stem/relu"),
        helper.make_node("Conv", ["stem/relu", "head"], ["head/conv"], "head/conv"),
        helper.make_node("Relu", ["head/conv"], ["y"], "head/relu"),
    ]
    image, result = (TensorProto.FLOAT, [1, 3, 6, 8]), (TensorProto.FLOAT, [1, 2, 6, 8])
    return model(nodes, {"x": image}, {"y": result}, stem=STEM, head=head)


def unary(*nodes: onnx.NodeProto, **constants: np.ndarray) -> onnx.ModelProto:
    vector = (TensorProto.FLOAT, [1, 5])
    return model(list(nodes), {"x": vector}, {"y": vector}, **constants)


def scaled_sine(factor: float) -> onnx.ModelProto:
    nodes = helper.make_node("Mul", ["x", "factor"], ["scaled"]), helper.make_node("Sin", ["scaled"], ["y"])
    return unary(*nodes, factor=np.array([factor], np.float32))


def shifted_sigmoid(shift: float) -> onnx.ModelProto:
    nodes = helper.make_node("Add", ["x", "shift"], ["shifted"]), helper.make_node("Sigmoid", ["shifted"], ["y"])
    return unary(*nodes, shift=np.array([shift], np.float32))


def largest_difference(source: onnx.ModelProto, lowered: Lowered, feed: dict[str, np.ndarray]) -> float:
    (expected,) = onnxruntime.InferenceSession(source.SerializeToString()).run(None, feed)
    interpreter = Interpreter(model_content=lowered.tflite, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], feed["x"].transpose(0, 2, 3, 1))
    interpreter.invoke()
    result = interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).transpose(0, 3, 1, 2)
    return float(np.abs(expected.astype(np.float64) - result).max())


def test_the_figures_are_those_of_both_runtimes() -> None:
    source = network()
    lowered = lower(source, layouts={"x": "NHWC", "y": "NHWC"})
    sample = {"x": RNG.standard_normal((1, 3, 6, 8)).astype(np.float32)}
    parity = check_parity(source, lowered, [sample])
    inputs = [each.feed for each in parity_inputs(source, {"x": (1, 3, 6, 8)}, [sample])]
    assert parity.max_abs == max(largest_difference(source, lowered, feed) for feed in inputs)
    assert parity.samples == len(inputs)
    assert parity.passed and parity.worst_tensor == "y"
    assert parity.max_rel == parity.outputs[0].max_rel <= 1e-4


@pytest.mark.parametrize("layouts", [{}, {"x": "NHWC", "y": "NHWC"}, {"y": "NHWC"}])
def test_the_first_tensor_that_differs_is_named(layouts: dict[str, str]) -> None:
    changed = lower(network(HEAD * np.float32(1.01)), layouts=layouts)
    with pytest.raises(ConversionError, match=r"output 'y'.*first tensor to differ is '(head/conv|y)'"):
        check_parity(network(), changed)
    assert check_parity(network(), changed, tolerance=0.02).passed


def test_the_callers_sample_decides_where_it_alone_shows_the_difference() -> None:
    """Beyond 20 the change clips; no random or edge input is that large."""
    clip = helper.make_node("Clip", ["x", "low", "high"], ["y"])
    low = np.array(-1e6, np.float32)
    source = unary(clip, low=low, high=np.array(1e6, np.float32))
    clipped = lower(unary(clip, low=low, high=np.array(20, np.float32)))
    assert check_parity(source, clipped).passed
    with pytest.raises(ConversionError, match="on input 'sample 0'"):
        check_parity(source, clipped, [{"x": np.full((1, 5), 30, np.float32)}])


def test_equal_not_a_numbers_agree_and_others_do_not() -> None:
    ratio = unary(helper.make_node("Div", ["x", "x"], ["y"]))
    assert check_parity(ratio, lower(ratio)).passed
    absolute = unary(helper.make_node("Abs", ["x"], ["y"]))
    with pytest.raises(ConversionError, match="'zeros' by inf"):
        check_parity(unary(helper.make_node("Div", ["x", "one"], ["y"]), one=np.ones((1, 1), np.float32)), lower(ratio))
    assert check_parity(absolute, lower(absolute)).max_abs == 0.0


def test_integers_stay_within_the_table_they_index() -> None:
    nodes = [
        helper.make_node("Cast", ["ids"], ["wide"], to=TensorProto.INT64),
        helper.make_node("Unsqueeze", ["wide", "axis"], ["column"]),
        helper.make_node("Gather", ["table", "column"], ["rows"], axis=0),
        helper.make_node("Relu", ["rows"], ["y"]),
    ]
    source = model(
        nodes,
        {"ids": (TensorProto.INT32, [4])},
        {"y": (TensorProto.FLOAT, [4, 1, 6])},
        table=RNG.standard_normal((3, 6)).astype(np.float32),
        axis=np.array([1], np.int64),
    )
    drawn = np.concatenate([each.feed["ids"] for each in parity_inputs(source, {"ids": (4,)}, [])])
    assert set(drawn.tolist()) == {0, 1, 2}
    assert check_parity(source, lower(source)).max_abs == 0.0


def test_an_integer_output_may_not_differ_at_all() -> None:
    def last(offset: float) -> onnx.ModelProto:
        nodes = [
            helper.make_node("Add", ["x", "offset"], ["shifted"]),
            helper.make_node("ArgMax", ["shifted"], ["y"], axis=1, keepdims=0),
        ]
        inputs, outputs = {"x": (TensorProto.FLOAT, [1, 5])}, {"y": (TensorProto.INT64, [1])}
        return model(nodes, inputs, outputs, offset=np.array([0, 0, 0, 0, offset], np.float32))

    assert check_parity(last(1), lower(last(1))).max_abs == 0.0
    with pytest.raises(ConversionError, match="output 'y'"):
        check_parity(last(100), lower(last(-100)), tolerance=0.5)


def test_what_rounding_of_the_input_does_as_well_proves_nothing() -> None:
    """One unit in the last place of the factor moves sin(1e6 x) by 0.06, and so does one of x."""
    factor = np.float32(1e6)
    check_parity(scaled_sine(factor), lower(scaled_sine(np.nextafter(factor, np.float32(2e6)))))
    with pytest.raises(ConversionError, match="output 'y'"):
        check_parity(scaled_sine(1), lower(scaled_sine(1.01)))


def test_a_random_source_cannot_be_compared() -> None:
    noise = helper.make_node("RandomUniformLike", ["x"], ["noise"])
    source = unary(noise, helper.make_node("Add", ["x", "noise"], ["y"]))
    identity = unary(helper.make_node("Mul", ["x", "one"], ["y"]), one=np.ones(1, np.float32))
    with pytest.raises(ConversionError, match="random operators"):
        check_parity(source, lower(identity))


def test_a_probability_is_judged_on_the_scale_of_one() -> None:
    assert check_parity(shifted_sigmoid(-40), lower(shifted_sigmoid(-40.1))).passed
    with pytest.raises(ConversionError, match="output 'y'"):
        check_parity(shifted_sigmoid(0), lower(shifted_sigmoid(0.01)))


@pytest.mark.parametrize(
    "sample", [{"z": np.zeros((1, 3, 6, 8), np.float32)}, {"x": np.zeros((1, 6, 8, 3), np.float32)}, {}]
)
def test_a_sample_that_does_not_fit_is_refused(sample: dict[str, np.ndarray]) -> None:
    with pytest.raises(ConversionError, match="sample 0"):
        check_parity(network(), lower(network()), [sample])


def test_torchs_answers_are_held_as_well() -> None:
    source = network()
    session = onnxruntime.InferenceSession(source.SerializeToString())
    inputs = parity_inputs(source, {"x": (1, 3, 6, 8)}, [])
    answers = [{"y": session.run(None, dict(each.feed))[0]} for each in inputs]
    assert check_parity(source, lower(source), torch_outputs=answers).passed
    answers[1]["y"] = answers[1]["y"] * np.float32(1.01)
    with pytest.raises(ConversionError, match="differs from torch on input 'uniform'"):
        check_parity(source, lower(source), torch_outputs=answers)


def test_the_inputs_are_the_same_each_time_and_follow_the_dtype() -> None:
    source = model(
        [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT)],
        {"x": (TensorProto.UINT8, [2, 3])},
        {"y": (TensorProto.FLOAT, [2, 3])},
    )
    first, second = (parity_inputs(source, {"x": (2, 3)}, []) for _ in range(2))
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.feed["x"], two.feed["x"])
        assert one.feed["x"].dtype == np.uint8
