from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import quantize

HEAVY = ("numpy", "ai_edge_litert", "ai_edge_quantizer", "scipy")


def test_every_public_name_is_there() -> None:
    for name in quantize.__all__:
        assert getattr(quantize, name) is not None


def test_functions_are_not_hidden_by_modules_of_their_name() -> None:
    code = (
        "import quantize, quantize.calibrate, quantize.preflight, quantize.drift, quantize.quantizer\n"
        "from quantize.drift import measure\n"
        "names = ('calibrate', 'preflight', 'drift', 'quantize')\n"
        "assert all(callable(getattr(quantize, name)) for name in names)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_import_is_light() -> None:
    code = f"import sys, quantize; sys.exit(', '.join(set({HEAVY}) & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr


def test_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(quantize, "quantise")
