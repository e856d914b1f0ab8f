"""The source model as onnxruntime runs it; the only module that imports onnxruntime."""

from __future__ import annotations

import os

import onnx

from converter.errors import ConversionError
from converter.parity_inputs import Array, Feed

# Since 1.29 onnxruntime reports to its vendor unless told not to before it is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime


class OnnxSession:
    """An ONNX model, one thread; raises ConversionError where it cannot be loaded or run."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise ConversionError(f"onnxruntime cannot load the source model: {error}") from error
        self._names = [output.name for output in self._session.get_outputs()]

    def run(self, feed: Feed) -> dict[str, Array]:
        try:
            return dict(zip(self._names, self._session.run(None, dict(feed)), strict=True))
        except Exception as error:
            raise ConversionError(f"onnxruntime cannot run the source model: {error}") from error
