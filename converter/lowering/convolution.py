"""Convolutions, one- and two-dimensional, plain, grouped, depthwise and transposed."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converter.graph import Array, Node
from converter.lowerer import Lowerer, Op
from converter.lowering.registry import lowers
from converter.lowering.window import Padding, Window, as_picture, padded, place_picture, windows
from converter.tflite_graph import Tensor


@lowers("Conv")
def convolution(lower: Lowerer, node: Node) -> None:
    """CONV_2D, or DEPTHWISE_CONV_2D where every input channel has filters of its own."""
    weights = lower.required_constant(node, 1, "weights")
    axes = windows(lower, node, weights.shape[2:])
    tensor, axes = as_picture(lower, node, axes)
    weights = _with_rows(weights)
    channels = tensor.shape[3]
    group = node.attributes.get("group", 1)
    if weights.shape[1] * group != channels or weights.shape[0] % group:
        raise ValueError(f"weights of shape {list(weights.shape)}, {group} groups and {channels} channels")
    tensor, padding = padded(lower, tensor, axes)
    shape = (tensor.shape[0], axes[0].output, axes[1].output, weights.shape[0])
    bias = _bias(lower, node, 2, weights.shape[0])
    depthwise = group == channels and group > 1
    options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
    options.padding = padding
    options.strideH, options.strideW = axes[0].stride, axes[1].stride
    options.dilationHFactor, options.dilationWFactor = axes[0].dilation, axes[1].dilation
    if depthwise:
        options.depthMultiplier = weights.shape[0] // channels
        filters = np.transpose(weights, (1, 2, 3, 0))
    else:
        filters = np.transpose(weights, (0, 2, 3, 1))
    code = Op.DEPTHWISE_CONV_2D if depthwise else Op.CONV_2D
    result = lower.emit(code, [tensor, lower.new_constant(filters, node.inputs[1]), bias], shape, options=options)
    place_picture(lower, node, result)


def _with_rows(weights: Array) -> Array:
    """Weights of two spatial axes; those of a signal get one row."""
    return weights if weights.ndim == 4 else weights[:, :, None, :]


def _bias(lower: Lowerer, node: Node, index: int, channels: int) -> Tensor:
    if not node.input(index):
        return lower.new_constant(np.zeros(channels, np.float32), f"{node.inputs[1]}/bias")
    bias = lower.required_constant(node, index, "a bias")
    if bias.shape != (channels,):
        raise ValueError(f"a bias of shape {list(bias.shape)} for {channels} channels")
    return lower.new_constant(bias, node.inputs[index])


@lowers("ConvTranspose")
def transposed_convolution(lower: Lowerer, node: Node) -> None:
    """TRANSPOSE_CONV; pads that it does not know are cut off its full result."""
    weights = lower.required_constant(node, 1, "weights")
    if weights.ndim not in (3, 4):
        raise lower.refusal(node, f"{weights.ndim - 2} spatial axes", "use at most two in the source model")
    if any(dilation != 1 for dilation in node.attributes.get("dilations", [])):
        raise lower.refusal(node, "dilations", "use dilation 1 in the source model")
    axes = _transposed_windows(lower, node, weights.shape[2:])
    tensor, picture_axes = as_picture(lower, node, axes)
    weights = _with_rows(weights)
    group = node.attributes.get("group", 1)
    per_group = weights.shape[1]
    if weights.shape[0] != tensor.shape[3] or weights.shape[0] % group:
        raise ValueError(f"weights of shape {list(weights.shape)}, {group} groups and {tensor.shape[3]} channels")
    bias = _bias(lower, node, 2, group * per_group)
    if group == 1:
        result = _transposed(lower, tensor, weights, bias, node.inputs[1], picture_axes)
    else:
        result = _grouped_transposed(lower, node, tensor, weights, bias, picture_axes)
    place_picture(lower, node, result)


def _transposed_windows(lower: Lowerer, node: Node, kernel: tuple[int, ...]) -> tuple[Window, ...]:
    """The windows of the convolution that this one transposes: it reads our output and writes our input."""
    small, large = lower.shape(node.inputs[0])[2:], lower.shape(node.outputs[0])[2:]
    strides = node.attributes.get("strides", [1] * len(kernel))
    extra = node.attributes.get("output_padding", [0] * len(kernel))
    mode = node.attributes.get("auto_pad", "NOTSET")
    pads = node.attributes.get("pads", [0] * len(kernel))
    fixed_output = "output_shape" in node.attributes
    axes = []
    for axis, length in enumerate(kernel):
        begin = pads[axis]
        if mode not in ("NOTSET", "") or fixed_output:
            total = max(0, (small[axis] - 1) * strides[axis] + extra[axis] + length - large[axis])
            begin = 0 if mode == "VALID" else total // 2 if mode == "SAME_UPPER" else total - total // 2
        axes.append(Window(large[axis], small[axis], length, strides[axis], 1, begin))
    return tuple(axes)


def _transposed(
    lower: Lowerer, tensor: Tensor, weights: Array, bias: Tensor, name: str, axes: tuple[Window, Window]
) -> Tensor:
    """``weights`` are ONNX's [in, out, h, w]; the tensors NHWC."""
    batch, channels = tensor.shape[0], weights.shape[1]
    wanted = (batch, axes[0].input, axes[1].input, channels)
    same = all(axis.is_same() for axis in axes)
    full = wanted if same else (batch, *(_full_length(axis) for axis in axes), channels)
    options = schema.TransposeConvOptionsT()
    options.padding = Padding.SAME if same else Padding.VALID
    options.strideH, options.strideW = axes[0].stride, axes[1].stride
    filters = lower.new_constant(np.transpose(weights, (1, 2, 3, 0)), name)
    inputs = [lower.index_constant(full, "output_shape"), filters, tensor, bias]
    result = lower.emit(Op.TRANSPOSE_CONV, inputs, full, dtype=tensor.dtype, options=options)
    return lower.slice(result, (0, axes[0].begin, axes[1].begin, 0), wanted)


