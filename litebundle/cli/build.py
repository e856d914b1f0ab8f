"""`litebundle build`: the main job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from litebundle.cli import FELL_SHORT, HELD
from litebundle.cli.output import emit, json_option, print_table
from litebundle.cli.verdicts import print_verdicts

if TYPE_CHECKING:
    from litebundle.bundle import Verdict


@dataclass(frozen=True)
class BuiltStage:
    """A stage's model in the bundle, against the float model it was made from."""

    name: str
    scheme: str
    size_bytes: int
    float_size_bytes: int
    parity_max_rel: float
    float_islands: int


@dataclass(frozen=True)
class BuildDocument:
    """What `litebundle build --json` prints; verdicts as in the bundle's manifest, and those on this host.

    `unchanged`: nothing had to be done. `held`: no verdict is fail or not_enough_samples.
    """

    bundle: str
    report: str
    measurements: str
    unchanged: bool
    size_bytes: int
    held: bool
    verdicts: tuple[Verdict, ...]
    stages: tuple[BuiltStage, ...]


@click.command("build")
@click.argument("pipeline", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", default="dist", show_default=True, type=click.Path(path_type=Path), help="Folder of the results."
)
@json_option
def command(pipeline: Path, output: Path, as_json: bool) -> int:
    """Build PIPELINE (a folder with a pipeline.toml, or that file): convert, quantize, validate, pack.

    Exit code 1: everything is written, and a requirement or budget fell short.
    """
    from litebundle.build.builder import build
    from litebundle.build.progress import default_progress
    from litebundle.bundle import Verdict

    done = build(pipeline, output, default_progress())
    summary = done.summary
    document = BuildDocument(
        str(done.bundle),
        str(done.report),
        str(done.measurements),
        done.unchanged,
        summary["size_bytes"],
        summary["held"],
        tuple(Verdict.model_validate(verdict) for verdict in summary["verdicts"]),
        tuple(BuiltStage(**stage) for stage in summary["stages"]),
    )

    def show() -> None:
        rows = [
            (
                stage.name,
                stage.scheme,
                f"{stage.size_bytes:,}",
                f"{stage.size_bytes / stage.float_size_bytes:.0%}",
                f"{stage.parity_max_rel:.1e}",
                stage.float_islands,
            )
            for stage in document.stages
        ]
        print_table("stages", ("stage", "scheme", "bytes", "of float", "parity", "float islands"), rows)
        print_verdicts(document.verdicts)
        click.echo(
            f"bundle  {document.bundle} ({document.size_bytes / 1e6:.2f} MB{', unchanged' if done.unchanged else ''})"
        )
        click.echo(f"report  {document.report}")
        click.echo("held" if document.held else "fell short: see the verdicts above and the report")

    emit(document, as_json, show)
    return HELD if document.held else FELL_SHORT
