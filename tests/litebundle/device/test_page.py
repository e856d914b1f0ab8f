"""The HTML report of a run: complete, offline, escaped, its verdict first."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from tests.litebundle.device import runs

VOID = {"br", "meta", "link", "img"}
HOSTILE = "<script>alert('x')</script>"


class Page(HTMLParser):
    """Elements, and the text of a page as it is read."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.words.append(data)


@pytest.fixture
def page(litebundle, tmp_path):
    """The report on three restarts with these changes."""

    def build(code: int, *arguments: object, **changes) -> Page:
        for seed in range(3):
            runs.write(tmp_path / "run", f"run-{seed}", runs.latencies(seed), **changes)
        answer = litebundle("device", "report", tmp_path / "run", *arguments)
        assert answer.code == code, answer.err
        return Page((tmp_path / "run/report.html").read_text(encoding="utf-8"))

    return build


def test_it_needs_nothing_from_anywhere(page) -> None:
    found = page(0)
    assert not {"script", "link", "iframe", "img", "object", "form"} & {tag for tag, _ in found.elements}
    for _, attributes in found.elements:
        assert not any(name.startswith("on") for name in attributes)
        assert all((attributes.get(name) or "#").startswith("#") for name in ("src", "href"))
    ids = {attributes["id"] for _, attributes in found.elements if "id" in attributes}
    assert {attributes["href"][1:] for tag, attributes in found.elements if tag == "a"} <= ids
    for tag, attributes in found.elements:
        assert tag != "svg" or attributes.get("aria-hidden") or attributes.get("aria-label")


def test_names_from_the_phone_are_text(page) -> None:
    device = runs.EXAMPLE["device"] | {"model": HOSTILE, "build": HOSTILE}
    found = page(0, device=device)
    assert HOSTILE in found.text
    assert "script" not in {tag for tag, _ in found.elements}


def test_every_figure_of_the_first_restart_is_on_it(page) -> None:
    text = page(0).text
    expected = runs.report("run-0", runs.latencies(0))
    for name in ("exposure_mid_to_present_ms", "exposure_start_to_present_ms", "result_interval_ms"):
        for percent in ("p50", "p90", "p95", "p99"):
            value = expected["latency"][name][percent]["value"]
            assert f"{value:.1f}" in text, (name, percent)
    for stage in runs.EXAMPLE["stages"]:
        assert stage["name"] in text
    frames = expected["frames"]
    for count in (frames["captured"], frames["presented"], frames["dropped"]["busy"], frames["superseded"]):
        assert re.search(rf"\b{count}\b", text), count


def test_void_numbers_have_their_reasons_first_and_no_headline(page) -> None:
    reason = {"code": "clock_undecided", "text": "it is not known which clock the camera's timestamps are of"}
    text = page(1, verdict={"state": "refused", "reasons": [reason]}).text
    places = [text.index(word) for word in ("refused", "void: do not quote them", reason["text"], "Over time")]
    assert places == sorted(places)
    assert "capture to display, p90" not in text


@pytest.mark.parametrize(("agreeing", "word"), [(99, "confirmed"), (12, "not confirmed")])
def test_an_optical_run_has_its_witness(page, agreeing, word) -> None:
    witness = {"pairs": 100, "agreeing": agreeing, "confirmed": agreeing > 94}
    reason = {"code": "witness_unconfirmed", "text": "the screen's times cannot be trusted"}
    void = {"verdict": {"state": "refused", "reasons": [reason]}} if agreeing < 95 else {}
    text = page(1 if void else 0, witness=witness, **void).text
    assert "second witness" in text
    assert f"{word}: {agreeing} of 100 results agree" in text
    assert ("capture to display, p90" in text) == (not void)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "1280 × 960, fixed 30 frames/s, every 33.3 ms"),
        ({"fps_low": 7}, "varying 7 to 30 frames/s"),
        ({"frame_interval_p50_ms": None}, "every – ms"),
        (None, "recorded frames"),
    ],
)
def test_the_rate_of_the_camera_is_among_the_conditions(page, changes, words) -> None:
    camera = None if changes is None else runs.EXAMPLE["camera"] | changes
    assert words in page(0, camera=camera).text


def test_a_comparison_is_a_row_of_the_verdict(page, tmp_path) -> None:
    for seed in range(20, 23):
        runs.write(tmp_path / "then", f"then-{seed}", runs.latencies(seed, p50_ms=50))
    text = page(1, "--against", tmp_path / "then").text
    assert "worse" in text[: text.index("Over time")]


def test_a_run_without_samples_still_has_a_page(page) -> None:
    latency = dict.fromkeys(runs.EXAMPLE["latency"])
    nothing = {"exposure_start_to_present_ms": None, "exposure_mid_to_present_ms": None}
    display = runs.EXAMPLE["display"] | {"grade": None, "source": None, "refresh_hz": None}
    verdict = {"state": "refused", "reasons": [{"code": "too_few_results", "text": "0 results were displayed"}]}
    text = page(
        1, latency=latency, minute_one=nothing, sustained=nothing, display=display, verdict=verdict, energy=None,
        corrections=None, thermal=[], curve=[], steady_state={"from_frame": None},
    ).text  # fmt: skip
    assert "0 results were displayed" in text


def test_equal_runs_give_equal_pages(litebundle, tmp_path) -> None:
    runs.write(tmp_path / "run", "run-0", runs.latencies(0))
    pages = []
    for name in ("a.html", "b.html"):
        assert litebundle("device", "report", tmp_path / "run", "-o", tmp_path / name, "--json").code == 1
        pages.append((tmp_path / name).read_bytes())
    assert pages[0] == pages[1]
    assert len(pages[0]) < 1_000_000
