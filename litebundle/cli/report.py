"""`litebundle report`: what quantizing a bundle's pipeline cost, as one HTML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from litebundle.cli import FELL_SHORT, HELD
from litebundle.cli.output import emit, json_option, refuse_to_replace


@dataclass(frozen=True)
class ReportDocument:
    """What `litebundle report --json` prints; `held` as in `litebundle build --json`."""

    bundle: str
    report: str
    size_bytes: int
    held: bool


@click.command("report")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write.  [default: BUNDLE's, .html]")
@json_option
def command(bundle: Path, output: Path | None, as_json: bool) -> int:
    """Write the report on BUNDLE: one HTML file that needs nothing else, and no network.

    Times are shown where the .measurements.json that the build wrote still lies beside the bundle.
    Exit code 1: the report is written, and a requirement or budget fell short.
    """
    from litebundle.bundle import Bundle
    from litebundle.files import write_atomically
    from litebundle.report import render
    from litebundle.requirements import fell_short, hold, measurements_beside

    target = output or bundle.with_suffix(".html")
    refuse_to_replace(bundle, target)
    measured = measurements_beside(bundle)
    with Bundle.open(bundle) as opened:
        html = render(opened, measured).encode()
        held = not fell_short(hold(opened.manifest, opened.size_bytes, measured))
    write_atomically(target, html)
    document = ReportDocument(str(bundle), str(target), len(html), held)
    emit(document, as_json, lambda: click.echo(f"report  {document.report}"))
    return HELD if held else FELL_SHORT
