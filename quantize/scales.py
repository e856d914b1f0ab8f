"""Calibrated ranges made ready for the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quantize.errors import QuantizationError
from quantize.io import Io
from quantize.model_file import op_name, text
from quantize.observers import Range, Ranges, with_derived
from quantize.range_plan import FIXED, SAME_AS_INPUT, plan_ranges
from quantize.schemes import INT8_OPS

_JOINS = ("CONCATENATION", "PACK")


def prepare_ranges(tree: Any, ranges: Ranges, inputs: Mapping[str, Io]) -> dict[str, Range]:
    """A usable range for every float tensor of `tree`: imposed where asked, never empty, equal where scales must be.

    Raises QuantizationError when `ranges` is not of this model.
    """
    plan = plan_ranges(tree)
    observed = {}
    for look in plan.looks:
        if look.name not in ranges.observers:
            raise QuantizationError(f"the ranges have no tensor '{look.name}': calibrate this very model")
        observed[look.name] = ranges.observers[look.name].range(ranges.percentile)
    imposed = {name: wish.imposed_range() for name, wish in inputs.items() if wish.scale is not None}
    for name, (low, high) in imposed.items():
        observed[name] = Range(low, high, observed[name].count)
    prepared = with_derived(observed, plan.derived)
    _join_scales(tree, prepared, frozenset(imposed))
    return {name: _never_empty(known) for name, known in prepared.items()}


def _never_empty(known: Range) -> Range:
    """A tensor that was zero throughout gets 0..1: any scale represents zero, a tiny one overflows biases."""
    return Range(0.0, 1.0, known.count) if known.min == known.max == 0 else known


def _join_scales(tree: Any, ranges: dict[str, Range], imposed: frozenset[str]) -> None:
    """Operands of a concatenation take its range where nothing else reads them, so that no requantization is needed."""
    graph = tree.subgraphs[0]
    readers: dict[int, int] = {}
    for index in [*graph.outputs, *(i for op in graph.operators for i in op.inputs)]:
        readers[index] = readers.get(index, 0) + 1
    fixed = {i for op in graph.operators if op_name(tree, op) in FIXED for i in op.outputs}
    for op in reversed(graph.operators):
        name = op_name(tree, op)
        if name in _JOINS:
            operands = op.inputs
        elif name in SAME_AS_INPUT and name in INT8_OPS and len(op.outputs) == 1:
            operands = [op.inputs[SAME_AS_INPUT[name]]]
        else:
            continue
        joint = ranges.get(text(graph.tensors[op.outputs[0]].name))
        for index in operands:
            operand = text(graph.tensors[index].name)
            if joint and operand in ranges and readers[index] == 1 and index not in fixed and operand not in imposed:
                ranges[operand] = joint
