"""Of several RESHAPEs in a row only the last one matters."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from converter.tflite_graph import Operator, Tensor, TfliteGraph

Op = schema.BuiltinOperator


def collapse_reshapes(graph: TfliteGraph) -> None:
    """A RESHAPE reads what the first of the chain reads; one that leads back to the first shape is bypassed."""
    producers = graph.producers()
    bypassed: dict[Tensor, Tensor] = {}
    kept: list[Operator] = []
    for operator in graph.operators:
        operator.inputs = [bypassed.get(tensor, tensor) if tensor else None for tensor in operator.inputs]
        if operator.code == Op.RESHAPE:
            source = operator.inputs[0]
            while source in producers and producers[source].code == Op.RESHAPE:
                source = producers[source].inputs[0]
            operator.inputs[0] = source
            output = operator.outputs[0]
            if source is not None and source.shape == output.shape and output not in graph.outputs:
                bypassed[output] = source
                continue
        kept.append(operator)
    graph.operators = kept
