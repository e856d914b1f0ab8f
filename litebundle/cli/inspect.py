"""`litebundle inspect`: what a bundle holds and whether its requirements hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from litebundle.cli import FELL_SHORT, HELD
from litebundle.cli.output import emit, json_option, print_table
from litebundle.cli.verdicts import print_verdicts

if TYPE_CHECKING:
    from litebundle.bundle import Identity, Manifest, Verdict
    from litebundle.bundle.manifest import Stage, TensorInfo


@dataclass(frozen=True)
class GraphPart:
    """The operations of one stage, in the order in which they run; `each`: once per item found so far."""

    stage: str | None
    operations: tuple[str, ...]
    each: bool


@dataclass(frozen=True)
class InspectDocument:
    """What `litebundle inspect --json` prints; identity, stages and verdicts as in the bundle's manifest.

    `verdicts` also has those that the bundle cannot hold, from the file of measurements beside it; `results` are
    the fields of every item that a run finds; `golden_vectors` counts those of the stages and those end to end.
    """

    bundle: str
    size_bytes: int
    format_version: str
    identity: Identity
    stages: tuple[Stage, ...]
    graph: tuple[GraphPart, ...]
    results: tuple[str, ...]
    golden_vectors: int
    requirements: Mapping[str, Any]
    verdicts: tuple[Verdict, ...]
    held: bool


@click.command("inspect")
@click.argument("bundle", type=click.Path(path_type=Path))
@json_option
def command(bundle: Path, as_json: bool) -> int:
    """Show what BUNDLE holds: stages, tensors, sizes, precision, requirements and whether each holds.

    Times are judged where the .measurements.json that the build wrote still lies beside the bundle.
    Exit code 1: a requirement or budget fell short.
    """
    from litebundle.bundle import Bundle
    from litebundle.requirements import fell_short, hold, measurements_beside

    with Bundle.open(bundle) as opened:
        manifest, size_bytes = opened.manifest, opened.size_bytes
    verdicts = hold(manifest, size_bytes, measurements_beside(bundle))
    golden = manifest.golden
    document = InspectDocument(
        bundle=str(bundle),
        size_bytes=size_bytes,
        format_version=manifest.format_version,
        identity=manifest.identity,
        stages=manifest.stages,
        graph=tuple(_graph_parts(manifest)),
        results=tuple(result.field for result in manifest.graph.results),
        golden_vectors=sum(len(stage.vectors) for stage in golden.stages) + len(golden.pipeline.vectors),
        requirements=manifest.requirements,
        verdicts=verdicts,
        held=not fell_short(verdicts),
    )
    emit(document, as_json, lambda: _show(document))
    return HELD if document.held else FELL_SHORT


def _graph_parts(manifest: Manifest) -> Iterator[GraphPart]:
    """Neighbouring nodes of one stage that run equally often."""
    parts: list[GraphPart] = []
    for node in manifest.graph.nodes:
        if parts and (parts[-1].stage, parts[-1].each) == (node.stage, node.each):
            before = parts.pop().operations
        else:
            before = ()
        parts.append(GraphPart(node.stage, (*before, node.op), node.each))
    yield from parts


def _show(document: InspectDocument) -> None:
    identity = document.identity
    click.echo(f"{identity.name} {identity.version}: {identity.summary}")
    click.echo(
        f"{document.bundle}, {document.size_bytes:,} bytes, format {document.format_version}, {identity.licence}"
    )
    click.echo(
        f"{document.golden_vectors} golden vectors, made with litebundle {identity.tools.get('litebundle', '?')}\n"
    )
    print_table(
        "stages",
        ("stage", "precision", "bytes", "runs on", "operations"),
        [
            (stage.name, stage.precision, f"{stage.size_bytes:,}", _accelerators(stage), _operations(document, stage))
            for stage in document.stages
        ],
    )
    print_table(
        "tensors",
        ("stage", "", "tensor", "type", "shape", "axes", "scale", "zero point"),
        [
            (stage.name, side, *_tensor(tensor))
            for stage in document.stages
            for side, tensors in (("in", stage.inputs), ("out", stage.outputs))
            for tensor in tensors
        ],
    )
    print_verdicts(document.verdicts)
    click.echo(f"a run gives items of: {', '.join(document.results)}")
    click.echo("held" if document.held else "fell short: see the verdicts above")


def _accelerators(stage: Stage) -> str:
    order, policy = stage.accelerators.order, stage.accelerators.policy
    return " > ".join(order if policy == "strict" or "cpu" in order else (*order, "cpu"))


def _operations(document: InspectDocument, stage: Stage) -> str:
    parts = [part for part in document.graph if part.stage == stage.name]
    return ", ".join(
        f"each item: {' > '.join(part.operations)}" if part.each else " > ".join(part.operations) for part in parts
    )


def _tensor(tensor: TensorInfo) -> tuple[str, ...]:
    return (
        tensor.name,
        tensor.dtype,
        "x".join(map(str, tensor.shape)) or "scalar",
        tensor.layout,
        "" if tensor.scale is None else f"{tensor.scale:.6g}",
        "" if tensor.zero_point is None else str(tensor.zero_point),
    )
