"""Elementwise operators move before a RESHAPE, so that they meet the operator whose result is reshaped.

A one-dimensional convolution is a picture one row high between two RESHAPEs: once its bias, normalisation and clip
stand before the second one, they fold into it, and the RESHAPEs between two convolutions cancel.
"""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from converter.tflite_graph import Operator, Tensor, TfliteGraph

Op = schema.BuiltinOperator
UNARY = frozenset(
    {Op.RELU, Op.RELU6, Op.RELU_N1_TO_1, Op.RELU_0_TO_1, Op.LOGISTIC, Op.TANH, Op.HARD_SWISH, Op.GELU, Op.LEAKY_RELU}
)
WITH_CONSTANT = frozenset({Op.MUL, Op.ADD, Op.SUB})


def sink_reshapes(graph: TfliteGraph) -> None:
    """RESHAPE then f becomes f then RESHAPE where nobody else reads the reshaped value."""
    producers, uses = graph.producers(), graph.use_counts()
    operators: list[Operator] = []
    for operator in graph.operators:
        operators.append(operator)
        index = _reshaped_input(operator, producers, uses)
        if index is None:
            continue
        reshaped = operator.inputs[index]
        assert reshaped is not None
        source, output = producers[reshaped].inputs[0], operator.outputs[0]
        assert source is not None
        inner = Tensor(f"{output.name}/inner", source.shape, output.dtype)
        operator.inputs[index], operator.outputs = source, [inner]
        moved = Operator(Op.RESHAPE, [inner, producers[reshaped].inputs[1]], [output], producers[reshaped].options)
        operators.append(moved)
        producers |= {inner: operator, output: moved}
        uses[inner] = 1
    graph.operators = operators


def _reshaped_input(operator: Operator, producers: dict[Tensor, Operator], uses: dict[Tensor, int]) -> int | None:
    """Which input of an elementwise operator is a reshaped value that it alone reads and that commutes with it."""
    if operator.code in UNARY:
        candidates = [0]
    elif operator.code in WITH_CONSTANT:
        candidates = [number for number in (0, 1) if _is_constant(operator.inputs[1 - number])]
    else:
        return None
    for number in candidates:
        tensor = operator.inputs[number]
        if tensor is None or uses[tensor] != 1 or tensor not in producers or producers[tensor].code != Op.RESHAPE:
            continue
        source = producers[tensor].inputs[0]
        if source is not None and (len(operator.inputs) == 1 or _commutes(operator.inputs[1 - number], source, tensor)):
            return number
    return None


def _is_constant(tensor: Tensor | None) -> bool:
    return tensor is not None and tensor.data is not None


def _commutes(constant: Tensor | None, source: Tensor, reshaped: Tensor) -> bool:
    """A constant per channel, or one for all, that broadcasts to both shapes alike."""
    if constant is None or len(constant.shape) > 1:
        return False
    same_channels = bool(source.shape) and source.shape[-1:] == reshaped.shape[-1:]
    return constant.shape == () or (same_channels and constant.shape[0] in (1, source.shape[-1]))
