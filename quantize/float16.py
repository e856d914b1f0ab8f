"""float16 storage: every sizeable float32 constant becomes float16 and a DEQUANTIZE that widens it again.

XNNPACK folds the DEQUANTIZE away when it prepares its operators, the plain kernels run it once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from quantize.errors import QuantizationError
from quantize.model_file import add_constant, new_op, require_constant, text, write_model
from quantize.preflight import is_float16_candidate
from quantize.prune import prune

_LARGEST = float(np.finfo(np.float16).max)


def to_float16(tree: Any) -> bytes:
    """Changes `tree`. Raises QuantizationError for a constant beyond float16's range, by name."""
    graph = tree.subgraphs[0]
    used = {i for op in graph.operators for i in op.inputs if i >= 0}
    widen = [_store(tree, index) for index in sorted(used) if is_float16_candidate(tree, index)]
    graph.operators = [*widen, *graph.operators]
    prune(tree)
    return write_model(tree)


def _store(tree: Any, index: int) -> Any:
    tensor = tree.subgraphs[0].tensors[index]
    value, name = require_constant(tree, tensor), text(tensor.name)
    if np.abs(value).max() > _LARGEST:
        raise QuantizationError(
            f"constant '{name}' reaches {np.abs(value).max():.3g}, beyond float16's {_LARGEST:.0f}: scale it down"
            " in the source model, or use another scheme"
        )
    stored = add_constant(tree, f"{name}_float16", value.astype(np.float16), schema.TensorType.FLOAT16)
    tensor.buffer = 0
    return new_op(tree, schema.BuiltinOperator.DEQUANTIZE, [stored], [index])
