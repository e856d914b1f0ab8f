"""What a bundle tells besides its manifest, typed; each file of it may be missing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from converter import Parity
from litebundle.build.cascade_report import CascadeReport
from litebundle.build.verdict import Verdict as Judgement
from litebundle.bundle import Bundle
from litebundle.errors import LitebundleError
from litebundle.validation import first_fault
from quantize import Drift
from quantize.bias import BiasRepair
from quantize.preflight import PreflightRow

PREFLIGHT = "preflight.json"
PICTURES = "report/pictures.json"

T = TypeVar("T")


@dataclass(frozen=True)
class StagePreflight:
    """What was done to each operator of a stage; the size of its float model is None where it is not told."""

    rows: tuple[PreflightRow, ...]
    islands: int
    warnings: tuple[str, ...] = ()
    bias_repairs: tuple[BiasRepair, ...] = ()
    float_size_bytes: int | None = None


@dataclass(frozen=True)
class PictureEntry:
    """The small picture of a sample; `width` and `height` are its photo's, in pixels."""

    file: str
    width: int
    height: int


@dataclass(frozen=True)
class Documents:
    """By stage in the pipeline's order, `pictures` by sample; empty or None where the bundle has no such file."""

    cascade: CascadeReport | None
    drifts: Mapping[str, Drift]
    parities: Mapping[str, Parity]
    preflights: Mapping[str, StagePreflight]
    judgements: tuple[Judgement, ...]
    pictures: Mapping[str, PictureEntry]


def read_documents(bundle: Bundle) -> Documents:
    """Raises:
    LitebundleError: A file is there and is not what its name says.
    """
    drift = _json(bundle, "drift.json") or {}
    order = [stage.name for stage in bundle.stages]
    # Per-sample scores are no part of a bundle.
    cascade = {**drift["cascade"], "records": ()} if drift.get("cascade") else None
    return Documents(
        cascade=_typed(bundle, "drift.json", CascadeReport, cascade) if cascade else None,
        drifts=_ordered(order, _typed(bundle, "drift.json", dict[str, Drift], drift.get("stages", {}))),
        parities=_ordered(order, _typed(bundle, "drift.json", dict[str, Parity], drift.get("parity", {}))),
        preflights=_ordered(
            order, _typed(bundle, PREFLIGHT, dict[str, StagePreflight], _json(bundle, PREFLIGHT) or {})
        ),
        judgements=_typed(bundle, "budgets.json", tuple[Judgement, ...], _json(bundle, "budgets.json") or ()),
        pictures=_typed(bundle, PICTURES, dict[str, PictureEntry], _json(bundle, PICTURES) or {}),
    )


def _ordered(stages: list[str], found: Mapping[str, T]) -> Mapping[str, T]:
    return {name: found[name] for name in stages if name in found}


def _json(bundle: Bundle, name: str) -> Any:
    if name not in bundle.names:
        return None
    try:
        return json.loads(bytes(bundle.read(name)))
    except ValueError as error:
        raise LitebundleError(f"{bundle.path}: file {name!r} is not JSON ({error}); build the bundle again") from error


def _typed(bundle: Bundle, name: str, kind: type[T], document: Any) -> T:
    try:
        return TypeAdapter(kind).validate_python(document)
    except ValidationError as error:
        raise LitebundleError(
            f"{bundle.path}: file {name!r} at {first_fault(error)}; build the bundle again"
        ) from error
