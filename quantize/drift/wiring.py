"""The main subgraph's operators in run order, and which of its tensors carry data."""

from __future__ import annotations

from dataclasses import dataclass

from ai_edge_litert import schema_py_generated as schema

from quantize.model_file import OP_NAMES


@dataclass(frozen=True)
class Step:
    """One operator: its builtin name and the tensors it reads and writes (absent optional ones left out)."""

    op: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_steps(model: bytes) -> tuple[Step, ...]:
    """The operators of the main subgraph whose results depend on its inputs, in run order.

    What is computed from constants alone (weights that are dequantized on the fly) is no activation and
    left out.
    """
    root = schema.Model.GetRootAs(model, 0)
    graph = root.Subgraphs(0)
    live = set(graph.InputsAsNumpy().tolist())
    steps = []
    for i in range(graph.OperatorsLength()):
        operator = graph.Operators(i)
        inputs = tuple(t for t in operator.InputsAsNumpy().tolist() if t >= 0) if operator.InputsLength() else ()
        if live.isdisjoint(inputs):
            continue
        outputs = tuple(operator.OutputsAsNumpy().tolist())
        live.update(outputs)
        code = root.OperatorCodes(operator.OpcodeIndex())
        # Files older than schema version 3a hold codes below 127 in the deprecated field alone.
        builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        steps.append(Step(OP_NAMES.get(builtin, f"op {builtin}"), inputs, outputs))
    return tuple(steps)
