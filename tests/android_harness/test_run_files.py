"""The four files of a run, as the Kotlin tests left them: valid, and all telling the same.

`make harness` runs these after Maven.
"""

from __future__ import annotations

import csv
import itertools
import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as proto

ROOT = Path(__file__).parents[2]
REPLAY = ROOT / "android_harness/cli/target/replay/once/example"
LIVE = ROOT / "android_harness/core-tests/target/report/live-1"

Row = dict[str, str]
Slice = tuple[str, str, int, int]  # track, name, begin, end


@pytest.fixture(scope="module", params=[REPLAY, LIVE], ids=["replay", "live"])
def run(request: pytest.FixtureRequest, built: Callable[[Path], Path]) -> Path:
    return built(request.param)


@pytest.fixture(scope="module")
def rows(run: Path) -> list[Row]:
    with (run / "samples.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.fixture(scope="module")
def report(run: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((run / "report.json").read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def stages(report: dict[str, Any]) -> list[str]:
    return [stage["name"] for stage in report["stages"]]


@pytest.fixture(scope="module")
def trace(run: Path) -> Any:
    return proto.Trace.FromString((run / "trace.perfetto-trace").read_bytes())


def _time(row: Row, column: str) -> int | None:
    return int(row[column]) if row[column] else None


def test_the_report_fits_its_schema(report: dict[str, Any]) -> None:
    schema = json.loads((ROOT / "docs/harness-report.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(report)


def test_every_end_is_counted(report: dict[str, Any], rows: list[Row]) -> None:
    frames = report["frames"]
    assert frames["captured"] == len(rows)
    for outcome in ("presented", "superseded", "failed", "unfinished"):
        assert frames[outcome] == sum(row["outcome"] == outcome for row in rows)
    for cause, count in frames["dropped"].items():
        assert count == sum(row["drop_cause"] == cause for row in rows)
    assert sum(frames["dropped"].values()) + frames["presented"] + frames["superseded"] + frames["failed"] == len(rows)


def test_percentiles_are_those_of_the_samples(report: dict[str, Any], rows: list[Row]) -> None:
    steady = report["steady_state"]["from_frame"]
    presented_rows = [row for row in rows if row["outcome"] == "presented"]
    in_order = sorted(presented_rows, key=lambda row: int(row["presented_ns"]))
    shown = list(itertools.dropwhile(lambda row: int(row["frame"]) != steady, in_order))
    presented = np.array([int(row["presented_ns"]) for row in shown])
    for figure, since in (
        ("exposure_start_to_present_ms", "exposure_start_ns"),
        ("exposure_mid_to_present_ms", "exposure_mid_ns"),
    ):
        samples = presented - np.array([int(row[since]) for row in shown])
        _check_percentiles(report["latency"][figure], samples)
    _check_percentiles(report["latency"]["result_interval_ms"], np.diff(presented))
    middle = np.array([int(row["exposure_mid_ns"]) for row in shown])
    _check_percentiles(report["latency"]["age_before_replacement_ms"], presented[1:] - middle[:-1])


def _check_percentiles(figure: dict[str, Any], samples_ns: np.ndarray[Any, Any]) -> None:
    assert figure["count"] == samples_ns.size
    for percent in (50, 90, 95, 99):
        estimate = figure[f"p{percent}"]
        assert estimate["value"] == np.percentile(samples_ns, percent, method="inverted_cdf") / 1e6
        assert estimate["low"] <= estimate["value"] <= estimate["high"]


def test_the_csv_is_of_the_form_that_rfc_4180_asks_for(run: Path, rows: list[Row]) -> None:
    with (run / "samples.csv").open(encoding="utf-8", newline="") as file:
        text = file.read()
    assert text.endswith("\r\n")
    assert all(None not in row and None not in row.values() for row in rows)
    failures = {row["failure"] for row in rows if row["outcome"] == "failed"}
    assert failures <= {"node 'a', \"b\":\r\nπ"}


def test_every_column_is_documented(rows: list[Row], stages: list[str]) -> None:
    page = (ROOT / "docs/harness.md").read_text(encoding="utf-8")
    for column in rows[0]:
        stage, dot, mark = column.rpartition(".")
        assert f"`<stage>.{mark}`" in page if dot else f"`{column}`" in page, column
        assert not dot or stage in stages


def test_stages_leave_no_gap(rows: list[Row], stages: list[str]) -> None:
    for row in rows:
        marks = [
            _time(row, f"{stage}.{mark}_ns")
            for stage in stages
            for mark in ("pre_begin", "pre_end", "run_enqueued", "run_ready", "post_begin", "post_end")
        ]
        times = [time for time in marks if time is not None]
        assert times == sorted(times)
        if row["outcome"] == "presented":
            assert len(times) == len(marks)
            for one, next_one in itertools.pairwise(stages):
                assert row[f"{one}.post_end_ns"] == row[f"{next_one}.pre_begin_ns"]


def _tracks(trace: Any) -> dict[int, str]:
    return {
        packet.track_descriptor.uuid: packet.track_descriptor.name
        for packet in trace.packet
        if packet.HasField("track_descriptor")
    }


def _slices(trace: Any) -> dict[int, list[Slice]]:
    """Per frame. Each lane is held to: times go up, every end closes the latest begin, nothing stays open."""
    tracks = _tracks(trace)
    slices: dict[int, list[Slice]] = defaultdict(list)
    open_slices: dict[int, list[tuple[str, int, int]]] = defaultdict(list)
    last: dict[int, int] = defaultdict(int)
    for packet in trace.packet:
        if not packet.HasField("track_event"):
            continue
        event = packet.track_event
        lane = event.track_uuid
        assert packet.timestamp_clock_id == proto.BUILTIN_CLOCK_MONOTONIC
        if event.type == proto.TrackEvent.TYPE_SLICE_BEGIN:
            frame = event.debug_annotations[0].int_value
            assert event.debug_annotations[0].name == "frame"
            assert list(event.flow_ids) == [frame + 1]
            open_slices[lane].append((event.name, frame, packet.timestamp))
        elif event.type == proto.TrackEvent.TYPE_SLICE_END:
            name, frame, begin = open_slices[lane].pop()
            slices[frame].append((tracks[lane], name, begin, packet.timestamp))
        assert packet.timestamp >= last[lane]
        last[lane] = packet.timestamp
    assert not any(open_slices.values())
    return slices


def _expected(row: Row, stages: list[str]) -> list[Slice]:
    spans = [
        ("camera", "exposure", "exposure_start_ns", "exposure_mid_ns"),
        ("camera", "readout", "exposure_mid_ns", "image_available_ns"),
        ("queue", "queue", "image_available_ns", "acquired_ns"),
        ("display", "to latch", "submitted_ns", "latched_ns"),
        ("display", "to present", "latched_ns" if row["latched_ns"] else "submitted_ns", "presented_ns"),
    ]
    for stage in stages:
        track = f"stage {stage}"
        spans.append((track, track, f"{stage}.pre_begin_ns", f"{stage}.post_end_ns"))
        spans.append((track, "pre", f"{stage}.pre_begin_ns", f"{stage}.pre_end_ns"))
        spans.append((track, "run", f"{stage}.run_enqueued_ns", f"{stage}.run_ready_ns"))
        spans.append((track, "post", f"{stage}.post_begin_ns", f"{stage}.post_end_ns"))
    found = [(track, name, _time(row, begin), _time(row, end)) for track, name, begin, end in spans]
    return sorted((track, name, b, e) for track, name, b, e in found if b is not None and e is not None)


def test_the_slices_of_each_frame_are_its_times(trace: Any, rows: list[Row], stages: list[str]) -> None:
    slices = _slices(trace)
    for row in rows:
        assert sorted(slices.pop(int(row["frame"]), [])) == _expected(row, stages)
    assert not slices


def test_frames_without_a_result_are_marked(trace: Any, rows: list[Row]) -> None:
    tracks = _tracks(trace)
    marked = {
        event.debug_annotations[0].int_value: event.name
        for event in (packet.track_event for packet in trace.packet if packet.HasField("track_event"))
        if event.type == proto.TrackEvent.TYPE_INSTANT and tracks[event.track_uuid] == "without a result"
    }
    ends = {"dropped": "dropped: {drop_cause}", "failed": "failed: {failure}", "superseded": "superseded"}
    lost = [row for row in rows if row["outcome"] != "presented"]
    assert marked == {int(row["frame"]): ends[row["outcome"]].format_map(row) for row in lost}


def test_the_age_of_each_result_is_counted(trace: Any, rows: list[Row]) -> None:
    tracks = _tracks(trace)
    ages = [
        (packet.timestamp, packet.track_event.double_counter_value)
        for packet in trace.packet
        if packet.track_event.type == proto.TrackEvent.TYPE_COUNTER
        and tracks[packet.track_event.track_uuid] == "age when presented"
    ]
    assert ages == [
        (int(row["presented_ns"]), (int(row["presented_ns"]) - int(row["exposure_mid_ns"])) / 1e6)
        for row in rows
        if row["outcome"] == "presented"
    ]


def test_the_trace_is_in_the_monotonic_clock_and_tells_boottime(trace: Any, report: dict[str, Any]) -> None:
    snapshot = trace.packet[0].clock_snapshot
    clocks = {clock.clock_id: clock.timestamp for clock in snapshot.clocks}
    assert snapshot.primary_trace_clock == proto.BUILTIN_CLOCK_MONOTONIC
    offset = clocks[proto.BUILTIN_CLOCK_BOOTTIME] - clocks[proto.BUILTIN_CLOCK_MONOTONIC]
    assert report["clock"]["offset_low_ns"] <= offset <= report["clock"]["offset_high_ns"]


@pytest.mark.parametrize("run", [REPLAY], indirect=True, ids=["replay"])
def test_a_replay_is_never_a_headline(run: Path, report: dict[str, Any]) -> None:
    assert report["verdict"]["state"] == "refused"
    assert "not_captured" in {reason["code"] for reason in report["verdict"]["reasons"]}
    assert {requirement["verdict"] for requirement in report["requirements"]} == {"refused"}
    assert "REFUSED" in (run / "report.txt").read_text(encoding="utf-8")
