"""Every verb's JSON document against its published schema."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest

from litebundle.cli import VERBS, cli
from litebundle.cli.output import to_json
from litebundle.cli.schemas import schemas

PUBLISHED = Path(__file__).parents[3] / "docs" / "cli"


def check(verb: str, document: Any) -> None:
    schema = json.loads((PUBLISHED / f"{verb}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)
    assert set(document) == set(schema["properties"])


@pytest.mark.parametrize(("name", "text"), schemas().items(), ids=lambda item: item[:20])
def test_published_schemas_are_current(name: str, text: str) -> None:
    published = PUBLISHED / name
    assert published.read_text(encoding="utf-8") == text, "run: python -m litebundle.cli.schemas docs/cli"


def test_every_verb_has_a_schema() -> None:
    there = {path.name.partition(".")[0] for path in PUBLISHED.glob("*.schema.json")}
    assert there == set(names_of_documents()) | {"error"}
    assert {f"{name}.schema.json" for name in there} == set(schemas())


def names_of_documents() -> Iterator[str]:
    """One for each verb, or for each verb of a group."""
    for verb in VERBS:
        command = cli.get_command(click.Context(cli), verb)
        commands = command.commands if isinstance(command, click.Group) else None
        yield from [verb] if commands is None else (f"{verb}-{name}" for name in commands)


def test_init(litebundle, tmp_path) -> None:
    answer = litebundle("init", tmp_path / "my app", "--json")
    check("init", answer.json)
    assert answer.code == 0
    assert answer.json["next"][1] == f"litebundle build '{tmp_path / 'my app'}'"
    assert all((tmp_path / "my app" / file).is_file() for file in answer.json["files"])


def test_build(litebundle, built) -> None:
    answer = litebundle("build", built / "app", "-o", built / "dist", "--json")
    check("build", answer.json)
    assert (answer.code, answer.json["unchanged"], answer.json["held"]) == (0, True, True)
    assert answer.json["size_bytes"] == Path(answer.json["bundle"]).stat().st_size


def test_inspect(litebundle, bundle) -> None:
    answer = litebundle("inspect", bundle, "--json")
    check("inspect", answer.json)
    assert answer.code == 0
    (stage,) = answer.json["stages"]
    assert stage["inputs"][0]["shape"] == [1, 32, 32, 3]
    assert (stage["inputs"][0]["dtype"], stage["inputs"][0]["layout"]) == ("uint8", "NHWC")
    asked = {verdict["requirement"] for verdict in answer.json["verdicts"]}
    assert asked == {"metric", "budget", "bundle_mb", "offline_latency_p90_ms"}
    assert answer.json["requirements"]["bundle_mb"] == 1


def test_inspect_without_measurements_says_so(litebundle, bundle, tmp_path) -> None:
    moved = tmp_path / "moved.litebundle"
    moved.write_bytes(bundle.read_bytes())
    (latency,) = (
        verdict
        for verdict in litebundle("inspect", moved, "--json").json["verdicts"]
        if verdict["requirement"] == "offline_latency_p90_ms"
    )
    assert (latency["verdict"], latency["measured"], latency["limit"]) == ("not_measured", None, 20)


def test_run(litebundle, bundle, photo) -> None:
    answer = litebundle("run", bundle, photo, "--json")
    check("run", answer.json)
    assert answer.code == 0
    assert [item["label"] for item in answer.json["items"]] == ["dark"]


def test_verify(litebundle, bundle) -> None:
    answer = litebundle("verify", bundle, "--json")
    check("verify", answer.json)
    assert (answer.code, answer.json["passed"]) == (0, True)
    assert {vector["name"].split("/")[0] for vector in answer.json["vectors"]} == {"brightness", "pipeline"}


def test_report(litebundle, bundle, tmp_path) -> None:
    answer = litebundle("report", bundle, "-o", tmp_path / "report.html", "--json")
    check("report", answer.json)
    assert answer.code == 0
    assert answer.json["size_bytes"] == (tmp_path / "report.html").stat().st_size


def test_data_check(litebundle, built) -> None:
    answer = litebundle("data", "check", built / "app/data", "--json")
    check("data-check", answer.json)
    assert (answer.code, answer.json["ok"], answer.json["missing"]) == (0, True, 0)


def test_convert(litebundle, built, tmp_path) -> None:
    model = built / "app/models/brightness.onnx"
    answer = litebundle("convert", model, "-o", tmp_path / "m.tflite", "--layout", "image=NHWC", "--json")
    check("convert", answer.json)
    assert answer.code == 0
    assert answer.json["inputs"][0]["shape"] == [1, 32, 32, 3]


def test_quantize_and_validate(litebundle, tflite, samples, tmp_path) -> None:
    target = tmp_path / "int8.tflite"
    answer = litebundle("quantize", tflite, "--calibrate", samples, "-o", target, "--json")
    check("quantize", answer.json)
    assert (answer.code, answer.json["size_bytes"]) == (0, target.stat().st_size)
    assert {row["verdict"] for row in answer.json["preflight"]} <= {"int8", "data"}
    answer = litebundle("validate", tflite, target, "--samples", samples, "--json")
    check("validate", answer.json)
    assert (answer.code, answer.json["samples"]) == (0, 6)
    answer = litebundle("validate", tflite, target, "--samples", samples, "--min-sqnr-db", 500, "--json")
    assert (answer.code, answer.json["held"]) == (1, False)


def test_infinity_is_a_string(litebundle, tflite, samples) -> None:
    answer = litebundle("validate", tflite, tflite, "--samples", samples, "--json")
    check("validate", answer.json)
    assert {output["sqnr_db"] for output in answer.json["drift"]["outputs"]} == {"inf"}
    assert json.loads(to_json([math.inf, -math.inf, math.nan])) == ["inf", "-inf", "nan"]


@pytest.mark.parametrize("arguments", [("build", "none"), ("inspect", "none"), ("data", "check", "none"), ("buidl",)])
def test_errors_are_documents_too(litebundle, tmp_path, arguments) -> None:
    answer = litebundle(*(tmp_path / part if part == "none" else part for part in arguments), "--json")
    check("error", answer.json)
    assert answer.code == 2
    assert answer.err == f"error: {answer.json['error']['message']}\n"
