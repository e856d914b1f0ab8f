"""A bundle with everything a report can show: real models and pictures, documents made up but consistent."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from converter import Parity
from converter.conversion import OutputParity
from litebundle.build.cascade_report import CascadeReport, Comparison, KindCount, StageDrift, WorstSample
from litebundle.build.verdict import Verdict as Judgement
from litebundle.bundle import Bundle, Identity, Manifest, Verdict, describe_stage, write_bundle
from litebundle.documents import plain
from litebundle.report import render
from quantize.drift.result import Drift, TensorDrift
from quantize.preflight import PreflightRow

VOID = {"br", "hr", "img", "input", "link", "meta"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    data: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.data)

    def has(self, **attributes: object) -> bool:
        return all(self.attributes.get(name) == str(value) for name, value in attributes.items())


class Page(HTMLParser):
    """A page as the standard library's parser sees it; `text` is what a reader sees, white space folded."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.elements: list[Element] = []
        self.sections: dict[str, list[str]] = {"": []}
        self._open: list[Element] = []
        self.feed(html)
        self.close()
        assert not self._open, f"not closed: {[element.tag for element in self._open]}"

    @property
    def text(self) -> str:
        return self.section("")

    def section(self, name: str) -> str:
        return " ".join(" ".join(self.sections[name]).split())

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert len(dict(attributes)) == len(attributes), f"an attribute of {tag} is given twice"
        self.elements.append(Element(tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(self.elements[-1])

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"{tag} is closed but not open"
        assert self._open.pop().tag == tag, f"{tag} is closed out of turn"

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1].tag == "style":
            self._open[-1].data.append(data)
            return
        names = ["", *(element.attributes["id"] or "" for element in self._open if element.tag == "section")]
        for name in names:
            self.sections.setdefault(name, []).append(data)
        for element in self._open[-3:]:
            element.data.append(data)


KINDS = {"clean": 40, "shadow": 40, "형광펜": 6}
VARIANTS = ("float", "quantized", "locate", "colour", "number", "count")
METRICS = ("box_f1", "edit_distance")
HOSTILE = "<script>alert('x')</script>"
SAMPLE = "shadow/0007.png"


def comparison(metric: str, variant: str, kind: str) -> Comparison:
    """Figures that tell metric, variant and kind apart."""
    if metric == "edit_distance" and kind == "형광펜":
        return Comparison(metric, variant, kind, 0, 0, *[None] * 7)
    places = (METRICS.index(metric), VARIANTS.index(variant), [*KINDS, "all"].index(kind))
    step = sum(place * unit for place, unit in zip(places, (0.1, 0.01, 0.001), strict=True))
    samples = KINDS.get(kind, sum(KINDS.values()))
    base = 0.4 + places[0] * 0.1 + places[2] * 0.001
    if variant == "float":
        return Comparison(metric, variant, kind, samples, 0, base, base, base - 0.05, base + 0.05, 0.0, 0.0, 0.0)
    lost = 0.003 + step / 10
    score = base - lost if metric == "box_f1" else base + lost
    return Comparison(
        metric, variant, kind, samples, 3, base, score, score - 0.05, score + 0.05, lost, lost - 0.02, lost + 0.02
    )


def cascade_report() -> CascadeReport:
    kinds = [*KINDS, "all"]
    return CascadeReport(
        metrics=METRICS,
        variants=VARIANTS,
        kinds=tuple(KindCount(kind, count) for kind, count in KINDS.items()),
        comparisons=tuple(comparison(m, v, k) for m in METRICS for v in VARIANTS for k in kinds),
        stage_drift=(
            *(
                StageDrift("locate", "heatmap", kind, 40, 40, 31.5 + place, 0.99912, 0.037, SAMPLE)
                for place, kind in enumerate(kinds)
            ),
            StageDrift("colour", "scores", "clean", 0, 0, None, None, 0.0, None),
        ),
        worst=(
            WorstSample(
                metric="edit_distance",
                sample=SAMPLE,
                kind="shadow",
                drop=0.5,
                float_score=0.0,
                quantized_score=0.5,
                expected=(
                    {"box": [10.0, 20.0, 110.0, 60.0], "text": r"\frac{a}{b}+\alpha x"},
                    {"box": [300.0, 20.0, 340.0, 60.0], "ignore": True},
                ),
                float_items=({"box": [11.0, 20.0, 110.0, 61.0], "text": r"\frac{a}{b}+\alpha x", "score": -0.1},),
                quantized_items=(
                    {"box": [12.0, 21.0, 111.0, 60.0], "text": r"\frac{a}{6}+\alpha x", "score": -0.4},
                    {"box": [200.0, 200.0, 230.0, 230.0], "text": HOSTILE, "score": -2.0},
                ),
            ),
        ),
        records=(),
    )


def tensor(name: str, sqnr_db: float) -> TensorDrift:
    return TensorDrift(name, sqnr_db, 0.99876, 0.0421, 0.0037, 4, True)


DRIFTS = {
    "locate": Drift(
        outputs=(tensor("heatmap", 33.3), tensor("box", 41.7)),
        tensors=(tensor("conv_1", 38.5), tensor("conv_2", math.inf), tensor("conv_3", 27.9), tensor("dead", -math.inf)),
        unmatched=("pad_1",),
        samples=48,
    ),
    "count": Drift(outputs=(tensor("logits", math.inf),), tensors=(), unmatched=(), samples=48),
}
PARITIES = {
    "locate": Parity(2.3e-6, 1.7e-6, "box", 19, 1e-4, True, (OutputParity("box", 2.3e-6, 1.7e-6),)),
    "count": Parity(0.0, 0.0, "", 19, 1e-4, True, ()),
}
PREFLIGHT = {
    "locate": {
        "rows": plain(
            (
                PreflightRow(0, "CONV_2D", "conv_1", "int8", "integer arithmetic"),
                PreflightRow(1, "CONV_2D", "conv_2", "int8", "integer arithmetic"),
                PreflightRow(2, "LEAKY_RELU", "conv_3", "float", "the engine has no int8 form of LEAKY_RELU"),
            )
        ),
        "islands": 1,
        "warnings": ["CONCATENATION 'both' joins ranges 0…640 and 0…1"],
        "bias_repairs": [
            {"op": "CONV_2D", "name": "conv_2", "channel": 5, "bias": 1.5, "scale_before": 1e-9, "scale_after": 4e-9}
        ],
        "float_size_bytes": 4_321_000,
    },
}
JUDGEMENTS = (
    Judgement(
        "metric", None, "box_f1", 0.9, 0.413, 0.363, 0.463, 86, "fail",
        "box_f1 is 0.413 (95 % interval 0.363 to 0.463, 86 samples), at least 0.9 is asked;"
        " the whole interval breaks it",
        ("kind '형광펜' has 6 samples; below 20 its own figures are only a hint",),
    ),
    Judgement(
        "budget", "locate", "box_f1", 0.05, 0.0053, -0.0147, 0.0253, 86, "pass",
        "box_f1 drops by 0.0053 (95 % interval -0.0147 to 0.0253, 86 samples), at most 0.05 is asked;"
        " the whole interval holds it",
        (),
    ),
    Judgement(
        "budget", "count", "edit_distance", 0.02, 0.0183, -0.0017, 0.0383, 80, "not_enough_samples",
        "some other sentence; the estimate holds it, its interval does not: add samples", (),
    ),
)  # fmt: skip
MEASURED = {
    "machine": "Linux x86_64, 2 cores",
    "photos": 3,
    "total": {"p50_ms": 41.2, "p90_ms": 56.5, "max_ms": 61.9},
    "glue": {"p50_ms": 3.25, "p90_ms": 4.5, "max_ms": 4.75},
    "stages": {
        name: {"p50_ms": 9.5, "p90_ms": 12.5, "max_ms": 13.5} for name in ("locate", "colour", "number", "count")
    },
    "samples_ms": [41.2, 38.4, 61.9],
    "figures": {"offline_latency_p90_ms": 56.5, "qps": 23.4, "memory_mb": 212.0},
}


def verdict_of(judgement: Judgement) -> Verdict:
    shared = {name: getattr(judgement, name) for name in Verdict.model_fields if hasattr(judgement, name)}
    return Verdict.model_validate(shared)


def picture() -> bytes:
    """480 x 360: what a photo of 960 x 720 becomes."""
    pixels = np.linspace(0, 255, 480 * 360 * 3).reshape(360, 480, 3).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "WEBP")
    return stream.getvalue()


