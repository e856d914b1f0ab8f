"""Who may import whom: every module's imports against the table of the rooms."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("converter", "quantize", "litebundle")
FORBIDDEN = {
    "converter": {"quantize", "litebundle", "ai_edge_quantizer"},
    "quantize": {"converter", "litebundle", "onnx", "onnxruntime", "torch"},
    "litebundle": {"onnx", "onnxruntime", "torch", "ai_edge_quantizer"},
}
# The one file that may: everything else asks it.
ONLY_IN = {
    "ai_edge_quantizer": {"quantize/engine.py"},
    "torch": {"converter/torch_worker.py"},
}
# What `litebundle init` copies is the user's code, not the room's.
TEMPLATE = ROOT / "litebundle" / "init" / "template"
PUBLIC = {
    "converter",
    "quantize",
    "quantize.drift",
    "litebundle",
    "litebundle.bundle",
    "litebundle.glue",
    "litebundle.pipeline",
    "litebundle.run",
}
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py") if not path.is_relative_to(TEMPLATE))


def imported(path: Path) -> set[str]:
    """Top-level names of all that a module imports, at any depth of its code."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the room"
            found.add(str(node.module).partition(".")[0])
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_run_one_way(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    crossing = imported(path) & FORBIDDEN[name.partition("/")[0]]
    assert not crossing, f"{name} imports {crossing}, which its room must not know"


@pytest.mark.parametrize("package", sorted(ONLY_IN))
def test_only_one_file_knows(package: str) -> None:
    knowing = {p.relative_to(ROOT).as_posix() for p in MODULES if package in imported(p)}
    assert knowing <= ONLY_IN[package]


def test_examples_and_benchmarks_use_public_modules_alone() -> None:
    for path in [*(ROOT / "examples").rglob("*.py"), *(ROOT / "bench").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] in ROOMS:
                assert node.module in PUBLIC, f"{path} imports {node.module}, which is none of {sorted(PUBLIC)}"


def test_help_imports_nothing_heavy() -> None:
    import subprocess

    code = (
        "import sys\n"
        "from litebundle.cli import VERBS, execute as run\n"
        "for verb in ('', *VERBS):\n"
        "    run([verb, '--help'] if verb else ['--help'])\n"
        "run(['build', '--no-such-option'])\n"
        "heavy = {'numpy', 'onnx', 'onnxruntime', 'torch', 'pydantic', 'rich', 'ai_edge_litert'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