def _full_length(axis: Window) -> int:
    return max((axis.output - 1) * axis.stride + axis.kernel, axis.begin + axis.input)


def _grouped_transposed(
    lower: Lowerer, node: Node, tensor: Tensor, weights: Array, bias: Tensor, axes: tuple[Window, Window]
) -> Tensor:
    group = node.attributes["group"]
    step = weights.shape[0] // group
    assert bias.data is not None
    parts = []
    for number, bias_part in enumerate(np.split(bias.data, group)):
        begin = (0, 0, 0, number * step)
        part = lower.slice(tensor, begin, (*tensor.shape[:3], step))
        filters = weights[number * step : (number + 1) * step]
        part_bias = lower.new_constant(bias_part, bias.name)
        parts.append(_transposed(lower, part, filters, part_bias, node.inputs[1], axes))
    options = schema.ConcatenationOptionsT()
    options.axis = 3
    shape = (*parts[0].shape[:3], sum(part.shape[3] for part in parts))
    return lower.emit(Op.CONCATENATION, parts, shape, options=options)


@lowers("BatchNormalization")
def batch_normalization(lower: Lowerer, node: Node) -> None:
    """A multiplication and an addition per channel, which later fold into a convolution before them."""
    if node.attributes.get("training_mode", 0) or any(node.outputs[1:]):
        raise lower.refusal(node, "training mode", "export the model in evaluation mode")
    scale, shift, mean, variance = (
        lower.required_constant(node, index, "statistics").astype(np.float64) for index in range(1, 5)
    )
    if (variance < 0).any():
        raise lower.refusal(node, "a negative variance", "train or export the model again")
    factor = scale / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
    placed = lower.current(node.inputs[0])
    channel_axis = placed.layout.index(1)
    after = (1,) * (len(placed.layout) - 1 - channel_axis)
    result = placed.tensor
    for code, values, name in ((Op.MUL, factor, "scale"), (Op.ADD, shift - mean * factor, "shift")):
        constant = lower.new_constant(values.astype(np.float32).reshape(-1, *after), f"{node.inputs[1]}/{name}")
        result = lower.binary(code, result, constant)
    lower.place(node.outputs[0], result, placed.layout)
