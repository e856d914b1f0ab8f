"""Phones on the loopback, seen by a real adb with a server of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from litebundle.bundle import Identity, Manifest, describe_stage, write_bundle
from litebundle.device import adb as driver
from tests.litebundle.device.adbd import Daemon
from tests.litebundle.device.phone import Phone


@pytest.fixture(scope="session")
def adb_environment(tmp_path_factory) -> Iterator[dict[str, str]]:
    """An adb server on a free port, with keys and settings of its own, that scans for no emulators."""
    if shutil.which("adb") is None:
        pytest.skip("there is no adb on PATH (Debian: apt install adb)")
    home = tmp_path_factory.mktemp("adb")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        "HOME": str(home),
        "ANDROID_ADB_SERVER_PORT": str(port),
        "ADB_VENDOR_KEYS": "",
        "ADB_LOCAL_TRANSPORT_MAX_PORT": "5554",
        "TMPDIR": str(home),
    }
    call = {"env": os.environ | environment, "check": True, "capture_output": True, "timeout": 20}
    subprocess.run(["adb", "start-server"], **call)
    yield environment
    subprocess.run(["adb", "kill-server"], **call)


@pytest.fixture(autouse=True)
def private_adb(adb_environment, monkeypatch) -> None:
    for name, value in adb_environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("ANDROID_SERIAL", raising=False)
    monkeypatch.setattr(driver, "RETURN_S", 0.3)


@pytest.fixture
def plug_in(private_adb) -> Iterator[Callable[..., Daemon]]:
    """Connects a phone; all are unplugged at the end."""
    daemons = []

    def connect(phone: Phone, *, authorised: bool = True) -> Daemon:
        daemon = Daemon(phone, authorised=authorised)
        daemons.append(daemon)
        subprocess.run(["adb", "connect", daemon.serial], check=True, capture_output=True, timeout=20)
        # Until adb has tried its keys.
        while b"authorizing" in subprocess.run(["adb", "devices"], capture_output=True, timeout=20).stdout:
            time.sleep(0.01)
        return daemon

    yield connect
    for daemon in daemons:
        subprocess.run(["adb", "disconnect", daemon.serial], capture_output=True, timeout=20)
        daemon.stop()


@pytest.fixture
def phone() -> Phone:
    return Phone()


@pytest.fixture
def daemon(plug_in, phone) -> Daemon:
    return plug_in(phone)


@pytest.fixture
def bundle(app, tmp_path) -> Path:
    """A bundle that asks for 100 ms, in a place whose name no shell would take unquoted."""
    stages = [describe_stage(i, name, data, "int8") for i, (name, data) in enumerate(app.models.items())]
    identity = Identity(name="colours", version="1.2.0", summary="색", licence="Apache-2.0")
    manifest = Manifest.model_validate(
        {
            "identity": identity,
            "stages": stages,
            "graph": app.graph.to_json(),
            "requirements": {"capture_to_display_p90_ms": 100},
        },
        strict=False,
    )
    files = {stage.file: app.models[stage.name] for stage in stages}
    labels = {name: json.dumps(list(entries)).encode() for name, entries in app.labels.items()}
    path = tmp_path / "수식 $(스캔) 'a'.litebundle"
    write_bundle(path, manifest, files | labels)
    return path
