"""Results on disk: the model of report.json against its published schema, and files that are not what they say."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from litebundle.device.adb import DeviceError
from litebundle.device.result import RunReport, read_run, read_runs
from tests.litebundle.device import runs

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/harness-report.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def accepts(document) -> bool:
    try:
        RunReport.model_validate_json(json.dumps(document))
    except ValueError:
        return False
    return True


def places(value, path=()):
    """Every place in a document, lists by their first item."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def changed(path, change):
    document = deepcopy(runs.EXAMPLE)
    inside = document
    for key in path[:-1]:
        inside = inside[key]
    change(inside, path[-1])
    return document


# All figures with percentiles are of one definition: one of them is looked into.
PLACES = [path for path in places(runs.EXAMPLE) if path and ("p50" not in path or path[1] == "result_interval_ms")]
PLACES = [path for path in PLACES if not {"p90", "p95", "p99"} & set(path)]


def test_the_example_is_accepted() -> None:
    assert accepts(runs.EXAMPLE)
    VALIDATOR.validate(runs.EXAMPLE)


def test_the_model_reads_every_key_of_the_schema() -> None:
    def read(value):
        return {key: read(inner) for key, inner in value.items()} if isinstance(value, dict) else None

    model = RunReport.model_validate_json(json.dumps(runs.EXAMPLE)).model_dump(mode="json")
    assert read(model) == read(runs.EXAMPLE)


@pytest.mark.parametrize("value", [None, -1, 7, 1.5, "x", [], "missing"], ids=repr)
def test_the_model_agrees_with_the_schema_wherever_a_value_is_changed(value) -> None:
    """JSON Schema's number takes an integer, and a date's format is not checked by either."""
    for path in PLACES:
        if value == "missing":
            document = changed(path, lambda inside, key: inside.pop(key) if isinstance(key, str) else None)
        else:
            document = changed(path, lambda inside, key: inside.__setitem__(key, value))
        assert accepts(document) == VALIDATOR.is_valid(document), (path, value)


def test_later_minor_versions_may_add_keys() -> None:
    assert accepts(runs.EXAMPLE | {"format_version": "1.7", "new": 1})
    assert not accepts(runs.EXAMPLE | {"format_version": "2.0"})


def test_samples_are_those_presented_in_order_and_steady_from_its_frame(tmp_path) -> None:
    latency_ms = runs.latencies(0, 100)
    found = read_run(runs.write(tmp_path, "one", latency_ms)).samples
    assert found.presented == 100
    assert sorted(found.latency_ms) == pytest.approx(sorted(latency_ms))
    assert sorted(found.steady_ms) == pytest.approx(sorted(latency_ms[runs.WARM_UP :]))
    assert (np.diff(found.at_s) >= 0).all() and found.at_s[0] == 0


def test_frames_of_unknown_exposure_count_as_presented_and_have_no_latency(tmp_path) -> None:
    folder = runs.write(tmp_path, "one", runs.latencies(0, 100))
    lines = (folder / "samples.csv").read_text().splitlines(keepends=True)
    fields = lines[1].split(",")
    fields[3] = ""
    (folder / "samples.csv").write_text("".join([lines[0], ",".join(fields), *lines[2:]]), newline="")
    found = read_run(folder).samples
    assert (found.presented, len(found.latency_ms)) == (100, 99)


def test_the_steady_state_is_what_was_presented_behind_its_first_result(tmp_path) -> None:
    latency_ms = runs.latencies(0, 100)
    # The frame before comes on the screen behind the first steady one, and the first steady one behind the next.
    latency_ms[runs.WARM_UP - 1 : runs.WARM_UP + 2] = 210, 140, 80
    steady = [210, 140, *latency_ms[runs.WARM_UP + 2 :]]
    latency = {name: runs.percentiles(np.array(steady)) for name in runs.EXAMPLE["latency"]}
    found = read_run(runs.write(tmp_path, "one", latency_ms, latency=latency)).samples
    assert sorted(found.steady_ms) == pytest.approx(sorted(steady))


@pytest.mark.parametrize(
    ("file", "data", "words"),
    [
        ("report.json", None, "incomplete, there is no report.json"),
        ("report.json", b'{"format_version": "1.0", "run"', "incomplete, its JSON is cut off"),
        ("report.json", json.dumps(runs.EXAMPLE | {"frames": {}}).encode(), "breaks the schema of a report at frames"),
        ("samples.csv", None, "incomplete, there are no samples"),
        ("samples.csv", b"frame,outcome\n1,presented\n", "its samples are cut off"),
        (
            "samples.csv",
            b"frame,outcome,exposure_mid_ns,presented_ns\n1,presented,9,99999999999999999999\n",
            "its samples are cut off",
        ),
        ("samples.csv", runs.samples_csv(runs.latencies(0, 99)), "99 presented frames, report.json counts 100"),
        ("samples.csv", runs.samples_csv(runs.latencies(0, 100))[:-4000], "presented frames, report.json counts 100"),
        (
            "report.json",
            json.dumps(runs.report("one", runs.latencies(0, 100), steady_state={"from_frame": 50})).encode(),
            "50 results of the steady state, report.json 80",
        ),
    ],
)
def test_an_incomplete_result_is_refused_by_name(tmp_path, file, data, words) -> None:
    folder = runs.write(tmp_path, "one", runs.latencies(0, 100))
    (folder / file).unlink() if data is None else (folder / file).write_bytes(data)
    with pytest.raises(DeviceError, match=words) as caught:
        read_run(folder)
    assert str(folder) in str(caught.value)


def test_a_folder_without_runs(tmp_path) -> None:
    with pytest.raises(DeviceError, match="give what 'device run' wrote"):
        read_runs(tmp_path)