def documents() -> dict[str, bytes]:
    cascade = plain(cascade_report(), 6)
    del cascade["records"]
    drift = {"stages": plain(DRIFTS, 6), "parity": plain(PARITIES, 6), "cascade": cascade}
    index = {SAMPLE: {"file": "report/00.webp", "width": 960, "height": 720}}
    texts = {
        "drift.json": drift,
        "preflight.json": PREFLIGHT,
        "budgets.json": plain(JUDGEMENTS, 6),
        "report/pictures.json": index,
    }
    files = {name: json.dumps(document, ensure_ascii=False).encode() for name, document in texts.items()}
    return files | {"report/00.webp": picture()}


@dataclass(frozen=True)
class Told:
    """Everything that the full bundle tells, before it became JSON."""

    cascade: CascadeReport
    drifts: dict[str, Drift]
    parities: dict[str, Parity]
    preflight: dict[str, Any]
    judgements: tuple[Judgement, ...]
    measured: dict[str, Any]
    files: dict[str, bytes]
    verdicts: tuple[Verdict, ...]
    sample: str
    hostile: str


@pytest.fixture
def told() -> Told:
    verdicts = tuple(verdict_of(judgement) for judgement in JUDGEMENTS)
    report = cascade_report()
    return Told(report, DRIFTS, PARITIES, PREFLIGHT, JUDGEMENTS, MEASURED, documents(), verdicts, SAMPLE, HOSTILE)


