"""`litebundle validate`: the drift between a float model and its quantized form."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from litebundle.cli import FELL_SHORT, HELD
from litebundle.cli.output import emit, json_option, print_table

if TYPE_CHECKING:
    from quantize import Drift


@dataclass(frozen=True)
class ValidateDocument:
    """What `litebundle validate --json` prints."""

    reference: str
    quantized: str
    samples: int
    drift: Drift
    min_sqnr_db: float | None
    held: bool


@click.command("validate")
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("quantized", type=click.Path(path_type=Path))
@click.option(
    "--samples",
    required=True,
    type=click.Path(path_type=Path),
    help="An .npz or a folder of .npy, one array per input, samples first.",
)
@click.option("--tensor-samples", default=4, show_default=True, help="Samples on which every inner tensor is compared.")
@click.option("--min-sqnr-db", type=float, help="Exit 1 if an output's SQNR is lower.")
@json_option
def command(
    reference: Path,
    quantized: Path,
    samples: Path,
    tensor_samples: int,
    min_sqnr_db: float | None,
    as_json: bool,
) -> int:
    """Run REFERENCE and QUANTIZED (two .tflite files) on the same samples and compare their tensors."""
    from litebundle.build.progress import default_progress
    from litebundle.run import LiteRTModel
    from quantize import drift, load_samples

    before, after = reference.read_bytes(), quantized.read_bytes()
    for path, model in ((reference, before), (quantized, after)):
        LiteRTModel.from_buffer(model, name=str(path))  # refuses by name what is no model
    loaded = load_samples(samples, before)
    with default_progress().step("validate", len(loaded)) as advance:
        found = drift(before, after, loaded, tensor_samples=tensor_samples, progress=lambda _done: advance(1))
    held = min_sqnr_db is None or all(output.sqnr_db >= min_sqnr_db for output in found.outputs)
    document = ValidateDocument(str(reference), str(quantized), len(loaded), found, min_sqnr_db, held)

    def show() -> None:
        for title, tensors in (("inner tensors, worst first", found.tensors), ("outputs", found.outputs)):
            rows = [
                (t.name, t.sqnr_db, t.cosine, t.max_abs, t.rms, t.samples)
                for t in sorted(tensors, key=lambda tensor: tensor.sqnr_db)
            ]
            print_table(title, ("tensor", "SQNR dB", "cosine", "max abs", "rms", "samples"), rows)
        if not held:
            click.echo(f"fell short: an output's SQNR is below {min_sqnr_db} dB", err=True)

    emit(document, as_json, show)
    return HELD if held else FELL_SHORT
