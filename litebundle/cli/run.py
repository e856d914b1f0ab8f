"""`litebundle run`: a bundle's result for one photo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from litebundle.cli.output import emit, json_option


@dataclass(frozen=True)
class RunDocument:
    """What `litebundle run --json` prints; times in milliseconds on this host."""

    bundle: str
    image: str
    items: tuple[dict[str, Any], ...]
    stage_ms: dict[str, float]
    glue_ms: float
    total_ms: float


@click.command("run")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--threads", default=1, show_default=True, type=click.IntRange(min=1), help="Threads of each model.")
@json_option
def command(bundle: Path, image: Path, threads: int, as_json: bool) -> None:
    """Run BUNDLE on IMAGE: the result on stdout, times per stage on stderr."""
    from litebundle.bundle import Bundle
    from litebundle.run import read_image

    photo = read_image(image)
    with Bundle.open(bundle, threads=threads) as opened:
        result = opened.run(photo)
    document = RunDocument(
        str(bundle),
        str(image),
        tuple(dict(item) for item in result.items),
        dict(result.stage_ms),
        result.glue_ms,
        result.total_ms,
    )

    def show() -> None:
        if not document.items:
            click.echo("nothing found on this photo", err=True)
        for item in document.items:
            click.echo(_line(item))
        times = [*document.stage_ms.items(), ("glue", document.glue_ms), ("total", document.total_ms)]
        click.echo(", ".join(f"{name} {ms:.1f} ms" for name, ms in times), err=True)

    emit(document, as_json, show)


def _line(item: dict[str, Any]) -> str:
    """The text or label if there is one, else all fields."""
    for name in ("text", "label"):
        if name in item:
            return str(item[name])
    return ", ".join(f"{name} {value}" for name, value in item.items())
