"""The page as a reader's browser gets it: complete, offline, escaped."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from litebundle.bundle import Bundle, Verdict
from litebundle.documents import plain
from litebundle.errors import LitebundleError
from litebundle.report import render


def decimal(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")


def signed(value: float) -> str:
    return "0" if value == 0 else f"{value:+.3f}".replace("-", "−")


@pytest.fixture
def page(rendered, full_bundle, told):
    return rendered(full_bundle, told.measured)


def test_needs_nothing_from_anywhere(page):
    assert not {"script", "link", "iframe", "object", "embed", "form", "base", "img"} & {e.tag for e in page.elements}
    for element in page.elements:
        for name, value in element.attributes.items():
            assert not name.startswith("on")
            assert (
                "//" not in (value or "").replace("data:image/webp;base64,", "").split("base64,")[0] or "data:" in value
            )
            if name in ("src", "href", "xlink:href", "action", "srcset"):
                assert value.startswith(("#", "data:image/webp;base64,"))
    for style in page.all("style"):
        assert "url(" not in style.text and "@import" not in style.text
    assert any(meta.has(**{"http-equiv": "Content-Security-Policy"}) for meta in page.all("meta"))


def test_fits_a_phone_and_a_screen_reader(page):
    assert any(meta.has(name="viewport", content="width=device-width, initial-scale=1") for meta in page.all("meta"))
    assert page.all("html")[0].has(lang="en")
    assert len(page.all("h1")) == 1
    for svg in page.all("svg"):
        assert svg.has(**{"aria-hidden": "true"}) or (svg.has(role="img") and svg.attributes["aria-label"])
    for box in page.elements:
        if box.attributes.get("class") == "scroll":
            assert box.has(tabindex="0", role="region") and box.attributes["aria-label"]


def test_every_link_leads_somewhere(page):
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    assert len(set(ids)) == len(ids)
    links = [link.attributes["href"] for link in page.all("a")]
    assert len(links) == 8
    assert {link[1:] for link in links} <= set(ids)


def test_verdict_is_on_top_in_words(page):
    assert page.sections.keys() >= {"verdict"}
    first = next(element for element in page.elements if element.tag == "section")
    assert first.has(id="verdict")
    text = page.section("verdict")
    assert text.startswith("fell short")
    assert "6 requirements and budgets: 2 held, 2 fell short, 1 cannot say, 1 not measured." in text


def test_verdict_rows_tell_all(page, told):
    text = page.section("verdict")
    for judgement in told.judgements:
        form = signed if judgement.requirement == "budget" else decimal
        assert judgement.metric in text
        assert f"95 % interval {form(judgement.low)} … {form(judgement.high)}" in text
        assert form(judgement.measured) in text
        assert f"{judgement.limit:g} is asked; {judgement.samples} samples" in text
        assert judgement.reason.split("; ")[-1] in text
        assert all(note in text for note in judgement.notes)
    assert "at least 0.9 is asked" in text, "box_f1 is better when higher"
    in_float = told.cascade.comparison("box_f1", "float").score
    assert f"the whole interval breaks it; the float pipeline has {decimal(in_float)}, which breaks it already" in text
    assert "at most 8 MB is asked" in text
    assert "56.5 ms , at most 50 ms is asked" in text
    assert "only a phone can measure it" in text


def test_end_to_end_figures_are_all_there(page, told):
    text = page.section("cascade")
    for figures in told.cascade.comparisons:
        if figures.score is None:
            continue
        interval = f"{decimal(figures.score_low)} … {decimal(figures.score_high)}"
        loss = f"{signed(figures.drop)} {signed(figures.drop_low)} … {signed(figures.drop_high)}"
        row = f"{decimal(figures.score)} {interval} {loss} {figures.samples} {figures.changed}"
        variant = figures.variant if figures.variant in ("float", "quantized") else f"{figures.variant} alone"
        assert f"{figures.kind} {variant} {row}" in text
    assert "edit_distance lower is better" in text
    assert "box_f1 higher is better" in text


def test_a_kind_that_nobody_asked_about_has_dashes(page):
    assert "형광펜 quantized – – – – 0 0" in page.section("cascade")


def test_stage_figures_are_all_there(page, told):
    text = page.section("drift")
    for drift in told.drifts.values():
        for tensor in (*drift.outputs, *drift.tensors):
            sqnr = {math.inf: "identical", -math.inf: "−∞"}.get(tensor.sqnr_db, f"{tensor.sqnr_db:.1f}")
            assert f"{tensor.name} {sqnr} {tensor.cosine:.5f} 0.0421 0.0037 {tensor.samples}" in text
    for row in told.cascade.stage_drift:
        if row.sqnr_db is not None:
            assert f"{row.tensor} {row.kind} {row.sqnr_db:.1f} 0.99912 0.037 {told.sample} 40 40" in text
    worst = text[text.index("The 4 worst inner tensors") :]
    assert worst.index("dead") < worst.index("conv_3") < worst.index("conv_1") < worst.index("conv_2")


def test_sqnr_bars_stand_in_graph_order(page, told):
    drift = told.drifts["locate"]
    titles = [title.text for title in page.all("title")[1:]]
    expected = [f"{t.name}: " for t in (*drift.tensors, *drift.outputs)]
    assert [title[: len(start)] for title, start in zip(titles, expected, strict=False)] == expected


def test_sqnr_bars_grow_from_zero(rendered, make_bundle, told):
    """On an axis from -20 to 40 dB, -18 dB hangs below 0 by 18/60 of the height and 33 dB stands 33/60 high."""
    drift = told.drifts["locate"]
    low, high = (replace(drift.tensors[0], sqnr_db=value) for value in (-18.0, 33.0))
    drifts = {"locate": replace(drift, tensors=(low, high), outputs=())}
    page = rendered(make_bundle({"drift.json": drift_json(told.cascade, drifts)}))
    bars = [rect.attributes for rect in page.all("rect") if rect.attributes["class"].startswith("bar")]
    places = [[float(bar[name].rstrip("%")) for name in ("y", "height")] for bar in bars]
    zero = 100 * 40 / 60
    assert places == [pytest.approx([zero, 30.0], abs=0.02), pytest.approx([zero - 55.0, 55.0], abs=0.02)]


def test_an_unchanged_stage_needs_no_plot(page):
    assert "count Every tensor is identical to float." in page.section("drift")


def test_sizes_and_times(page, told):
    text = page.section("size")
    assert "4.32 MB" in text
    for latency in (told.measured["total"], told.measured["glue"], told.measured["stages"]["locate"]):
        p50, p90, most = (f"{v:.1f}" if v >= 10 else f"{v:.2f}" for v in latency.values())
        assert f"{p50} {p90} {most}" in text
    assert "Linux x86_64, 2 cores" in text
    assert "not a phone's" in text


def test_operators_and_parity(page):
    text = page.section("operators")
    assert "locate 3 operators, 1 float island" in text
    assert "LEAKY_RELU 1 float the engine has no int8 form of LEAKY_RELU" in text
    assert "CONV_2D 2 int8 integer arithmetic" in text
    assert "CONCATENATION 'both' joins ranges 0…640 and 0…1" in text
    assert "CONV_2D conv_2 5 1.5 1e-09 4e-09" in text
    assert "locate held 1.7e-06 0.0001 2.3e-06 box 19" in page.section("parity")


def test_hostile_strings_stay_text(page, told):
    assert told.hostile in page.text
    assert told.hostile in page.section("worst")
    assert told.hostile not in page.html
    assert "색칠된 칸 &" in page.text


def test_boxes_are_drawn_in_pixels_of_the_photo(page, told):
    picture = page.all("image")[0]
    assert picture.has(width=960, height=720)
    assert any(svg.attributes.get("viewbox", svg.attributes.get("viewBox")) == "0 0 960 720" for svg in page.all("svg"))
    drawn = [
        rect.attributes
        for rect in page.all("rect")
        if rect.attributes["class"] in ("expected", "float", "quantized", "ignored") and "." in rect.attributes["x"]
    ]
    found = {(a["class"], *(float(a[name]) for name in ("x", "y", "width", "height"))) for a in drawn}
    worst = told.cascade.worst[0]
    expected = {
        (role, x0, y0, x1 - x0, y1 - y0)
        for role, items in (
            ("expected", worst.expected),
            ("float", worst.float_items),
            ("quantized", worst.quantized_items),
        )
        for item in items
        if not item.get("ignore")
        for x0, y0, x1, y1 in [item["box"]]
    }
    assert found == expected | {("ignored", 300.0, 20.0, 40.0, 40.0)}


def test_answers_show_what_is_wrong(page):
    deleted, inserted = ([element.text for element in page.all(tag)] for tag in ("del", "ins"))
    assert deleted == ["struck through", "b"]
    assert inserted == ["underlined", "6"]
    assert "expected nothing here float not found quantized text" in page.section("worst")


def test_same_bundle_same_page(full_bundle, told):
    pages = []
    for _ in range(2):
        with Bundle.open(full_bundle) as bundle:
            pages.append(render(bundle, told.measured))
    assert pages[0] == pages[1]


def test_a_bare_bundle_says_what_it_lacks(rendered, make_bundle):
    page = rendered(make_bundle({}))
    assert page.section("verdict").startswith("nothing was asked")
    assert "not measured on this machine" in page.section("size")
    for section in ("cascade", "drift", "worst"):
        assert "holds no drift.json" in page.section(section)
    assert "holds no preflight.json" in page.section("operators")


def test_everything_held(rendered, make_bundle, told):
    page = rendered(make_bundle({"budgets.json": json.dumps(plain(told.judgements[1:2])).encode()}, told.verdicts[1:2]))
    assert page.section("verdict").startswith("held 1 requirement or budget: 1 held.")


def test_what_only_a_phone_measures_does_not_spoil_the_verdict(rendered, make_bundle, told):
    page = rendered(make_bundle({}, told.verdicts[1:2], capture_to_display_p90_ms=150.0))
    assert page.section("verdict").startswith("held 2 requirements and budgets: 1 held, 1 not measured.")


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [
        (("pass", "pass"), "held"),
        (("pass", "not_enough_samples"), "cannot say"),
        (("not_enough_samples", "fail"), "fell short"),
        (("not_measured",), "not measured"),
    ],
)
def test_the_gravest_verdict_decides(rendered, make_bundle, outcomes, word):
    verdicts = tuple(
        Verdict(requirement="budget", stage="locate", metric="box_f1", limit=0.1, verdict=v) for v in outcomes
    )
    assert rendered(make_bundle({}, verdicts)).section("verdict").startswith(word)


def test_labels_without_boxes_or_pictures(rendered, make_bundle, told):
    sample = replace(
        told.cascade.worst[0],
        metric="accuracy",
        expected=({"label": "cat"},),
        float_items=({"label": "cat", "score": 0.875},),
        quantized_items=({"label": "<b>dog</b>", "score": 0.5},),
    )
    cascade = replace(told.cascade, worst=(sample,))
    page = rendered(make_bundle({"drift.json": drift_json(cascade)}))
    text = page.section("worst")
    assert "expected label cat float label cat score 0.875 quantized label <b>dog</b> score 0.5" in text
    assert [e.text for e in page.all("ins")] == ["underlined", "<b>dog</b>"]
    assert not page.all("image")


def test_a_pipeline_that_lost_nothing(rendered, make_bundle, told):
    page = rendered(make_bundle({"drift.json": drift_json(replace(told.cascade, worst=()))}))
    assert "No sample lost anything" in page.section("worst")


def test_a_wrong_document_is_refused_by_name(rendered, make_bundle):
    with pytest.raises(LitebundleError, match=r"'drift.json' is not JSON"):
        rendered(make_bundle({"drift.json": b"{"}))
    with pytest.raises(LitebundleError, match=r"'preflight.json' at locate.islands"):
        rendered(make_bundle({"preflight.json": b'{"locate": {"rows": []}}'}))


def test_stays_below_two_megabytes(rendered, make_bundle, told, noisy_webp):
    """Far more than any of our pipelines brings: every list is long, every picture of 100 kB."""
    names = [f"s{i}.png" for i in range(40)]
    long = tuple({"box": [0.0, 30.0 * i, 20.0, 30.0 * i + 20], "text": r"\frac{a}{b}" * 20} for i in range(12))
    worst = tuple(
        replace(told.cascade.worst[0], sample=name, expected=long, float_items=long, quantized_items=long[::-1])
        for name in names
    )
    drift = told.drifts["locate"]
    many = replace(drift, tensors=tuple(replace(drift.tensors[0], name=f"layer_{i}/conv") for i in range(2000)))
    row = told.preflight["locate"]["rows"][0]
    preflight = told.preflight["locate"] | {"rows": [row | {"index": i} for i in range(2000)]}
    stages = ("locate", "colour", "number", "count")
    files = {
        "drift.json": drift_json(replace(told.cascade, worst=worst), dict.fromkeys(stages, many)),
        "preflight.json": json.dumps(dict.fromkeys(stages, preflight)).encode(),
        "report/pictures.json": json.dumps(
            {name: {"file": f"report/{i:02d}.webp", "width": 960, "height": 720} for i, name in enumerate(names)}
        ).encode(),
    } | {f"report/{i:02d}.webp": noisy_webp for i in range(len(names))}
    page = rendered(make_bundle(files))
    assert len(page.html.encode()) < 2_000_000
    assert 1 <= len(page.all("image")) < 40
    assert "Some pictures are left out" in page.section("worst")
    assert "1700 more are in the bundle's drift.json" in page.section("drift")


def drift_json(cascade, drifts=None) -> bytes:
    document = {"cascade": plain(cascade), "stages": plain(drifts or {}), "parity": {}}
    return json.dumps(document).encode()
