"""A Pad of zeros before a convolution becomes the convolution's own padding."""

from __future__ import annotations

from converter.graph import Graph, Node


def merge_pads(graph: Graph) -> None:
    """Conv reads the unpadded value where Pad adds zeros on spatial axes only and has no other reader."""
    producers, consumers = graph.producers(), graph.consumers()
    for node in graph.nodes:
        pad = producers.get(node.inputs[0]) if node.op == "Conv" else None
        if pad is None or pad.op != "Pad" or len(consumers[pad.outputs[0]]) > 1 or pad.outputs[0] in graph.outputs:
            continue
        amounts = _zero_pads(graph, pad)
        if amounts is None or node.attributes.get("auto_pad", "NOTSET") not in ("NOTSET", ""):
            continue
        rank = len(amounts) // 2
        spatial = [*amounts[2:rank], *amounts[rank + 2 :]]
        if min(amounts) < 0 or any(amounts[:2]) or any(amounts[rank : rank + 2]):
            continue
        own = node.attributes.get("pads", [0] * len(spatial))
        node.attributes["pads"] = [first + second for first, second in zip(own, spatial, strict=True)]
        node.inputs[0] = pad.inputs[0]


def _zero_pads(graph: Graph, pad: Node) -> list[int] | None:
    if pad.attributes.get("mode", "constant") != "constant" or pad.input(3) or pad.attributes.get("value", 0.0):
        return None
    if pad.input(2):
        fill = graph.constant(pad.inputs[2])
        if fill is None or fill.any():
            return None
    if "pads" in pad.attributes:
        return list(pad.attributes["pads"])
    amounts = graph.constant(pad.inputs[1])
    return None if amounts is None else [int(amount) for amount in amounts]
