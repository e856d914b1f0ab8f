"""A clip after an arithmetic operator becomes that operator's fused activation."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from converter.tflite_graph import TfliteGraph

Op = schema.BuiltinOperator
FUSABLE = {
    Op.RELU: schema.ActivationFunctionType.RELU,
    Op.RELU6: schema.ActivationFunctionType.RELU6,
    Op.RELU_N1_TO_1: schema.ActivationFunctionType.RELU_N1_TO_1,
}
HOSTS = frozenset(
    {
        Op.CONV_2D,
        Op.DEPTHWISE_CONV_2D,
        Op.TRANSPOSE_CONV,
        Op.FULLY_CONNECTED,
        Op.ADD,
        Op.SUB,
        Op.MUL,
        Op.DIV,
        Op.AVERAGE_POOL_2D,
        Op.MAX_POOL_2D,
    }
)


def fuse_activations(graph: TfliteGraph) -> None:
    """The host writes the clip's output; the value between them disappears, so nobody else may read it."""
    producers, uses = graph.producers(), graph.use_counts()
    for operator in graph.operators:
        source = operator.inputs[0]
        host = producers.get(source) if operator.code in FUSABLE and source is not None else None
        if host is None or host.code not in HOSTS or source is None or uses[source] != 1:
            continue
        if source.dtype.kind != "f" or host.options.fusedActivationFunction:
            continue
        host.options.fusedActivationFunction = FUSABLE[operator.code]
        host.outputs = operator.outputs
        operator.outputs = []
        producers[host.outputs[0]] = host
