from __future__ import annotations

from pathlib import Path

import pytest

from litebundle.data import load_dataset
from litebundle.errors import LitebundleError


def test_a_part_has_its_samples_in_the_order_of_the_manifest(folder) -> None:
    data = load_dataset(folder.root / "validate")
    assert (data.name, data.part) == ("noise", "validate")
    assert [sample.path.relative_to(folder.root).as_posix() for sample in data.samples] == [
        "validate/맑음/0.png",
        "validate/맑음/1.png",
        "validate/shadow/0.png",
        "validate/shadow/1.png",
    ]
    assert [sample.kind for sample in data.samples] == ["맑음", "맑음", "shadow", "shadow"]
    assert data.samples[0].answer.items == ({"text": "20"},)


def test_an_answer_has_the_keys_that_were_given(folder) -> None:
    folder.samples[0]["answer"] = (
        '{ items = [{ box = [0, 1.5, 10, 20], angle = 2, text = "y" }, { box = [1, 1, 2, 2], ignore = true }] }'
    )
    folder.write()
    answer = load_dataset(folder.root / "calibrate").samples[0].answer
    assert answer.items == (
        {"box": (0, 1.5, 10, 20), "angle": 2, "text": "y"},
        {"box": (1, 1, 2, 2), "ignore": True},
    )
    assert answer.model_dump(mode="json")["items"][0]["box"] == [0, 1.5, 10, 20]


def test_nothing_to_be_found_is_an_answer(folder) -> None:
    folder.samples[0]["answer"] = "{ items = [] }"
    folder.write()
    assert load_dataset(folder.root / "calibrate").samples[0].answer.items == ()


def test_an_empty_part_is_refused_with_its_wishes(folder) -> None:
    folder.samples = [sample for sample in folder.samples if sample["part"] == "validate"]
    folder.write()
    with pytest.raises(LitebundleError, match=r"no samples of part 'calibrate'.*wanted are 2 맑음, 2 shadow"):
        load_dataset(folder.root / "calibrate")


def test_a_listed_file_that_is_gone(folder) -> None:
    (folder.root / "calibrate/shadow/1.png").unlink()
    with pytest.raises(LitebundleError, match=r"calibrate/shadow/1\.png: listed in .* but not there"):
        load_dataset(folder.root / "calibrate")


def test_a_changed_file(folder) -> None:
    path = folder.root / "calibrate/shadow/1.png"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(LitebundleError, match=r"1\.png: its SHA-256 is not the one"):
        load_dataset(folder.root / "calibrate")


@pytest.mark.parametrize("part", ["calibrate", "validate"])
def test_parts_that_share_a_file(folder, part: str) -> None:
    copy = (folder.root / "calibrate/shadow/0.png").read_bytes()
    (folder.root / "validate/shadow/0.png").write_bytes(copy)
    digests = {sample["file"]: sample["sha256"] for sample in folder.samples}
    for sample in folder.samples:
        if sample["file"] == "validate/shadow/0.png":
            sample["sha256"] = digests["calibrate/shadow/0.png"]
    folder.write()
    with pytest.raises(LitebundleError, match=r"validate/shadow/0\.png is the same file as .*calibrate/shadow/0\.png"):
        load_dataset(folder.root / part)


def test_a_folder_that_is_no_part(folder, tmp_path: Path) -> None:
    with pytest.raises(LitebundleError, match="parts are folders named calibrate and validate"):
        load_dataset(folder.root)
    with pytest.raises(LitebundleError, match=r"manifest\.toml: no such file"):
        (tmp_path / "calibrate").mkdir()
        load_dataset(tmp_path / "calibrate")


# What of one sample's entry is replaced by what; what the message must say, in the line of that entry.
WRONG = {
    "unknown kind": ('kind = "shadow"', 'kind = "shadwo"', "kind: unknown kind 'shadwo'; did you mean 'shadow'?"),
    "unknown key": ('part = "calibrate"', 'prat = "calibrate"', "unknown key; did you mean 'part'?"),
    "unknown part": ('part = "calibrate"', 'part = "calibration"', "did you mean 'calibrate'?"),
    "other part": ('part = "calibrate"', 'part = "validate"', "must lie in the folder validate/"),
    "way out of the folder": ('"calibrate/shadow/1.png"', '"../shadow/1.png"', "inside the data set's folder"),
    "absolute": ('"calibrate/shadow/1.png"', '"/calibrate/1.png"', "inside the data set's folder"),
    "backslash": ('"calibrate/shadow/1.png"', "'calibrate\\shadow\\1.png'", "inside the data set's folder"),
    "listed twice": ('"calibrate/shadow/1.png"', '"calibrate/shadow/0.png"', "listed a second time"),
    "answer is text": ('{ items = [{ text = "11" }] }', '"11"', "answer: must be a table"),
    "answer without items": ('{ items = [{ text = "11" }] }', "{}", "answer.items: is missing"),
    "item says nothing": ('[{ text = "11" }]', "[{}]", "an item needs a box, an angle, a text or a label"),
    "item of unknown key": ('[{ text = "11" }]', '[{ txt = "11" }]', "did you mean 'text'?"),
    "text is a number": ('[{ text = "11" }]', "[{ text = 11 }]", "must be a text in quotes"),
    "box of three": ('[{ text = "11" }]', "[{ box = [1, 2, 3] }]", "box[3]: is missing"),
    "box inside out": ('[{ text = "11" }]', "[{ box = [5, 2, 3, 4] }]", "x0 < x1"),
    "ignored nothing": ('[{ text = "11" }]', '[{ text = "11", ignore = true }]', "ignore needs the box"),
    "digest": ('sha256 = "', 'sha256 = "X', "64 small hexadecimal digits"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_entry_is_told_with_its_line(folder, case: str) -> None:
    old, new, message = WRONG[case]
    manifest = folder.root / "manifest.toml"
    head, mark, tail = manifest.read_text(encoding="utf-8").partition('[[sample]]\nfile = "calibrate/shadow/1.png"')
    entry, next_mark, rest = (mark + tail).partition('\n[[sample]]\nfile = "validate')
    assert old in entry
    manifest.write_text(head + entry.replace(old, new, 1) + next_mark + rest, encoding="utf-8")
    with pytest.raises(LitebundleError) as caught:
        load_dataset(folder.root / "calibrate")
    told = [text.strip() for text in str(caught.value).splitlines() if message in text]
    assert told, str(caught.value)
    line = int(told[0].removeprefix(f"{manifest}:").split(":")[0])
    first = head.count("\n") + 1
    assert first <= line <= first + entry.count("\n")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("format_version = 1", "format_version = 2", r"format_version: 2 is not allowed .*allowed: 1"),
        ('name = "noise"\n', "", "name: is missing"),
        ('[kinds."shadow"]', "[kinds.shadow]\nwnated = {}", "did you mean 'wanted'"),
        ("wanted = { calibrate = 2, validate = 2 }", "wanted = { calibrate = -2 }", "must be at least 0, not -2"),
    ],
)
def test_a_wrong_head(folder, old: str, new: str, message: str) -> None:
    manifest = folder.root / "manifest.toml"
    text = manifest.read_text(encoding="utf-8")
    assert old in text
    manifest.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(LitebundleError, match=message):
        load_dataset(folder.root / "validate")
