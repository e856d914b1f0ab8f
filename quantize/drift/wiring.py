"""The main subgraph's operators in run order, and which of its tensors carry data."""

from __future__ import annotations

from dataclasses import dataclass

from ai_edge_litert import schema_py_generated as schema

_NAMES = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int) and name.isupper()
}


@dataclass(frozen=True)
class Step:
    """One operator: its builtin name and the tensor indices it reads and writes (optional inputs left out)."""

    op: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_steps(model: bytes) -> tuple[Step, ...]:
    """The operators of the main subgraph whose results depend on its inputs, in run order.

    What is computed from constants alone (weights that are dequantized on the fly) is no activation and left out.
    """
    root = schema.Model.GetRootAs(model, 0)
    graph = root.Subgraphs(0)
    live = {graph.Inputs(i) for i in range(graph.InputsLength())}
    steps = []
    for i in range(graph.OperatorsLength()):
        operator = graph.Operators(i)
        inputs = tuple(t for k in range(operator.InputsLength()) if (t := operator.Inputs(k)) >= 0)
        if live.isdisjoint(inputs):
            continue
        outputs = tuple(operator.Outputs(k) for k in range(operator.OutputsLength()))
        live.update(outputs)
        code = root.OperatorCodes(operator.OpcodeIndex())
        # Files older than schema version 3a hold codes below 127 in the deprecated field alone.
        builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        steps.append(Step(_NAMES.get(builtin, f"op {builtin}"), inputs, outputs))
    return tuple(steps)
