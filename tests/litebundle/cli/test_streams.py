"""The command line as a process: pipes, full devices, narrow encodings, Ctrl-C."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LITEBUNDLE = [sys.executable, "-m", "litebundle"]


def start(*arguments: object, environment: dict[str, str] | None = None, **streams: object) -> subprocess.Popen[bytes]:
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    return subprocess.Popen(
        [*LITEBUNDLE, *map(str, arguments)],
        env={**os.environ, **(environment or {})},
        start_new_session=True,
        **streams,
    )


def test_a_closed_pipe_ends_it_without_a_trace(bundle) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = start("inspect", bundle, stdout=writer)
    os.close(writer)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 141
    assert b"Traceback" not in err
    assert b"BrokenPipe" not in err


def test_a_full_device_is_an_error(bundle) -> None:
    for arguments in (["inspect", bundle, "--json"], ["--help"]):
        with Path("/dev/full").open("wb") as full:
            process = start(*arguments, stdout=full)
            _, err = process.communicate(timeout=60)
        assert process.returncode == 2
        assert b"No space left on device" in err
        assert b"Traceback" not in err
        assert b"Exception ignored" not in err


@pytest.mark.parametrize(
    ("variable", "encoding", "arguments", "code"),
    [
        ("LC_ALL", "C", ["inspect", "앱.litebundle"], 0),
        ("PYTHONIOENCODING", "latin-1", ["inspect", "없는 앱"], 2),
        ("PYTHONIOENCODING", "ascii", ["run", "앱.litebundle", "사진.png", "--json"], 0),
    ],
)
def test_korean_text_on_any_terminal(bundle, photo, tmp_path, variable, encoding, arguments, code) -> None:
    shutil.copy(bundle, tmp_path / "앱.litebundle")
    shutil.copy(photo, tmp_path / "사진.png")
    process = start(*arguments, environment={variable: encoding}, cwd=tmp_path)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert b"Traceback" not in err
    if "--json" in arguments:
        assert json.loads(out)["bundle"] == "앱.litebundle"


def test_ctrl_c_leaves_one_line_and_what_was_finished(litebundle, built, tmp_path) -> None:
    """Interrupted while the build runs, then built: the finished steps are found again."""
    app = shutil.copytree(built / "app", tmp_path / "app", ignore=shutil.ignore_patterns(".litebundle"))
    process = start("build", app, "-o", tmp_path / "dist")
    deadline = time.monotonic() + 60
    while not list(app.glob(".litebundle/cache/convert-*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err.decode().rstrip().splitlines()[-1] == "error: interrupted; what was finished is kept"
    assert b"Traceback" not in err
    assert not list((tmp_path / "dist").glob("*.litebundle"))
    answer = litebundle("build", app, "-o", tmp_path / "dist")
    assert answer.code == 0, answer.err
    assert ": convert" not in answer.err
    assert not list(tmp_path.rglob("*.part"))
