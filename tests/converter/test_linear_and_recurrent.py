"""Matrix products and recurrent cells against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper

from converter.errors import ConversionError
from converter.onnx_convert import lower
from tests.converter.against_onnxruntime import assert_same, floats, model_of, one_op, operators

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
PRODUCTS = [
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((2, 1, 2, 3), (5, 3, 4)),
    ((3,), (3, 4)),
    ((2, 3), (3,)),
    ((3,), (3,)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
]


@pytest.mark.parametrize(("left", "right"), PRODUCTS)
@pytest.mark.parametrize("constant", ["", "a", "b"])
def test_matmul(left, right, constant):
    values = {"a": floats(*left, seed=1), "b": floats(*right, seed=2)}
    held = {name: value for name, value in values.items() if name == constant}
    fed = {name: value for name, value in values.items() if name != constant}
    assert_same(model_of([helper.make_node("MatMul", ["a", "b"], ["y"])], fed, ["y"], held), fed)


@pytest.mark.parametrize("constant", [True, False])
def test_matmul_of_transposed_operands(constant):
    """Scores of an attention: q k' with k transposed in the graph."""
    q, k = floats(2, 4, 5, 3, seed=1), floats(2, 4, 6, 3, seed=2)
    nodes = [
        helper.make_node("Transpose", ["k"], ["kt"], perm=[0, 1, 3, 2]),
        helper.make_node("MatMul", ["q", "kt"], ["y"]),
    ]
    fed = {"q": q} if constant else {"q": q, "k": k}
    lowered = assert_same(model_of(nodes, fed, ["y"], {"k": k} if constant else {}), fed)
    assert operators(lowered) == {"BATCH_MATMUL": 1}


@SETTINGS
@given(
    st.booleans(), st.booleans(), st.sampled_from([1.0, 0.5]), st.sampled_from([1.0, 2.0]), st.booleans(),
    st.sampled_from([None, (4,), (1, 4), (2, 4), (1,), (2, 1), ()]), st.booleans(),
)  # fmt: skip
def test_gemm(trans_a, trans_b, alpha, beta, constant, addend, addend_known):
    a = floats(*((3, 2) if trans_a else (2, 3)), seed=1)
    b = floats(*((4, 3) if trans_b else (3, 4)), seed=2)
    values = {"b": b} | ({} if addend is None else {"c": floats(*addend, seed=3)})
    held = {name: value for name, value in values.items() if (constant if name == "b" else addend_known)}
    fed = {"a": a} | {name: value for name, value in values.items() if name not in held}
    node = helper.make_node("Gemm", ["a", *values], ["y"], transA=trans_a, transB=trans_b, alpha=alpha, beta=beta)
    assert_same(model_of([node], fed, ["y"], held), fed)


def test_a_bias_added_later_folds_into_the_product():
    x = floats(2, 5, 3)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["a"]), helper.make_node("Add", ["b", "a"], ["y"])]
    constants = {"w": floats(3, 4, seed=1), "b": floats(4, seed=2)}
    assert operators(assert_same(model_of(nodes, {"x": x}, ["y"], constants), {"x": x})) == {"FULLY_CONNECTED": 1}


@pytest.mark.parametrize("equation", ["bij,bjk->bik", "bhid,bhjd->bhij", "bij,bkj->bki", "ij,jk->ik"])
def test_einsum_of_matrix_products(equation):
    sizes = {"b": 2, "h": 3, "i": 4, "j": 5, "k": 6, "d": 7}
    left, right = equation.split("->")[0].split(",")
    values = [floats(*(sizes[letter] for letter in side), seed=number) for number, side in enumerate((left, right))]
    model, feeds = one_op("Einsum", values, equation=equation)
    assert_same(model, feeds)


def test_other_einsums_are_refused():
    model, _ = one_op("Einsum", [floats(2, 3), floats(2, 3)], equation="ij,ij->i")
    with pytest.raises(ConversionError, match="equation 'ij,ij->i'"):
        lower(model)


GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


@SETTINGS
@given(
    st.sampled_from(["LSTM", "GRU", "RNN"]), st.sampled_from(["forward", "reverse", "bidirectional"]),
    st.booleans(), st.sampled_from(["absent", "zero", "constant", "fed"]), st.integers(1, 5), st.integers(1, 2),
    st.booleans(),
)  # fmt: skip
def test_recurrent_cells(op, direction, biased, initial, steps, batch, reset_late):
    size, hidden, directions = 3, 4, 2 if direction == "bidirectional" else 1
    rows = GATES[op] * hidden
    values = {
        "x": floats(steps, batch, size, seed=1),
        "w": floats(directions, rows, size, seed=2),
        "r": floats(directions, rows, hidden, seed=3),
    }
    names = ["x", "w", "r", "", ""]
    if biased:
        names[3] = "b"
        values["b"] = floats(directions, 2 * rows, seed=4)
    fed_names = {"x"}
    if initial != "absent":
        states = ["h", "c"] if op == "LSTM" else ["h"]
        names += states
        for number, state in enumerate(states):
            shape = (directions, batch, hidden)
            values[state] = np.zeros(shape, np.float32) if initial == "zero" else floats(*shape, seed=5 + number)
        fed_names |= set(states) if initial == "fed" else set()
    outputs = ["y", "yh", "yc"] if op == "LSTM" else ["y", "yh"]
    extra = {"linear_before_reset": int(reset_late)} if op == "GRU" else {}
    node = helper.make_node(op, names, outputs, hidden_size=hidden, direction=direction, **extra)
    fed = {name: value for name, value in values.items() if name in fed_names}
    held = {name: value for name, value in values.items() if name not in fed_names}
    assert_same(model_of([node], fed, outputs, held), fed)


def test_an_lstm_forgets_between_two_runs():
    values = {"w": floats(1, 16, 3, seed=2), "r": floats(1, 16, 4, seed=3)}
    model = model_of(
        [helper.make_node("LSTM", ["x", "w", "r"], ["y"], hidden_size=4)], {"x": floats(5, 1, 3)}, ["y"], values
    )
    interpreter = Interpreter(model_content=lower(model).tflite)
    interpreter.allocate_tensors()
    answers = []
    for _ in range(2):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], floats(5, 1, 3))
        interpreter.invoke()
        answers.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    np.testing.assert_array_equal(*answers)


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"layout": 1}, "layout=1"),
        ({"clip": 1.0}, "clip"),
        ({"activations": ["Relu", "Tanh", "Tanh"]}, "activations relu, tanh, tanh"),
    ],
)
def test_rare_cells_are_refused(attributes, reason):
    model, _ = one_op(
        "LSTM", [floats(5, 1, 3)], constants=[floats(1, 16, 3), floats(1, 16, 4)], hidden_size=4, **attributes
    )
    with pytest.raises(ConversionError, match=reason):
        lower(model)
