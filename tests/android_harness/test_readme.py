"""The harness's page against what it describes."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
HARNESS = ROOT / "android_harness"
README = (HARNESS / "README.md").read_text(encoding="utf-8")
SAMPLE = HARNESS / "engine-tflite/src/test/kotlin/org/litebundle/engine/tflite/SampleTest.kt"
SOURCES = ("*.kt", "*.kts", "*.py")


def entries() -> dict[str, str]:
    """Name of a device-only entry -> its text."""
    _, _, section = README.partition("\n## Device-only\n")
    found = re.split(r"^- `([a-z0-9-]+)`: ", section, flags=re.MULTILINE)[1:]
    return dict(zip(found[::2], found[1::2], strict=True))


def marks() -> set[str]:
    files = [
        path
        for folder in (HARNESS, ROOT / "litebundle" / "device")
        for kind in SOURCES
        for path in folder.rglob(kind)
        if "target" not in path.parts
    ]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return set(re.findall(r"device-only: ([a-z0-9-]+)", text))


def test_the_device_only_list_and_the_marks_in_the_sources_are_the_same() -> None:
    assert set(entries()) == marks()


def test_each_device_only_entry_says_what_a_person_types() -> None:
    for name, text in entries().items():
        assert re.search(r"`(adb|litebundle|cd android_harness) [^`]+`", text), name


def test_the_sample_is_the_one_that_is_compiled_and_has_twenty_lines() -> None:
    source = SAMPLE.read_text(encoding="utf-8")
    match = re.search(r"// begin sample\n(.*?)\n *// end sample", source, re.DOTALL)
    assert match is not None
    sample = textwrap.dedent(match[1]).strip("\n")
    shown = re.search(r"```kotlin\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    assert shown[1] == f"{sample}\n"
    assert len(shown[1].splitlines()) <= 20
