"""`litebundle data`: a data set against its wish list."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from litebundle.cli import BAD_INPUT, FELL_SHORT, HELD
from litebundle.cli.output import emit, json_option, print_table

if TYPE_CHECKING:
    from litebundle.data import DataReport, Finding
    from litebundle.data.report import UnlistedFile


@dataclass(frozen=True)
class KindRow:
    """Samples of a kind in a part of the data set."""

    kind: str
    part: str
    wanted: int
    present: int
    missing: int


@dataclass(frozen=True)
class DataCheckDocument:
    """What `litebundle data check --json` prints; docs/data.md explains the rules of its findings.

    `entries_to_add` is TOML for the manifest: one [[sample]] for each unlisted file, its answer left to write.
    """

    format_version: int
    folder: str
    manifest: str
    name: str
    ok: bool
    missing: int
    kinds: tuple[KindRow, ...]
    findings: tuple[Finding, ...]
    unlisted: tuple[UnlistedFile, ...]
    entries_to_add: str


@click.group("data")
def command() -> None:
    """Work on a data set of pictures."""


@command.command("check", short_help="Compare a data set with the kinds it wishes for.")
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
def check(folder: Path, as_json: bool) -> int:
    """Compare FOLDER (with its manifest.toml) with the kinds it wishes for.

    Exit code 0: all is there; 1: samples are missing; 2: a rule is broken.
    """
    from litebundle.data import check_dataset

    report = check_dataset(folder)
    document = DataCheckDocument(
        1,
        str(folder),
        str(folder / "manifest.toml"),
        report.name,
        report.ok,
        report.missing,
        tuple(KindRow(c.kind, c.part, c.wanted, c.present, c.missing) for c in report.kinds),
        report.findings,
        report.unlisted,
        report.entries_to_add(),
    )

    def show() -> None:
        rows = [(row.kind, row.part, row.wanted, row.present, row.missing or "") for row in document.kinds]
        print_table(f"{report.name}: kinds wanted and present", ("kind", "part", "wanted", "present", "missing"), rows)
        for finding in document.findings:
            click.echo(f"{finding.level}: {finding.message}")
        if document.entries_to_add:
            click.echo(f"\nTo add to {document.manifest}, with an answer each:\n\n{document.entries_to_add}")
        click.echo(_sum_up(report))

    emit(document, as_json, show)
    return _exit_code(report)


def _exit_code(report: DataReport) -> int:
    """A part without samples falls short of the wish, as missing ones do; every other error is a broken rule."""
    if any(finding.rule != "empty" for finding in report.errors):
        return BAD_INPUT
    return HELD if report.ok else FELL_SHORT


def _sum_up(report: DataReport) -> str:
    if report.ok:
        return "all that is wanted is there"
    counts = {"missing sample": report.missing, "error": len(report.errors)}
    return "fell short: " + ", ".join(f"{n} {name}{'s' if n > 1 else ''}" for name, n in counts.items() if n)
