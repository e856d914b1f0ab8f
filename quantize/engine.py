"""The one adapter to ai-edge-quantizer.

What it relies on beyond the documented interface, held by tests/quantize/test_engine_contract.py: a calibration
result is a dict from tensor name to {"min", "max"} arrays; such an entry for a *weight* replaces its own minimum
and maximum per channel; softmax, logistic and tanh overwrite their output's entry with the range that their int8
kernels demand; an operator outside the policy is left in float without a word.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from ai_edge_quantizer import algorithm_manager, default_policy, qtyping, quantizer
from ai_edge_quantizer.utils import tfl_flatbuffer_utils

from quantize.errors import QuantizationError
from quantize.model_file import OP_NAMES, duplicates, parse_model, read_model, write_model

_EVERY_TENSOR = ".*"
_OP = qtyping.TFLOperationName
_BITS = 8


def static_int8(
    model: bytes,
    ranges: Mapping[str, tuple[float, float]],
    weight_bounds: Mapping[str, np.ndarray[Any, Any]],
) -> bytes:
    """int8 weights and activations; inputs and outputs stay float32 behind QUANTIZE and DEQUANTIZE.

    ranges: (min, max) of every float tensor. weight_bounds: largest magnitude to represent, for weights whose own
    is too small, shaped like the weights with every axis but the channel's of length 1.
    """
    engine = _open(model)
    engine.add_static_config(_EVERY_TENSOR, _OP.ALL_SUPPORTED, activation_num_bits=_BITS, weight_num_bits=_BITS)
    engine.add_dynamic_config(_EVERY_TENSOR, _OP.EMBEDDING_LOOKUP, num_bits=_BITS)
    for boundary in (_OP.INPUT, _OP.OUTPUT):
        engine.update_quantization_recipe(_EVERY_TENSOR, boundary, algorithm_key=quantizer.AlgorithmName.NO_QUANTIZE)
    statistics = {name: {"min": np.array([low]), "max": np.array([high])} for name, (low, high) in ranges.items()}
    statistics |= {name: {"min": -bound, "max": bound} for name, bound in weight_bounds.items()}
    return _run(engine, statistics)


def int8_weights(model: bytes, *, dynamic: bool) -> bytes:
    """int8 weights; float32 arithmetic after a DEQUANTIZE, or int8 on activations quantized by the kernel."""
    engine = _open(model)
    add = engine.add_dynamic_config if dynamic else engine.add_weight_only_config
    add(_EVERY_TENSOR, _OP.ALL_SUPPORTED, num_bits=_BITS)
    return _run(engine, None)


def static_int8_ops() -> frozenset[str]:
    """TFLite names of the operators that the installed engine can make int8."""
    return frozenset(_builtin_name(op) for op in _ops_with_config("static_wi8_ai8"))


def int8_weight_ops() -> frozenset[str]:
    """TFLite names of the operators whose weights the installed engine can make int8."""
    return frozenset(_builtin_name(op) for op in _ops_with_config("weightonly_wi8_afp32"))


def _open(model: bytes) -> Any:
    tree = read_model(model)
    tree.signatureDefs = []  # the engine fails on None; quantize.io restores the signatures
    for tensor in tree.subgraphs[0].tensors:
        # Left by a trainer on float tensors; the engine would take such a tensor for quantized and skip it.
        tensor.quantization = None
    return quantizer.Quantizer(write_model(tree))


def _run(engine: Any, statistics: dict[str, Any] | None) -> bytes:
    with warnings.catch_warnings():
        # A bias that does not fit int32 is found and repaired afterwards, with its channel's name (bias.py).
        warnings.filterwarnings("ignore", "invalid value encountered in cast", RuntimeWarning)
        warnings.filterwarnings("ignore", "Warning: Enabling `experimental_preserve_all_tensors`", UserWarning)
        try:
            result = engine.quantize(statistics, enable_progress_bar=False, enable_progress_report=False)
        except (ValueError, RuntimeError, KeyError) as fault:
            raise QuantizationError(f"ai-edge-quantizer cannot quantize the model: {fault}") from fault
    tree = parse_model(bytes(result.quantized_model))
    for index, name in duplicates(tree):  # one tensor quantized in two ways for two readers
        tree.subgraphs[0].tensors[index].name = f"{name}#{index}".encode()
    return write_model(tree)


def _ops_with_config(name: str) -> list[Any]:
    boundaries = (_OP.INPUT, _OP.OUTPUT, _OP.STABLEHLO_COMPOSITE)
    ops = [_OP(op) for op in json.loads(default_policy.DEFAULT_JSON_POLICY)["ops_per_config"][name]]
    known = algorithm_manager.MIN_MAX_OP_NAME_MATERIALIZE_FUNC_DICT
    return [op for op in ops if op in known and op not in boundaries]


def _builtin_name(op: Any) -> str:
    return OP_NAMES[tfl_flatbuffer_utils.TFL_OP_NAME_TO_CODE[op]]
