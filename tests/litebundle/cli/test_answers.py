"""What the verbs say to a person, and their exit codes."""

from __future__ import annotations

import json
import shutil
import zipfile

import click
import pytest

from litebundle.bundle.layout import alignment
from litebundle.bundle.zip_writer import write_zip
from litebundle.cli import VERBS, cli


def test_init_names_the_next_commands(litebundle, tmp_path) -> None:
    answer = litebundle("init", tmp_path / "app")
    assert answer.code == 0
    assert f"litebundle data check {tmp_path / 'app/data'}" in answer.out
    assert f"litebundle build {tmp_path / 'app'}" in answer.out


def test_an_empty_data_set_falls_short(litebundle, tmp_path) -> None:
    litebundle("init", tmp_path / "app")
    answer = litebundle("data", "check", tmp_path / "app/data")
    assert answer.code == 1
    assert "fell short: 60 missing samples" in answer.out
    row = next(line for line in answer.out.splitlines() if line.startswith("shadow  validate"))
    assert row.split() == ["shadow", "validate", "20", "0", "20"]


def test_a_missing_file_is_a_broken_rule(litebundle, app) -> None:
    (app / "data/validate/plain/00_dark.png").unlink()
    answer = litebundle("data", "check", app / "data")
    assert answer.code == 2
    assert "validate/plain/00_dark.png is listed but not there" in answer.out


def test_data_check_prints_the_entry_to_add(litebundle, app, photo) -> None:
    shutil.copy(photo, app / "data/validate/plain/new.png")
    answer = litebundle("data", "check", app / "data")
    assert answer.code == 2
    assert '[[sample]]\nfile = "validate/plain/new.png"\npart = "validate"\nkind = "plain"\n' in answer.out


def test_build_shows_stages_and_verdicts(litebundle, built) -> None:
    answer = litebundle("build", built / "app", "-o", built / "dist")
    assert answer.code == 0
    assert answer.out.splitlines()[-1] == "held"
    assert "brightness: accuracy    pass" in answer.out


def test_a_requirement_that_falls_short_still_gives_a_bundle(litebundle, app, tmp_path) -> None:
    toml = app / "pipeline.toml"
    toml.write_text(toml.read_text().replace("bundle_mb = 1", "bundle_mb = 0.001"))
    answer = litebundle("build", app, "-o", tmp_path / "dist")
    assert answer.code == 1, answer.err
    assert "fell short" in answer.out
    bundle = tmp_path / "dist/app-0.1.0.litebundle"
    answer = litebundle("inspect", bundle)
    assert answer.code == 1
    row = next(line for line in answer.out.splitlines() if line.startswith("bundle_mb"))
    assert row.split()[1] == "fail"
    assert litebundle("verify", bundle).code == 0


def test_inspect_shows_tensors_and_operations(litebundle, bundle) -> None:
    answer = litebundle("inspect", bundle)
    assert answer.code == 0
    assert "resize > to_tensor > model > softmax_top_k" in answer.out
    row = next(line for line in answer.out.splitlines() if "  image " in line)
    assert row.split()[:6] == ["brightness", "in", "image", "uint8", "1x32x32x3", "NHWC"]


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"figures": {"offline_latency_p90_ms": "fast"}}'])
def test_measurements_that_no_build_wrote(litebundle, bundle, tmp_path, text) -> None:
    moved = shutil.copy(bundle, tmp_path / "x.litebundle")
    (tmp_path / "x.measurements.json").write_text(text)
    for verb in ("inspect", "report"):
        answer = litebundle(verb, moved)
        assert answer.code == 2
        assert "x.measurements.json: not the measurements of a build" in answer.err
    assert litebundle("verify", moved).code == 0


def test_verify_tells_a_miss_from_damage(litebundle, bundle, tmp_path) -> None:
    """A bundle whose digests are right but whose golden label is another falls short; a flipped byte is damage."""
    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files["manifest.json"])
    items = manifest["golden"]["pipeline"]["vectors"][0]["items"]
    files[items] = files[items].replace(b"dark", b"lamp").replace(b"light", b"lamp")
    missed = rewrite(tmp_path / "missed.litebundle", files, manifest)
    answer = litebundle("verify", missed)
    assert answer.code == 1
    assert "fell short: pipeline/0: item 0: label is" in answer.err
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 1
    damaged = tmp_path / "damaged.litebundle"
    damaged.write_bytes(data)
    assert litebundle("verify", damaged).code == 2


def rewrite(path, files, manifest):
    from hashlib import sha256

    manifest["files"] = {
        name: {"sha256": sha256(data).hexdigest(), "size_bytes": len(data)}
        for name, data in files.items()
        if name in manifest["files"]
    }
    files["manifest.json"] = json.dumps(manifest).encode()
    files["MANIFEST.sha256"] = f"{sha256(files['manifest.json']).hexdigest()}  manifest.json\n".encode()
    with path.open("wb") as file:
        write_zip(file, files, alignment)
    return path


def test_run_gives_the_result_alone_on_stdout(litebundle, bundle, photo) -> None:
    answer = litebundle("run", bundle, photo)
    assert (answer.code, answer.out) == (0, "dark\n")
    assert "total" in answer.err


def test_no_arguments_show_the_help(litebundle) -> None:
    answer = litebundle()
    assert (answer.code, answer.out) == (2, "")
    assert all(verb in answer.err for verb in VERBS)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["buidl"], "did you mean 'build'"),
        (["frobnicate"], "the verbs are init, build"),
        (["build", "--jsno", "x"], "Did you mean '--json'"),
        (["build"], "Missing argument 'PIPELINE'; see 'litebundle build --help'"),
        (["data"], "check  Compare a data set"),
        (["data", "chekc", "x"], "Did you mean 'check'"),
        (["quantize", "m.tflite", "-o", "q.tflite", "--scheme", "int4"], "int8_weights"),
        (["convert", "m.onnx", "-o", "m.tflite", "--shape", "x"], "write for example image=1,3,224,224"),
        (["convert", "m.onnx", "-o", "m.tflite", "--shape", "x=1,a"], "whole numbers of at least 1"),
        (["run", "x.litebundle"], "Missing argument 'IMAGE'"),
    ],
)
def test_usage_errors_say_the_way_out(litebundle, arguments, hint) -> None:
    answer = litebundle(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert hint in answer.err


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_and_json(litebundle, verb) -> None:
    command = cli.get_command(None, verb)
    for arguments in [(verb, name) for name in command.commands] if isinstance(command, click.Group) else [(verb,)]:
        answer = litebundle(*arguments, "--help")
        assert answer.code == 0
        assert "--json" in answer.out


def test_a_fault_of_ours_is_told_apart(litebundle, monkeypatch, tmp_path) -> None:
    def broken(path):
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("litebundle.init.create", broken)
    answer = litebundle("init", tmp_path / "app", "--json")
    assert (answer.code, answer.json["error"]["kind"]) == (3, "internal")
    assert "ZeroDivisionError" in answer.err


def test_an_interrupt_within_an_import_is_still_one(litebundle, monkeypatch, tmp_path) -> None:
    def interrupted(path):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            raise RuntimeError("Error calling __set_name__") from error

    monkeypatch.setattr("litebundle.init.create", interrupted)
    answer = litebundle("init", tmp_path / "app")
    assert (answer.code, answer.err.strip()) == (130, "error: interrupted; what was finished is kept")


def test_the_verbs_are_those_of_the_table() -> None:
    assert {name: cli.get_command(None, name).name for name in VERBS} == {name: name for name in VERBS}
