"""Removing what a rewritten model no longer uses."""

from __future__ import annotations

from typing import Any

from quantize.model_file import op_name


def prune(tree: Any) -> None:
    """Drops conversions that nothing reads, then tensors, buffers and operator codes that nothing refers to.

    Renumbers the rest, in place.
    """
    _prune_conversions(tree)
    _prune_tensors(tree)
    _prune_buffers(tree)
    used = sorted({op.opcodeIndex for op in tree.subgraphs[0].operators})
    tree.operatorCodes = [tree.operatorCodes[index] for index in used]
    for op in tree.subgraphs[0].operators:
        op.opcodeIndex = used.index(op.opcodeIndex)


def _prune_conversions(tree: Any) -> None:
    graph = tree.subgraphs[0]
    read = {*graph.outputs, *(i for op in graph.operators for i in op.inputs)}
    graph.operators = [
        op
        for op in graph.operators
        if op_name(tree, op) not in ("QUANTIZE", "DEQUANTIZE") or not read.isdisjoint(op.outputs)
    ]


def _prune_tensors(tree: Any) -> None:
    graph = tree.subgraphs[0]
    used = {*graph.inputs, *graph.outputs}
    for op in graph.operators:
        used |= {i for i in [*op.inputs, *op.outputs, *(op.intermediates or [])] if i >= 0}
    number = {old: new for new, old in enumerate(sorted(used))} | {-1: -1}
    graph.tensors = [graph.tensors[index] for index in sorted(used)]
    graph.inputs = [number[i] for i in graph.inputs]
    graph.outputs = [number[i] for i in graph.outputs]
    for op in graph.operators:
        op.inputs = [number[i] for i in op.inputs]
        op.outputs = [number[i] for i in op.outputs]
        op.intermediates = [number[i] for i in op.intermediates or []]
    for signature in tree.signatureDefs or []:
        for entry in [*signature.inputs, *signature.outputs]:
            entry.tensorIndex = number[entry.tensorIndex]


def _prune_buffers(tree: Any) -> None:
    metadata = tree.metadata or []
    used = {0} | {t.buffer for t in tree.subgraphs[0].tensors} | {entry.buffer for entry in metadata}
    number = {old: new for new, old in enumerate(sorted(used))}
    tree.buffers = [tree.buffers[index] for index in sorted(used)]
    tree.metadataBuffer = None
    for holder in [*tree.subgraphs[0].tensors, *metadata]:
        holder.buffer = number[holder.buffer]
