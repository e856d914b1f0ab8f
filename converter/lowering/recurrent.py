"""LSTM, GRU and RNN, one step after the other.

UNIDIRECTIONAL_SEQUENCE_LSTM keeps its state in variable tensors from one run to the next, so a second picture would
start where the first one ended; and it cannot be quantized statically. The steps are written out instead: one
FULLY_CONNECTED projects the input of all steps, then each step is a small product and elementwise arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.graph import Array, Node
from converter.lowerer import Lowerer, Op
from converter.lowering.linear import fully_connected
from converter.lowering.registry import lowers
from converter.lowering.shaping import joined
from converter.lowering.slicing import parts
from converter.tflite_graph import Tensor

DEFAULT_ACTIVATIONS = {
    "LSTM": ["sigmoid", "tanh", "tanh"],
    "GRU": ["sigmoid", "tanh"],
    "RNN": ["tanh"],
}
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
INITIAL_STATES = {"LSTM": (5, 6), "GRU": (5,), "RNN": (5,)}
FORWARD_ONLY, BACKWARD_ONLY = "forward", "reverse"


@dataclass(frozen=True)
class Direction:
    """The weights of one direction as constants that all steps share.

    ``projection`` and ``bias`` serve all steps at once; ``recurrent`` holds the matrices that meet the state,
    ``late_bias`` what GRU's candidate adds after its product with the state.
    """

    projection: Tensor
    bias: Tensor
    recurrent: tuple[Tensor, ...]
    late_bias: Tensor

    @property
    def hidden_size(self) -> int:
        """The length of the state."""
        return self.recurrent[0].shape[1]


# (one step's projected input [batch, gates * hidden], states) -> states; an absent state is zero
States = tuple[Tensor | None, ...]
Step = Callable[[Lowerer, Node, Direction, Tensor, States], tuple[Tensor, ...]]


@lowers("LSTM", "GRU", "RNN")
def recurrent(lower: Lowerer, node: Node) -> None:
    """The source's X is [steps, batch, in], Y [steps, directions, batch, hidden], the last states without steps."""
    _refuse_rarities(lower, node)
    cell = STEPS[node.op]
    directions = _directions(lower, node)
    order = node.attributes.get("direction", FORWARD_ONLY)
    source = lower.tensor(node.inputs[0])
    sequences, finals = [], []
    for number, direction in enumerate(directions):
        backwards = order == BACKWARD_ONLY or number == 1
        outputs, states = _run(lower, node, cell, direction, source, _initial(lower, node, number), backwards)
        sequences.append(outputs)
        finals.append(states)
    _place(lower, node, sequences, finals)


