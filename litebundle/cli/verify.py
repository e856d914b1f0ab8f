"""`litebundle verify`: integrity and golden vectors on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from litebundle.cli import FELL_SHORT, HELD
from litebundle.cli.output import emit, json_option, print_table


@dataclass(frozen=True)
class VectorRow:
    """One golden vector, of a stage or end to end: how far this machine's values are off, by tensor or field.

    `fault` says what differs, empty if nothing does.
    """

    name: str
    passed: bool
    max_abs: Mapping[str, float]
    tolerance: Mapping[str, float]
    fault: str


@dataclass(frozen=True)
class VerifyDocument:
    """What `litebundle verify --json` prints; a damaged bundle is an error instead."""

    bundle: str
    files: int
    passed: bool
    vectors: tuple[VectorRow, ...]


@click.command("verify")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--threads", default=1, show_default=True, type=click.IntRange(min=1), help="Threads of each model.")
@json_option
def command(bundle: Path, threads: int, as_json: bool) -> int:
    """Check every byte of BUNDLE against its digests, then run its golden vectors on this machine.

    Exit code 1: a golden vector misses its tolerance; 2: the bundle is damaged.
    """
    from litebundle.bundle import Bundle

    with Bundle.open(bundle, threads=threads) as opened:
        files, verification = len(opened.names), opened.verify()
    document = VerifyDocument(
        str(bundle),
        files,
        verification.passed,
        tuple(VectorRow(v.name, v.passed, v.max_abs, v.tolerance, v.fault) for v in verification.vectors),
    )

    def show() -> None:
        rows = [
            (vector.name, name, error, vector.tolerance.get(name, 0.0), "pass" if vector.passed else "fail")
            for vector in document.vectors
            for name, error in vector.max_abs.items()
        ]
        if rows:
            columns = ("golden vector", "output", "max abs", "allowed", "verdict")
            print_table(f"{bundle} on this machine", columns, rows)
        for fault in verification.faults:
            click.echo(f"fell short: {fault}", err=True)
        held = sum(vector.passed for vector in document.vectors)
        click.echo(f"{files} files are whole, {held} of {len(document.vectors)} golden vectors pass")

    emit(document, as_json, show)
    return HELD if document.passed else FELL_SHORT