@pytest.fixture
def make_bundle(app, tmp_path) -> Callable[..., Path]:
    """Writes the app as a bundle with the given documents beside its models."""

    def build(files: dict[str, bytes], verdicts: tuple[Verdict, ...] = (), **requirements: object) -> Path:
        stages = [describe_stage(i, name, data, "int8") for i, (name, data) in enumerate(app.models.items())]
        identity = Identity(
            name="colours", version="1.2.0", summary=f"색칠된 칸 & {HOSTILE}", licence="Apache-2.0",
            tools={"litebundle": "0.1.0"}, weights={"locate": "ab" * 32},
        )  # fmt: skip
        manifest = Manifest.model_validate(
            {
                "identity": identity,
                "stages": stages,
                "graph": app.graph.to_json(),
                "requirements": requirements,
                "verdicts": verdicts,
            },
            strict=False,
        )
        models = {stage.file: app.models[stage.name] for stage in stages}
        labels = {name: json.dumps(list(entries)).encode() for name, entries in app.labels.items()}
        path = tmp_path / "colours-1.2.0.litebundle"
        write_bundle(path, manifest, models | labels | files)
        return path

    return build


@pytest.fixture
def full_bundle(make_bundle) -> Path:
    verdicts = tuple(verdict_of(judgement) for judgement in JUDGEMENTS)
    return make_bundle(
        documents(),
        verdicts,
        serving="mobile",
        bundle_mb=8.0,
        offline_latency_p90_ms=50.0,
        capture_to_display_p90_ms=150.0,
    )


@pytest.fixture
def rendered() -> Callable[..., Page]:
    """The report on the bundle at a path, parsed."""

    def build(path: Path, measured: dict[str, Any] | None = None) -> Page:
        with Bundle.open(path) as bundle:
            return Page(render(bundle, measured))

    return build


@pytest.fixture
def noisy_webp() -> bytes:
    """About 100 kB that do not compress."""
    pixels = np.random.default_rng(7).integers(0, 256, (360, 480, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "WEBP", quality=60)
    return stream.getvalue()
