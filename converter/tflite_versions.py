"""Which version of each builtin operator a use of it needs (TensorFlow's op_version.cc)."""

from __future__ import annotations

import numpy as np
from ai_edge_litert.schema_py_generated import BuiltinOperator as Op

from converter.tflite_graph import Operator

LARGEST_COMMON_RANK = 4


def operator_version(operator: Operator) -> int:
    """The lowest version of the operator that covers its inputs and options."""
    options, first = operator.options, operator.inputs[0]
    assert first is not None
    high_rank = any(tensor is not None and len(tensor.shape) > LARGEST_COMMON_RANK for tensor in operator.inputs)
    match operator.code:
        case Op.CONV_2D:
            filters = operator.inputs[1]
            return 6 if filters is not None and filters.shape[3] != first.shape[3] else 1
        case Op.DEPTHWISE_CONV_2D:
            return 2 if options.dilationHFactor > 1 or options.dilationWFactor > 1 else 1
        case Op.FULLY_CONNECTED:
            return 6 if len(operator.inputs) == 2 or operator.inputs[2] is None else 5 if options.keepNumDims else 1
        case Op.TRANSPOSE_CONV:
            return 4 if options.fusedActivationFunction else 3 if len(operator.inputs) > 3 else 1
        case Op.RESIZE_BILINEAR:
            return 3 if options.halfPixelCenters else 1
        case Op.RESIZE_NEAREST_NEIGHBOR:
            return 3 if options.halfPixelCenters or options.alignCorners else 1
        case Op.GATHER:
            return 5 if options.batchDims else 3 if first.dtype == np.bool_ else 1
        case Op.TRANSPOSE | Op.STRIDED_SLICE:
            return 4 if high_rank else 1
        case Op.SUB | Op.DIV | Op.SLICE:
            return {Op.SUB: 3, Op.DIV: 2, Op.SLICE: 5}[operator.code] if high_rank else 1
        case Op.BROADCAST_TO:
            return 2
    return 1
