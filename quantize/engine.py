"""The one adapter to ai-edge-quantizer.

It works below `Quantizer`, which draws progress bars and opens an interpreter of its own. What it relies on, held by
tests/quantize/test_engine_contract.py: a calibration result is a dict from tensor name to {"min", "max"} arrays; such
an entry for a *weight* replaces its own minimum and maximum per channel; softmax, logistic and tanh overwrite their
output's entry with the range that their int8 kernels demand; an operator outside the policy stays float unmentioned.
"""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from ai_edge_quantizer import (
    algorithm_manager,
    default_policy,
    model_modifier,
    params_generator,
    qtyping,
    recipe_manager,
)
from ai_edge_quantizer.utils import tfl_flatbuffer_utils

from quantize.errors import QuantizationError
from quantize.model_file import OP_NAMES, duplicates, parse_model

_EVERY_TENSOR = ".*"
_OP = qtyping.TFLOperationName
_BITS = 8


def static_int8(
    tree: Any,
    ranges: Mapping[str, tuple[float, float]],
    weight_bounds: Mapping[str, np.ndarray[Any, Any]],
) -> Any:
    """int8 weights and activations; a QUANTIZE follows float32 inputs, a DEQUANTIZE int8 outputs.

    ranges: (min, max) of every float tensor. weight_bounds: largest magnitude to represent, for weights whose own
    is too small, shaped like the weights with every axis but the channel's of length 1. tree: the schema's
    `ModelT` of the float model, as the result is of the quantized one; its tensors' quantization is dropped.
    """
    recipe = recipe_manager.RecipeManager()
    recipe.add_static_config(_EVERY_TENSOR, _OP.ALL_SUPPORTED, activation_num_bits=_BITS, weight_num_bits=_BITS)
    recipe.add_dynamic_config(_EVERY_TENSOR, _OP.EMBEDDING_LOOKUP, num_bits=_BITS)
    for boundary in (_OP.INPUT, _OP.OUTPUT):
        recipe.add_quantization_config(_EVERY_TENSOR, boundary, algorithm_key=recipe_manager.AlgorithmName.NO_QUANTIZE)
    statistics = {name: {"min": np.array([low]), "max": np.array([high])} for name, (low, high) in ranges.items()}
    statistics |= {name: {"min": -bound, "max": bound} for name, bound in weight_bounds.items()}
    return _run(tree, recipe, statistics)


def int8_weights(tree: Any, *, dynamic: bool) -> Any:
    """int8 weights; float32 arithmetic after a DEQUANTIZE, or int8 on activations quantized by the kernel."""
    recipe = recipe_manager.RecipeManager()
    add = recipe.add_dynamic_config if dynamic else recipe.add_weight_only_config
    add(_EVERY_TENSOR, _OP.ALL_SUPPORTED, num_bits=_BITS)
    return _run(tree, recipe, {})


def static_int8_ops() -> frozenset[str]:
    """TFLite names of the operators that the installed engine can make int8."""
    return frozenset(_builtin_name(op) for op in _ops_with_config("static_wi8_ai8"))


def int8_weight_ops() -> frozenset[str]:
    """TFLite names of the operators whose weights the installed engine can make int8."""
    return frozenset(_builtin_name(op) for op in _ops_with_config("weightonly_wi8_afp32"))


def _run(tree: Any, recipe: Any, statistics: dict[str, Any]) -> Any:
    source = copy.copy(tree)
    source.subgraphs = [_without_inner_outputs(tree.subgraphs[0])]
    source.signatureDefs = []  # the engine fails on None; quantize.io restores the signatures
    for tensor in source.subgraphs[0].tensors:
        # Left by a trainer on float tensors; the engine would take such a tensor for quantized and skip it.
        tensor.quantization = None
    with warnings.catch_warnings():
        # A bias that does not fit int32 is found and repaired afterwards, with its channel's name (bias.py).
        warnings.filterwarnings("ignore", "invalid value encountered in cast", RuntimeWarning)
        try:
            generator = params_generator.ParamsGenerator(source)
            parameters = generator.generate_quantization_parameters(recipe, statistics, enable_progress_bar=False)
            modifier = model_modifier.ModelModifier(source)
            result = parse_model(bytes(modifier.modify_model(parameters, enable_progress_bar=False)))
        except (ValueError, RuntimeError, KeyError) as fault:
            raise QuantizationError(f"ai-edge-quantizer cannot quantize the model: {fault}") from fault
    for index, name in duplicates(result):  # one tensor quantized in two ways for two readers
        result.subgraphs[0].tensors[index].name = f"{name}#{index}".encode()
    return result


def _without_inner_outputs(graph: Any) -> Any:
    """`graph` with the outputs alone that no operator reads.

    The engine may connect a reader of an int8 tensor that is also an output to the tensor's float copy.
    """
    graph = copy.copy(graph)
    read = {i for op in graph.operators for i in op.inputs} | {*graph.inputs}
    graph.outputs = [index for index in graph.outputs if index not in read]
    return graph


def _ops_with_config(name: str) -> list[Any]:
    boundaries = (_OP.INPUT, _OP.OUTPUT, _OP.STABLEHLO_COMPOSITE)
    ops = [_OP(op) for op in json.loads(default_policy.DEFAULT_JSON_POLICY)["ops_per_config"][name]]
    known = algorithm_manager.MIN_MAX_OP_NAME_MATERIALIZE_FUNC_DICT
    return [op for op in ops if op in known and op not in boundaries]


def _builtin_name(op: Any) -> str:
    return OP_NAMES[tfl_flatbuffer_utils.TFL_OP_NAME_TO_CODE[op]]
