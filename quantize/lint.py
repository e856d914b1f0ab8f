"""Findings about a model and its ranges that cost accuracy in int8, one line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quantize.io import Io
from quantize.model_file import op_name, text
from quantize.observers import Range

MIXED_RANGE_RATIO = 8.0
_STEPS = 255


def mixed_ranges(tree: Any, ranges: Mapping[str, Range]) -> tuple[str, ...]:
    """Concatenations whose operands differ more than eightfold in magnitude: the small ones keep few steps."""
    graph = tree.subgraphs[0]
    warnings = []
    for op in graph.operators:
        if op_name(tree, op) not in ("CONCATENATION", "PACK"):
            continue
        names = [text(graph.tensors[i].name) for i in op.inputs]
        spans = {name: max(abs(ranges[name].min), abs(ranges[name].max)) for name in names if name in ranges}
        if spans and max(spans.values()) > MIXED_RANGE_RATIO * min(spans.values()):
            wide, narrow = max(spans, key=spans.__getitem__), min(spans, key=spans.__getitem__)
            warnings.append(
                f"'{text(graph.tensors[op.outputs[0]].name)}' joins '{wide}' (up to {spans[wide]:.3g}) with '{narrow}'"
                f" (up to {spans[narrow]:.3g}) in one int8 scale; make them separate outputs, or bring them to"
                " similar ranges before they are joined"
            )
    return tuple(warnings)


def always_zero(ranges: Mapping[str, Range]) -> tuple[str, ...]:
    """Tensors that calibration never saw move: their scale is a guess."""
    return tuple(
        f"'{name}' was zero in all {known.count} calibration samples and gets the range 0..1; give samples that move it"
        for name, known in ranges.items()
        if known.min == known.max == 0
    )


def clipped_inputs(inputs: Mapping[str, Io], ranges: Mapping[str, Range]) -> tuple[str, ...]:
    """Inputs whose imposed scale cannot hold, to half a step, the values that calibration saw."""
    warnings = []
    for name, wish in inputs.items():
        if wish.scale is None:
            continue
        low, high = wish.imposed_range()
        known, slack = ranges[name], (high - low) / _STEPS / 2
        if known.min < low - slack or known.max > high + slack:
            warnings.append(
                f"input '{name}' is imposed to {low:.4g}..{high:.4g} and was calibrated on {known.min:.4g}.."
                f"{known.max:.4g}; what lies outside is clipped: correct the scale and zero point, or the samples"
            )
    return tuple(warnings)
