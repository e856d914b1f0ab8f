"""Before anything is imported: what a test run must not inherit from where it was started."""

import os
import signal

# onnxruntime reports to its vendor unless told not to.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# A shell's background jobs ignore Ctrl-C, and so would every process that a test starts in order to interrupt it.
signal.signal(signal.SIGINT, signal.default_int_handler)