def _refuse_rarities(lower: Lowerer, node: Node) -> None:
    if node.attributes.get("layout", 0):
        raise lower.refusal(node, "layout=1", "use layout 0 (steps first)")
    if "clip" in node.attributes or node.attributes.get("input_forget", 0):
        raise lower.refusal(node, "clip or input_forget", "use a plain cell")
    given = [str(name).lower() for name in node.attributes.get("activations", [])]
    default = DEFAULT_ACTIVATIONS[node.op]
    if given and given != default * (len(given) // len(default)):
        raise lower.refusal(node, f"activations {', '.join(given)}", f"use {', '.join(default)}")
    lengths = node.input(4)
    if lengths:
        steps = lower.shape(node.inputs[0])[0]
        if np.any(lower.required_constant(node, 4, "sequence lengths") != steps):
            raise lower.refusal(node, "sequences of unlike length", "run them one by one")
    if node.op == "LSTM" and node.input(7) and lower.required_constant(node, 7, "peepholes").any():
        raise lower.refusal(node, "peepholes", "use a plain cell")


def _directions(lower: Lowerer, node: Node) -> list[Direction]:
    weights = lower.required_constant(node, 1, "input weights")
    hidden_weights = lower.required_constant(node, 2, "recurrent weights")
    biases = np.zeros((weights.shape[0], 2 * weights.shape[1]), np.float32)
    if node.input(3):
        biases = lower.required_constant(node, 3, "biases")
    return [_direction(lower, node, *row) for row in zip(weights, hidden_weights, biases, strict=True)]


def _direction(lower: Lowerer, node: Node, weights: Array, recurrent: Array, biases: Array) -> Direction:
    rows, hidden = recurrent.shape
    if rows != GATES[node.op] * hidden or weights.shape[0] != rows:
        raise ValueError(f"weights of shapes {list(weights.shape)} and {list(recurrent.shape)}")
    early, late = biases[:rows] + biases[rows:], np.zeros(hidden, np.float32)
    matrices = [recurrent]
    if node.op == "GRU":
        if node.attributes.get("linear_before_reset", 0):
            early[2 * hidden :], late = biases[2 * hidden : rows], biases[rows + 2 * hidden :]
        else:
            matrices = [recurrent[: 2 * hidden], recurrent[2 * hidden :]]
    name = node.inputs[2]
    return Direction(
        lower.new_constant(weights, node.inputs[1]),
        lower.new_constant(early, f"{node.inputs[1]}/bias"),
        tuple(lower.new_constant(matrix, name) for matrix in matrices),
        lower.new_constant(late, f"{name}/bias"),
    )


def _initial(lower: Lowerer, node: Node, number: int) -> States:
    states: list[Tensor | None] = []
    for index in INITIAL_STATES[node.op]:
        name = node.input(index)
        data = lower.constant(name)
        if not name or (data is not None and not data.any()):
            states.append(None)
        elif data is not None:
            states.append(lower.new_constant(data[number], name))
        else:
            tensor = lower.tensor(name)
            part = lower.slice(tensor, (number, 0, 0), (1, *tensor.shape[1:]))
            states.append(lower.reshape(part, tensor.shape[1:]))
    return tuple(states)


def _run(
    lower: Lowerer, node: Node, cell: Step, direction: Direction, source: Tensor, states: States, backwards: bool
) -> tuple[list[Tensor], tuple[Tensor, ...]]:
    """The hidden state after every step, in the order of the steps, and the states after the last one."""
    steps = source.shape[0]
    projected = fully_connected(lower, source, direction.projection, direction.bias)
    options = schema.UnpackOptionsT()
    options.num, options.axis = steps, 0
    rows = lower.emit_many(Op.UNPACK, [projected], [projected.shape[1:]] * steps, options=options)
    hidden: list[Tensor] = []
    for row in reversed(rows) if backwards else rows:
        states = cell(lower, node, direction, row, states)
        first = states[0]
        assert first is not None
        hidden.append(first)
    finals = tuple(state for state in states if state is not None)
    return hidden[::-1] if backwards else hidden, finals


def _recurrent_sum(lower: Lowerer, direction: Direction, row: Tensor, hidden: Tensor | None) -> Tensor:
    if hidden is None:
        return row
    return lower.binary(Op.ADD, row, fully_connected(lower, hidden, direction.recurrent[0]))


def _lstm_step(lower: Lowerer, node: Node, direction: Direction, row: Tensor, states: States) -> tuple[Tensor, ...]:
    """Gates in ONNX's order: input, output, forget, cell."""
    hidden, memory = states
    size = direction.hidden_size
    gates = parts(lower, _recurrent_sum(lower, direction, row, hidden), 1, [size] * 4)
    gate_in, gate_out, forget = (lower.unary(Op.LOGISTIC, gate) for gate in gates[:3])
    fresh = lower.binary(Op.MUL, gate_in, lower.unary(Op.TANH, gates[3]))
    memory = fresh if memory is None else lower.binary(Op.ADD, lower.binary(Op.MUL, forget, memory), fresh)
    return lower.binary(Op.MUL, gate_out, lower.unary(Op.TANH, memory)), memory


def _gru_step(lower: Lowerer, node: Node, direction: Direction, row: Tensor, states: States) -> tuple[Tensor, ...]:
    """Gates in ONNX's order: update, reset, candidate; h' = c + update * (h - c)."""
    (hidden,) = states
    size = direction.hidden_size
    if hidden is None:
        hidden = lower.new_constant(np.zeros((row.shape[0], size), np.float32), f"{node.inputs[2]}/zero")
    update_in, reset_in, candidate_in = parts(lower, row, 1, [size] * 3)
    product = fully_connected(lower, hidden, direction.recurrent[0])
    update_rec, reset_rec, *candidate_rec = parts(lower, product, 1, [size] * (product.shape[1] // size))
    reset = lower.unary(Op.LOGISTIC, lower.binary(Op.ADD, reset_in, reset_rec))
    if candidate_rec:
        gated = lower.binary(Op.MUL, reset, lower.binary(Op.ADD, candidate_rec[0], direction.late_bias))
    else:
        gated = fully_connected(lower, lower.binary(Op.MUL, reset, hidden), direction.recurrent[1])
    update = lower.unary(Op.LOGISTIC, lower.binary(Op.ADD, update_in, update_rec))
    candidate = lower.unary(Op.TANH, lower.binary(Op.ADD, candidate_in, gated))
    difference = lower.binary(Op.SUB, hidden, candidate)
    return (lower.binary(Op.ADD, candidate, lower.binary(Op.MUL, update, difference)),)


def _rnn_step(lower: Lowerer, node: Node, direction: Direction, row: Tensor, states: States) -> tuple[Tensor, ...]:
    return (lower.unary(Op.TANH, _recurrent_sum(lower, direction, row, states[0])),)


STEPS: dict[str, Step] = {"LSTM": _lstm_step, "GRU": _gru_step, "RNN": _rnn_step}


def _place(lower: Lowerer, node: Node, sequences: list[list[Tensor]], finals: list[tuple[Tensor, ...]]) -> None:
    if node.outputs[0]:
        stacked = [_packed(lower, sequence) for sequence in sequences]
        steps, batch, size = stacked[0].shape
        both = lower.reshape(joined(lower, stacked, 2), (steps, batch, len(stacked), size))
        lower.place(node.outputs[0], both, (0, 2, 1, 3))
    for index, name in enumerate(node.outputs[1:]):
        if name:
            lower.place(name, _packed(lower, [states[index] for states in finals]))


def _packed(lower: Lowerer, tensors: list[Tensor]) -> Tensor:
    """Stacked along a new first axis."""
    options = schema.PackOptionsT()
    options.valuesCount, options.axis = len(tensors), 0
    return lower.emit(Op.PACK, tensors, (len(tensors), *tensors[0].shape), options=options)
