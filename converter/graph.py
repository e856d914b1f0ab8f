"""The source model as a typed graph: every value has a static shape and a dtype, constants are numpy arrays."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Value:
    """One value of the graph; ``data`` is there when it is known before the model runs."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    data: Array | None = None


@dataclass(eq=False)
class Node:
    """One ONNX operator call. An absent optional input is the empty name; ``version`` is its opset's."""

    op: str
    name: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any] = field(default_factory=dict)
    version: int = 1

    def label(self) -> str:
        """How an error names this node."""
        return f"op {self.op} (node '{self.name or self.outputs[0]}')"

    def input(self, index: int) -> str:
        """The name of input ``index``, empty when it is absent."""
        return self.inputs[index] if index < len(self.inputs) else ""


@dataclass(eq=False)
class Graph:
    """Nodes in execution order over named values, each written once."""

    nodes: list[Node]
    values: dict[str, Value]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def constant(self, name: str) -> Array | None:
        """The data of a value known before the model runs, ``None`` for all others and for an absent input."""
        return self.values[name].data if name else None

    def producers(self) -> dict[str, Node]:
        """Value name -> the node that writes it."""
        return {output: node for node in self.nodes for output in node.outputs if output}

    def consumers(self) -> dict[str, list[Node]]:
        """Value name -> the nodes that read it, one entry per reading input."""
        readers: dict[str, list[Node]] = defaultdict(list)
        for node in self.nodes:
            for name in node.inputs:
                readers[name].append(node)
        return readers

    def remove_dead_nodes(self) -> None:
        """Drop every node whose results reach no output of the graph."""
        needed = set(self.outputs)
        kept: list[Node] = []
        for node in reversed(self.nodes):
            if needed.intersection(node.outputs):
                kept.append(node)
                needed.update(node.inputs)
        self.nodes = kept[::-1]
