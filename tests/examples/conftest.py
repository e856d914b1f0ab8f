"""The examples' packages are imported as a pipeline's worker does: with the example's folder on the path."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "formula_scan"))
