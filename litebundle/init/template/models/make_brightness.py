"""Makes brightness.onnx, the stub model: is a picture dark or light? Run it with `python make_brightness.py`."""

from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper, save

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
STEEPNESS = 12.0


def weights() -> dict[str, np.ndarray]:
    """A 3x3 mean of the luma, its complement, and two edges; then light against dark."""
    mean = np.full((3, 3), 1 / 9, np.float32)
    edge = np.array([[-1, 0, 1]] * 3, np.float32) / 3
    kernels = np.stack([mean, -mean, edge, edge.T])
    return {
        "kernel": kernels[:, None] * LUMA[None, :, None, None],
        "bias": np.array([0, 1, 0, 0], np.float32),
        "classify": np.array([[-0.5, 0.5, 0, 0], [0.5, -0.5, 0, 0]], np.float32) * STEEPNESS,
        "offset": np.zeros(2, np.float32),
    }


def model() -> ModelProto:
    """image float32 [1, 3, 32, 32] in 0..1 -> scores float32 [1, 2], dark and light."""
    nodes = [
        helper.make_node("Conv", ["image", "kernel", "bias"], ["maps"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["maps"], ["positive"]),
        helper.make_node("GlobalAveragePool", ["positive"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["features"]),
        helper.make_node("Gemm", ["features", "classify", "offset"], ["scores"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "brightness",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 32, 32])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 2])],
        [numpy_helper.from_array(array, name) for name, array in weights().items()],
    )
    return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)])


if __name__ == "__main__":
    save(model(), Path(__file__).with_name("brightness.onnx"))
