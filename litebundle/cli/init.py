"""`litebundle init`: a new project."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

import click

from litebundle.cli.output import emit, json_option


@dataclass(frozen=True)
class InitDocument:
    """What `litebundle init --json` prints: the files written, and the commands that lead on from here."""

    project: str
    files: tuple[str, ...]
    next: tuple[str, ...]


@click.command("init")
@click.argument("project", type=click.Path(path_type=Path))
@json_option
def command(project: Path, as_json: bool) -> None:
    """Write PROJECT, a new folder: a commented pipeline.toml, a stub stage, an empty data set with its manifest."""
    from litebundle.init import create

    files = create(project)
    folder = project.absolute()
    document = InitDocument(
        str(project),
        tuple(file.relative_to(folder).as_posix() for file in files),
        (
            shlex.join(["litebundle", "data", "check", str(project / "data")]),
            shlex.join(["litebundle", "build", str(project)]),
        ),
    )

    def show() -> None:
        for file in document.files:
            click.echo(str(project / file))
        click.echo(f"\nPut pictures into {project / 'data'}, then:")
        for line in document.next:
            click.echo(f"  {line}")

    emit(document, as_json, show)
