"""The JSON Schemas of what every verb prints with `--json`: `python -m litebundle.cli.schemas docs/cli` writes them."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

import litebundle.bundle
import litebundle.bundle.manifest
import litebundle.data
import litebundle.data.report
import litebundle.device.devices
import litebundle.device.gate
import quantize

# Schema -> module of `litebundle.cli`, and the document in it.
DOCUMENTS = {
    "build": ("build", "BuildDocument"),
    "convert": ("convert", "ConvertDocument"),
    "data-check": ("data", "DataCheckDocument"),
    "device-install": ("device", "DeviceInstallDocument"),
    "device-list": ("device", "DeviceListDocument"),
    "device-pull": ("device", "DevicePullDocument"),
    "device-push": ("device", "DevicePushDocument"),
    "device-record": ("device", "DeviceRecordDocument"),
    "device-report": ("device", "DeviceReportDocument"),
    "device-run": ("device", "DeviceRunDocument"),
    "error": ("output", "ErrorDocument"),
    "init": ("init", "InitDocument"),
    "inspect": ("inspect", "InspectDocument"),
    "quantize": ("quantize", "QuantizeDocument"),
    "report": ("report", "ReportDocument"),
    "run": ("run", "RunDocument"),
    "validate": ("validate", "ValidateDocument"),
    "verify": ("verify", "VerifyDocument"),
}
# What the verbs import for typing alone, so that `--help` stays light.
FOREIGN = {
    "Device": litebundle.device.devices.Device,
    "Drift": quantize.Drift,
    "Gate": litebundle.device.gate.Gate,
    "Finding": litebundle.data.Finding,
    "Identity": litebundle.bundle.Identity,
    "PreflightRow": quantize.PreflightRow,
    "Stage": litebundle.bundle.manifest.Stage,
    "UnlistedFile": litebundle.data.report.UnlistedFile,
    "Verdict": litebundle.bundle.Verdict,
}


class _Schema(GenerateJsonSchema):
    def float_schema(self, schema: core_schema.FloatSchema) -> dict[str, Any]:
        """JSON has no infinity: where a float may be infinite, it is then a string."""
        number = super().float_schema(schema)
        return number if schema.get("allow_inf_nan") is False else {"anyOf": [number, {"enum": ["inf", "-inf", "nan"]}]}


def schemas() -> Mapping[str, str]:
    """File name -> JSON Schema (draft 2020-12), as text."""
    return {f"{name}.schema.json": _schema(*where) for name, where in DOCUMENTS.items()}


def _schema(verb: str, document: str) -> str:
    module = importlib.import_module(f"litebundle.cli.{verb}")
    adapter: TypeAdapter[Any] = TypeAdapter(getattr(module, document), config=None)
    adapter.rebuild(force=True, _types_namespace={**vars(module), **FOREIGN})
    schema = {
        "$schema": GenerateJsonSchema.schema_dialect,
        **adapter.json_schema(mode="serialization", schema_generator=_Schema),
    }
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    for name, text in schemas().items():
        Path(sys.argv[1], name).write_text(text, encoding="utf-8")
