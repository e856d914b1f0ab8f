"""`litebundle quantize`: one float TFLite model to a quantized one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from litebundle.cli.output import emit, json_option, print_table, refuse_to_replace
from litebundle.errors import LitebundleError
from litebundle.files import write_atomically

if TYPE_CHECKING:
    from quantize import PreflightRow, Ranges

SCHEMES = ("none", "fp16", "int8_weights", "int8_dynamic", "int8")
IO_TYPES = ("float32", "int8", "uint8")


@dataclass(frozen=True)
class QuantizeDocument:
    """What `litebundle quantize --json` prints."""

    output: str
    scheme: str
    size_bytes: int
    float_size_bytes: int
    preflight: tuple[PreflightRow, ...]
    float_islands: int
    bias_repairs: int


@click.command("quantize")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The .tflite file to write.")
@click.option("--scheme", type=click.Choice(SCHEMES), default="int8", show_default=True)
@click.option(
    "--calibrate",
    "samples",
    type=click.Path(path_type=Path),
    help="An .npz or a folder of .npy, one array per input, samples first; int8 needs it.",
)
@click.option("--method", type=click.Choice(["minmax", "percentile"]), default="minmax", show_default=True)
@click.option(
    "--percentile",
    type=click.FloatRange(50, 100, min_open=True),
    default=99.99,
    show_default=True,
    help="What --method percentile keeps.",
)
@click.option("--input-type", type=click.Choice(IO_TYPES), default="float32", show_default=True)
@click.option("--output-type", type=click.Choice(IO_TYPES), default="float32", show_default=True)
@click.option("--full-integer", is_flag=True, help="Refuse a model in which an operator would stay float.")
@json_option
def command(
    model: Path,
    output: Path,
    scheme: str,
    samples: Path | None,
    method: str,
    percentile: float,
    input_type: str,
    output_type: str,
    full_integer: bool,
    as_json: bool,
) -> None:
    """Quantize MODEL (a float .tflite)."""
    from litebundle.run import LiteRTModel
    from quantize import Io, quantize

    refuse_to_replace(model, output)
    data = model.read_bytes()
    loaded = LiteRTModel.from_buffer(data, name=str(model))
    ranges = _ranges(data, samples, method, percentile) if scheme == "int8" else None
    quantized = quantize(
        data,
        scheme=scheme,
        ranges=ranges,
        inputs={t.name: Io(input_type) for t in loaded.inputs if t.dtype == "float32"},
        outputs={t.name: Io(output_type) for t in loaded.outputs if t.dtype == "float32"},
        full_integer=full_integer,
    )
    write_atomically(output, quantized.tflite)
    document = QuantizeDocument(
        str(output),
        scheme,
        len(quantized.tflite),
        len(data),
        tuple(quantized.preflight.rows),
        quantized.preflight.islands,
        len(quantized.bias_repairs),
    )

    def show() -> None:
        rows = [(row.index, row.op, row.name, row.verdict, row.reason) for row in document.preflight]
        print_table(f"{model} under {scheme}", ("#", "operator", "output", "becomes", "why"), rows)
        click.echo(f"{document.float_islands} float islands, {document.bias_repairs} bias overflows repaired")
        size = f"{document.size_bytes:,} bytes, {document.size_bytes / document.float_size_bytes:.0%} of float"
        click.echo(f"{output}: {size}")

    emit(document, as_json, show)


def _ranges(model: bytes, samples: Path | None, method: str, percentile: float) -> Ranges:
    from litebundle.build.progress import default_progress
    from quantize import calibrate, load_samples

    if samples is None:
        raise LitebundleError("scheme int8 needs ranges: give samples with --calibrate, or use --scheme int8_weights")
    loaded = load_samples(samples, model)
    with default_progress().step("calibrate", len(loaded)) as advance:
        return calibrate(model, loaded, method=method, percentile=percentile, progress=lambda _done: advance(1))
