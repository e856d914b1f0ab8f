"""The closed vocabulary of operations between models, in numpy; defined bit by bit in docs/glue.md.

One operation per file. To add one: copy the shortest neighbour, list it here, define it in docs/glue.md,
and give it vectors from an independent formulation in tests/litebundle/glue/reference.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from litebundle.glue import (
    convert_color,
    crop_boxes,
    ctc_decode,
    dbnet_boxes,
    detokenize,
    fit_height,
    heatmap_boxes,
    letterbox,
    nms,
    normalize,
    pad,
    resize,
    rotate_upright,
    softmax_top_k,
    to_tensor,
)
from litebundle.glue.operation import Attributes, Kind, Operation, Port

__all__ = ["OPERATIONS", "Attributes", "Kind", "Operation", "Port"]

OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        module.OPERATION.name: module.OPERATION
        for module in (
            convert_color,
            crop_boxes,
            ctc_decode,
            dbnet_boxes,
            detokenize,
            fit_height,
            heatmap_boxes,
            letterbox,
            nms,
            normalize,
            pad,
            resize,
            rotate_upright,
            softmax_top_k,
            to_tensor,
        )
    }
)
