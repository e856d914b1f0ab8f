"""The files under tests/vectors/glue; their format is described in docs/glue.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parents[2] / "vectors" / "glue"

_INLINE_ENTRIES = 128
_NAMES_OF_NONFINITE = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}


@dataclass(frozen=True)
class Vector:
    """One use of an operation. `outputs` is None where the operation must refuse."""

    op: str
    case: str
    note: str
    attributes: Mapping[str, Any]
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any] | None
    tolerance: Mapping[str, float] = field(default_factory=dict)

    def files(self) -> dict[str, bytes]:
        """File name below FOLDER -> content."""
        binaries: dict[str, bytes] = {}
        document: dict[str, Any] = {"op": self.op, "case": self.case, "note": self.note}
        document["attributes"] = self.attributes
        document["inputs"] = {
            name: self._encode(f"{self.case}.{name}", value, binaries) for name, value in self.inputs.items()
        }
        if self.outputs is None:
            document["refused"] = True
        else:
            document["outputs"] = {
                name: self._encode(f"{self.case}.{name}.out", value, binaries) for name, value in self.outputs.items()
            }
            document["tolerance"] = self.tolerance
        text = json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False) + "\n"
        return {f"{self.op}/{self.case}.json": text.encode()} | binaries

    def _encode(self, name: str, value: Any, binaries: dict[str, bytes]) -> Any:
        if isinstance(value, list):
            return [self._encode(f"{name}.{index}", item, binaries) for index, item in enumerate(value)]
        if not isinstance(value, np.ndarray):
            return value
        head: dict[str, Any] = {"dtype": value.dtype.name, "shape": list(value.shape)}
        if value.size <= _INLINE_ENTRIES:
            return head | {"data": [_number(entry) for entry in value.ravel().tolist()]}
        binaries[f"{self.op}/{name}.bin"] = value.astype(value.dtype.newbyteorder("<")).tobytes()
        return head | {"file": f"{name}.bin"}


def _number(entry: float) -> float | str:
    if np.isfinite(entry):
        return entry
    return next(name for name, value in _NAMES_OF_NONFINITE.items() if str(value) == str(entry))


def read_vector(path: Path) -> Vector:
    document = json.loads(path.read_text("utf-8"))

    def decode(value: Any) -> Any:
        if isinstance(value, list):
            return [decode(item) for item in value]
        if not isinstance(value, dict):
            return value
        dtype = np.dtype(value["dtype"]).newbyteorder("<")
        if "file" in value:
            flat = np.frombuffer((path.parent / value["file"]).read_bytes(), dtype)
        else:
            flat = np.array([_NAMES_OF_NONFINITE.get(entry, entry) for entry in value["data"]], dtype)
        return flat.reshape(value["shape"]).astype(value["dtype"])

    outputs = None if document.get("refused") else {k: decode(v) for k, v in document["outputs"].items()}
    return Vector(
        document["op"],
        document["case"],
        document["note"],
        document["attributes"],
        {name: decode(value) for name, value in document["inputs"].items()},
        outputs,
        document.get("tolerance", {}),
    )
