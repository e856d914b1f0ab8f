"""The page as a whole."""

from __future__ import annotations

from typing import Any

from litebundle.build.verdict import MIN_SAMPLES
from litebundle.bundle import Bundle
from litebundle.report.cascade import panels
from litebundle.report.documents import Documents, read_documents
from litebundle.report.environment import environment
from litebundle.report.operators import stage_operators
from litebundle.report.stages import latencies, sizes
from litebundle.report.tensors import stage_tensors
from litebundle.report.verdicts import headline
from litebundle.report.worst import cards

MAX_BYTES = 1_950_000
PICTURE_BYTES = 1_200_000


def render(bundle: Bundle, measurements: dict[str, Any] | None) -> str:
    """The report as HTML: no script, nothing loaded from anywhere, below 2 MB; equal arguments give equal text.

    Args:
        bundle: An open bundle. Sections whose files it lacks say so.
        measurements: What a host measured of it, as `measurements_beside` gives it; None where there is nothing.

    Raises:
        LitebundleError: A file of the bundle is not what its name says, or jinja2 is not installed.
    """
    documents = read_documents(bundle)
    html = _page(bundle, measurements, documents, PICTURE_BYTES)
    excess = len(html.encode()) - MAX_BYTES
    return html if excess <= 0 else _page(bundle, measurements, documents, max(0, PICTURE_BYTES - excess))


def _page(bundle: Bundle, measurements: dict[str, Any] | None, documents: Documents, picture_bytes: int) -> str:
    cascade = documents.cascade
    return (
        environment()
        .get_template("page.html")
        .render(
            manifest=bundle.manifest,
            bundle_bytes=bundle.size_bytes,
            headline=headline(bundle, documents, measurements),
            sizes=sizes(bundle.manifest, documents.preflights),
            latencies=latencies(measurements),
            cascade=cascade,
            panels=panels(cascade, bundle.manifest.verdicts) if cascade else (),
            tensors=stage_tensors(documents.drifts, cascade),
            cards=cards(cascade.worst, documents.pictures, bundle, picture_bytes) if cascade else (),
            operators=stage_operators(documents.preflights),
            parities=documents.parities,
            min_samples=MIN_SAMPLES,
        )
    )
