"""`litebundle convert`: one ONNX model to a float TFLite model, proven equal."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from litebundle.cli.output import emit, json_option, print_table, refuse_to_replace
from litebundle.files import write_atomically


@dataclass(frozen=True)
class TensorRow:
    """An input or output: its ONNX name and what it is in the TFLite model."""

    onnx_name: str
    tflite_name: str
    shape: tuple[int, ...]
    dtype: str
    layout: str


@dataclass(frozen=True)
class ConvertDocument:
    """What `litebundle convert --json` prints."""

    output: str
    size_bytes: int
    inputs: tuple[TensorRow, ...]
    outputs: tuple[TensorRow, ...]
    parity_max_abs: float
    parity_max_rel: float
    parity_worst_tensor: str
    parity_tolerance: float
    parity_samples: int


@click.command("convert")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The .tflite file to write.")
@click.option("--shape", "shapes", multiple=True, metavar="NAME=1,3,224,224", help="Fix the shape of an input.")
@click.option(
    "--layout",
    "layouts",
    multiple=True,
    metavar="NAME=NHWC",
    help="Axes of an input or output in the result.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0, min_open=True),
    default=1e-4,
    show_default=True,
    help="Largest parity error, relative to the output's scale.",
)
@json_option
def command(
    model: Path,
    output: Path,
    shapes: tuple[str, ...],
    layouts: tuple[str, ...],
    tolerance: float,
    as_json: bool,
) -> None:
    """Convert MODEL (ONNX) to TFLite and prove the two equal on the same inputs."""
    from converter import convert_onnx

    refuse_to_replace(model, output)
    conversion = convert_onnx(
        model,
        shapes={name: _sides(name, text) for name, text in map(_pair, shapes)},
        layouts=dict(map(_pair, layouts)),
        tolerance=tolerance,
    )
    write_atomically(output, conversion.tflite)
    parity = conversion.parity
    assert parity is not None
    document = ConvertDocument(
        str(output),
        len(conversion.tflite),
        tuple(TensorRow(t.onnx_name, t.tflite_name, t.shape, t.dtype, t.layout) for t in conversion.inputs),
        tuple(TensorRow(t.onnx_name, t.tflite_name, t.shape, t.dtype, t.layout) for t in conversion.outputs),
        parity.max_abs,
        parity.max_rel,
        parity.worst_tensor,
        parity.tolerance,
        parity.samples,
    )

    def show() -> None:
        rows = [
            (
                side,
                tensor.onnx_name,
                "x".join(map(str, tensor.shape)) or "scalar",
                tensor.dtype,
                tensor.layout or "as in the source",
            )
            for side, tensors in (("input", document.inputs), ("output", document.outputs))
            for tensor in tensors
        ]
        print_table(f"{output} ({document.size_bytes:,} bytes)", ("", "tensor", "shape", "type", "axes"), rows)
        click.echo(
            f"parity on {parity.samples} samples: max abs {parity.max_abs:.3g}, relative {parity.max_rel:.3g} "
            f"of at most {parity.tolerance:.3g}\nworst tensor {parity.worst_tensor}"
        )

    emit(document, as_json, show)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.rpartition("=")
    if not (name and equals and value):
        raise click.UsageError(f"{text!r} is not NAME=VALUE; write for example image=1,3,224,224")
    return name, value


def _sides(name: str, text: str) -> tuple[int, ...]:
    try:
        sides = tuple(int(side) for side in text.split(","))
    except ValueError:
        sides = ()
    if not sides or min(sides) < 1:
        raise click.UsageError(
            f"shape {name}={text}: whole numbers of at least 1 are needed, for example {name}=1,3,224,224"
        )
    return sides
