"""Whatever is written into pipeline.toml, the answer is a pipeline or a LitebundleError that names the file."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from litebundle.errors import LitebundleError
from litebundle.pipeline import load_pipeline

VALUES = ["1", "-1", "0.5", "nan", "true", '""', '"x"', '"int8"', "[]", "[1]", "[[1]]", "{}", "{ a = 1 }", "[{}]"]
VALUE = re.compile(r"""= ?("[^"]*"|\[[^\[\]{}]*\]|[0-9.]+)""")
KEY = re.compile(r"\b([a-z_]+) =")


def spots(text: str) -> list[tuple[int, int, str]]:
    """Where a value stands, and where a key."""
    values = [(*match.span(1), "value") for match in VALUE.finditer(text)]
    return values + [(*match.span(1), "key") for match in KEY.finditer(text)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(st.data())
def test_any_change_is_understood_or_refused(scanner: Path, data: st.DataObject) -> None:
    source = (Path(scanner) / "pipeline.toml").read_text(encoding="utf-8")
    text = source
    for _ in range(data.draw(st.integers(1, 3))):
        start, end, what = data.draw(st.sampled_from(spots(text)))
        names = ["name", "of", "from", "labels", "shape", "loop", "inputs", "x"]
        new = data.draw(st.sampled_from(VALUES if what == "value" else names))
        text = text[:start] + new + text[end:]
    file = scanner / "changed.toml"
    file.write_text(text, encoding="utf-8")
    try:
        load_pipeline(file)
    except LitebundleError as error:
        assert f"{file}:" in str(error)


TABLES = ["pipeline", "data", "requirements", "stage", "stage.inputs"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            [f"[{t}]" for t in TABLES]
            + [f"[[{t}]]" for t in TABLES]
            + [
                "stage = 1",
                'stage = [1, "x"]',
                "pipeline = []",
                'name = "a"',
                "before = 1",
                'before = [{ op = "x" }, 1]',
                "after = {}",
            ]
        ),
        max_size=8,
    )
)
def test_any_tables(scanner: Path, lines: list[str]) -> None:
    file = scanner / "changed.toml"
    text = "\n".join(lines)
    file.write_text(text)
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    try:
        load_pipeline(file)
    except LitebundleError as error:
        assert f"{file}:" in str(error)
