"""Before anything is imported: onnxruntime reports to its vendor unless told not to."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
