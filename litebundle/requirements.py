"""What the service asked of a bundle and whether each requirement holds, as far as it is known where one asks.

Accuracy was judged when the bundle was built, and its verdicts are inside. Size is the file's. What a clock
measures is not in the bundle: it comes from the `.measurements.json` beside it, or is not measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from litebundle.bundle.manifest import Manifest, Verdict
from litebundle.documents import plain
from litebundle.errors import LitebundleError

ON_THE_PHONE = "capture_to_display_p90_ms"


@dataclass(frozen=True)
class _Rule:
    """How one requirement is judged: which measurement, in which unit, on which side of the limit it must be."""

    measurement: str
    unit: str
    bound: Literal["at most", "at least"] = "at most"


RULES: Mapping[str, _Rule] = {
    "bundle_mb": _Rule("bundle_mb", "MB"),
    "memory_mb": _Rule("memory_mb", "MB"),
    "offline_latency_p90_ms": _Rule("offline_latency_p90_ms", "ms"),
    "qps": _Rule("qps", "/s", "at least"),
    ON_THE_PHONE: _Rule(ON_THE_PHONE, "ms"),
}


def measurements_beside(bundle: Path) -> dict[str, Any] | None:
    """What was measured on the host that built this very bundle, if its file still lies beside it.

    Raises:
        LitebundleError: There is a file of that name which no build wrote.
    """
    from litebundle.build.measure import Measurements
    from litebundle.files import digest_file

    path = bundle.with_suffix(".measurements.json")
    try:
        document = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        measured = TypeAdapter(Measurements).validate_json(document)
    except ValidationError as error:
        raise LitebundleError(
            f"{path}: not the measurements of a build ({error.error_count()} keys are missing or wrong); "
            "remove it, or build again"
        ) from error
    same = bundle.is_file() and digest_file(bundle) == measured.bundle_sha256
    return dict(plain(measured)) if same else None


def hold(manifest: Manifest, bundle_bytes: int, measured: Mapping[str, Any] | None) -> tuple[Verdict, ...]:
    """All verdicts: those inside the manifest, then one per further requirement.

    Args:
        manifest: The bundle's.
        bundle_bytes: Size of its file.
        measured: `measurements_beside`; None where there are none.
    """
    known = {"bundle_mb": bundle_bytes / 1e6, **((measured or {}).get("figures", {}))}
    asked = {name: limit for name, limit in manifest.requirements.items() if name in RULES}
    return (*manifest.verdicts, *(_judge(name, float(str(limit)), known) for name, limit in asked.items()))


def fell_short(verdicts: tuple[Verdict, ...]) -> bool:
    """Whether one of them failed or could not be shown; what only a phone can measure does not count here."""
    return any(verdict.verdict in ("fail", "not_enough_samples") for verdict in verdicts)


def _judge(name: str, limit: float, known: Mapping[str, float]) -> Verdict:
    rule = RULES[name]
    value = known.get(rule.measurement)
    if value is None:
        return Verdict(requirement=name, unit=rule.unit, limit=limit, verdict="not_measured")
    held = value <= limit if rule.bound == "at most" else value >= limit
    return Verdict(requirement=name, unit=rule.unit, limit=limit, measured=value, verdict="pass" if held else "fail")
