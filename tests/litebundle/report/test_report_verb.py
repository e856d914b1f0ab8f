"""`litebundle report` from the outside."""

from __future__ import annotations

import hashlib
import json

import pytest

from litebundle.cli import execute as run


def measured_on(bundle, told, sha256):
    document = {**told.measured, "bundle_sha256": sha256}
    bundle.with_suffix(".measurements.json").write_text(json.dumps(document), encoding="utf-8")


def test_times_of_another_bundle_are_not_shown(full_bundle, told):
    measured_on(full_bundle, told, "0" * 64)
    assert run(["report", str(full_bundle)]) == 1
    assert "Linux x86_64, 2 cores" not in full_bundle.with_suffix(".html").read_text(encoding="utf-8")


def test_writes_beside_the_bundle(full_bundle, told, capsys):
    measured_on(full_bundle, told, hashlib.sha256(full_bundle.read_bytes()).hexdigest())
    assert run(["report", str(full_bundle), "--json"]) == 1, "a requirement fell short"
    document = json.loads(capsys.readouterr().out)
    page = full_bundle.with_suffix(".html")
    assert document == {
        "bundle": str(full_bundle),
        "report": str(page),
        "size_bytes": page.stat().st_size,
        "held": False,
    }
    assert "Linux x86_64, 2 cores" in page.read_text(encoding="utf-8")


def test_held_is_exit_0_and_output_goes_where_it_is_asked(make_bundle, told, tmp_path, capsys):
    page = tmp_path / "보고서.html"
    assert run(["report", str(make_bundle({}, told.verdicts[1:2])), "-o", str(page)]) == 0
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert "보고서.html" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["missing.litebundle", "damaged.litebundle"])
def test_bad_input_is_exit_2(name, tmp_path, capsys):
    (tmp_path / "damaged.litebundle").write_bytes(b"PK no bundle")
    assert run(["report", str(tmp_path / name)]) == 2
    assert name in capsys.readouterr().err
    assert not list(tmp_path.glob("*.html"))


def test_never_replaces_the_bundle(full_bundle, capsys):
    before = full_bundle.read_bytes()
    assert run(["report", str(full_bundle), "-o", str(full_bundle)]) == 2
    assert "would replace what it is made from" in capsys.readouterr().err
    assert full_bundle.read_bytes() == before


def test_no_such_folder_is_exit_2(full_bundle, tmp_path, capsys):
    assert run(["report", str(full_bundle), "-o", str(tmp_path / "nowhere" / "x.html")]) == 2
    assert "nowhere" in capsys.readouterr().err
