"""Listing, installing and pushing, by the command line, over the real adb client."""

from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema
import pytest

from litebundle.cli import execute
from litebundle.device import adb as driver
from litebundle.device import devices
from litebundle.device.adb import Adb, Disconnected, TimedOut
from litebundle.device.push import FOLDER, push_file
from tests.litebundle.device.adbd import Done
from tests.litebundle.device.phone import Phone

SCHEMAS = Path(__file__).parents[3] / "docs" / "cli"
MEGABYTE = 1_000_000


@pytest.fixture
def source(tmp_path) -> Path:
    """A file whose name no shell would take unquoted."""
    path = tmp_path / "수식 $(스캔) 'a'.litebundle"
    path.write_bytes(os.urandom(2 * MEGABYTE))
    return path


@pytest.fixture
def apk(tmp_path) -> Path:
    path = tmp_path / "app.apk"
    path.write_bytes(b"PK\x03\x04" + os.urandom(1000))
    return path


def push(daemon, source):
    return push_file(Adb(daemon.serial), source, ".litebundle", lambda text: None)


def parts(phone) -> list[str]:
    return [name for name in phone.files if name.endswith(".part")]


def check(name: str, document) -> None:
    jsonschema.validate(document, json.loads((SCHEMAS / f"{name}.schema.json").read_text()))


def test_list_shows_model_and_version(litebundle, daemon) -> None:
    answer = litebundle("device", "list", "--json")
    check("device-list", answer.json)
    assert answer.code == 0
    (found,) = answer.json["devices"]
    assert (found["serial"], found["state"]) == (daemon.serial, "device")
    assert (found["model"], found["android"], found["sdk"]) == ("Loop 1", "15", 35)
    assert "Loop 1" in litebundle("device", "list").out


def test_no_device(litebundle, adb_environment) -> None:
    for arguments in (("list",), ("push", "x.litebundle"), ("install", "x.apk")):
        answer = litebundle("device", *arguments)
        assert answer.code == 2
        assert "error: no device" in answer.err and "USB debugging" in answer.err


def test_no_adb(litebundle, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("ANDROID_HOME", raising=False)
    monkeypatch.delenv("ANDROID_SDK_ROOT", raising=False)
    answer = litebundle("device", "list", "--json")
    assert (answer.code, answer.json["error"]["kind"]) == (2, "input")
    assert "platform tools" in answer.err


def test_two_devices_must_be_told_apart(litebundle, plug_in, phone, apk) -> None:
    first, second = plug_in(phone), plug_in(Phone())
    answer = litebundle("device", "install", apk)
    assert answer.code == 2
    assert first.serial in answer.err and second.serial in answer.err and "-s SERIAL" in answer.err
    answer = litebundle("device", "install", apk, "-s", second.serial)
    assert (answer.code, phone.commands) == (0, [])
    answer = litebundle("device", "install", apk, "-s", "elsewhere")
    assert answer.code == 2
    assert "'elsewhere': adb does not see it" in answer.err


def test_a_phone_that_has_not_allowed_debugging(litebundle, plug_in, phone, apk) -> None:
    plug_in(phone, authorised=False)
    answer = litebundle("device", "list")
    assert answer.code == 0
    assert "unauthorized" in answer.out and "Allow USB debugging?" in answer.out
    answer = litebundle("device", "install", apk)
    assert answer.code == 2
    assert "unauthorized" in answer.err and "Allow USB debugging?" in answer.err


def test_a_phone_with_spaces_in_its_serial_number(monkeypatch) -> None:
    serial = "adb-1A2B-xY (2)._adb-tls-connect._tcp"
    listed = driver.Answer(0, f"List of devices attached\n{serial}\tdevice\n\n", "")
    monkeypatch.setattr(devices, "run_adb", lambda *words, timeout_s: listed)
    assert devices.choose(None).serial == devices.choose(serial).serial == serial


def test_a_phone_that_does_not_answer_hides_no_other(litebundle, plug_in, phone, monkeypatch) -> None:
    monkeypatch.setattr(driver, "QUERY_S", 0.3)
    monkeypatch.setattr(Adb.ask, "__kwdefaults__", {"timeout_s": 0.3})
    plug_in(phone)
    plug_in(Phone(slow=frozenset({"getprop"})))
    answer = litebundle("device", "list")
    assert answer.code == 0
    assert "Loop 1" in answer.out and "it does not answer" in answer.out


def test_install(litebundle, plug_in, apk) -> None:
    phone = Phone(app_version=None)
    daemon = plug_in(phone)
    answer = litebundle("device", "install", apk, "--json")
    check("device-install", answer.json)
    assert answer.code == 0
    assert answer.json == {
        "serial": daemon.serial,
        "apk": str(apk),
        "package": "org.litebundle.sample",
        "version": "0.1.0",
    }


@pytest.mark.parametrize(
    ("answer", "way_out"),
    [
        ("Failure [INSTALL_FAILED_UPDATE_INCOMPATIBLE: signatures do not match]\n", "adb uninstall"),
        ("Failure [INSTALL_FAILED_INSUFFICIENT_STORAGE]\n", "make room"),
        ("Failure [INSTALL_FAILED_SOMETHING_NEW]\n", "INSTALL_FAILED_SOMETHING_NEW"),
        ("cmd: Failure calling service package: Broken pipe (32)\n", "refused it: "),
    ],
)
def test_a_refused_install_says_the_way_out(litebundle, plug_in, apk, answer, way_out) -> None:
    plug_in(Phone(install_answer=answer))
    told = litebundle("device", "install", apk)
    assert told.code == 2
    assert str(apk) in told.err and way_out in told.err


@pytest.mark.parametrize("code", ["UPDATE_INCOMPATIBLE", "VERSION_DOWNGRADE"])
def test_removing_the_app_is_told_to_delete_its_runs(litebundle, plug_in, apk, code) -> None:
    plug_in(Phone(install_answer=f"Failure [INSTALL_FAILED_{code}]\n"))
    told = litebundle("device", "install", apk).err
    assert "adb uninstall" in told and "deletes its runs" in told and "litebundle device pull RUN" in told


def test_an_unusable_phone_is_told_in_adbs_word_for_it(monkeypatch) -> None:
    for state in ("no permissions", "rescue"):
        listed = driver.Answer(0, f"List of devices attached\nA1\t{state}\n", "")
        monkeypatch.setattr(devices, "run_adb", lambda *words, timeout_s, listed=listed: listed)
        with pytest.raises(driver.DeviceError, match=f"'A1': adb calls it '{state}'; .*, then start again"):
            devices.choose("A1")


def test_only_an_apk_is_installed(litebundle, daemon, tmp_path) -> None:
    other = tmp_path / "x.apk"
    other.write_text("no zip")
    answer = litebundle("device", "install", other)
    assert answer.code == 2
    assert "not an APK" in answer.err


def test_push_arrives_whole_under_a_neutral_name_and_is_not_repeated(daemon, phone, source) -> None:
    first = push(daemon, source)
    assert phone.files == {first.path: source.read_bytes()}
    assert first.path.startswith(FOLDER + "/") and first.path.isascii() and " " not in first.path
    assert not first.already_there
    pushes = []
    phone.on_receive = pushes.append
    assert push(daemon, source).already_there
    assert pushes == []


def test_another_file_of_that_name_is_replaced(daemon, phone, source) -> None:
    path = push(daemon, source).path
    phone.files[path] = b"changed on the phone"
    assert not push(daemon, source).already_there
    assert phone.files == {path: source.read_bytes()}


def test_push_goes_on_after_the_cable_was_out_for_a_moment(plug_in, phone, source, monkeypatch) -> None:
    monkeypatch.setattr(driver, "RETURN_S", 20.0)
    daemon = plug_in(phone)
    cut = []

    def cut_once(so_far: int) -> None:
        if so_far > MEGABYTE and not cut:
            cut.append(so_far)
            daemon.drop()

    phone.on_receive = cut_once
    pushed = push(daemon, source)
    assert cut
    assert phone.files == {pushed.path: source.read_bytes()}


def test_offline_in_mid_push(daemon, phone, source) -> None:
    phone.on_receive = lambda so_far: daemon.drop(for_good=True) if so_far > MEGABYTE else None
    with pytest.raises(Disconnected, match=r"went offline while .* was pushed; check the cable"):
        push(daemon, source)
    assert list(phone.files) == parts(phone), "nothing but what the next push replaces"


def test_storage_that_fills_up_in_mid_push(daemon, phone, source) -> None:
    phone.full = True
    with pytest.raises(driver.DeviceError, match="storage is full; make room"):
        push(daemon, source)
    assert phone.files == {}


def test_storage_without_room_is_told_before_pushing(daemon, phone, source) -> None:
    phone.free_kb = 3000
    received = []
    phone.on_receive = received.append
    with pytest.raises(driver.DeviceError, match="storage is full; make room"):
        push(daemon, source)
    assert (received, phone.files) == ([], {})


def test_bytes_that_change_on_the_way_are_noticed(daemon, phone, source) -> None:
    phone.write = lambda path, data: phone.files.update({path: data[:-1] + bytes([data[-1] ^ 1])})
    with pytest.raises(driver.DeviceError, match="other bytes arrived"):
        push(daemon, source)
    assert phone.files == {}


def test_a_slow_shell_is_given_up(daemon, phone) -> None:
    phone.slow = frozenset({"getprop"})
    with pytest.raises(TimedOut, match=r"did not end within 0\.3 s"):
        Adb(daemon.serial).shell("getprop", "x", timeout_s=0.3)


def test_exit_codes_and_words_reach_us_unchanged(daemon, phone) -> None:
    phone.failing["mkdir"] = Done("out\n", "read-only file system\n", 7)
    words = ["mkdir", "a b", "$(id)", "수식", "it's; rm -rf /", "-p", ""]
    answer = Adb(daemon.serial).shell(*words)
    assert (answer.code, answer.out, answer.err) == (7, "out\n", "read-only file system\n")
    assert phone.commands == [words]


def test_a_file_whose_name_begins_like_an_option(litebundle, daemon, phone, apk, source, monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    pushed = push(daemon, source.rename("-p"))
    assert phone.files[pushed.path] == Path("./-p").read_bytes()
    apk.rename("-l.apk")
    assert litebundle("device", "install", "./-l.apk").code == 0


def test_a_rename_that_was_done_before_the_cable_was_out(daemon, phone, source, monkeypatch) -> None:
    monkeypatch.setattr(driver, "RETURN_S", 20.0)
    rename = phone._mv

    def rename_and_cut(words):
        done = rename(words)
        if not done.code:
            daemon.drop()
        return done

    phone._mv = rename_and_cut
    assert phone.files == {push(daemon, source).path: source.read_bytes()}


@pytest.mark.parametrize("code", [0, 1])
def test_a_connection_that_breaks_within_a_command_is_no_answer(daemon, phone, code) -> None:
    def cut(words):
        daemon.drop()
        return Done(code=code)

    phone._mkdir = cut
    with pytest.raises(Disconnected, match="the connection broke during 'mkdir'; check the cable"):
        Adb(daemon.serial).shell("mkdir", "-p", "/sdcard/x")


def test_a_phone_from_before_exit_codes_were_told(daemon, monkeypatch) -> None:
    told = driver.Answer(1, "", "error: device only supports allocating a pty\n")
    monkeypatch.setattr(Adb, "run", lambda adb, *words, timeout_s: told)
    with pytest.raises(driver.DeviceError, match=r"cannot run 'getprop' there .*a pty.*Android 8 or later"):
        Adb(daemon.serial).shell("getprop", "x")


def test_a_folder_that_cannot_be_made(daemon, phone, source) -> None:
    phone.failing["mkdir"] = Done(err="Permission denied\n", code=1)
    with pytest.raises(driver.DeviceError, match="cannot be made"):
        push(daemon, source)


def test_push_takes_only_bundles(litebundle, daemon, phone, source, tmp_path) -> None:
    for path in (source, tmp_path, tmp_path / "none.litebundle"):
        answer = litebundle("device", "push", path)
        assert answer.code == 2
        assert str(path) in answer.err
    assert phone.files == {}


def test_push_by_the_command_line(litebundle, daemon, phone, bundle) -> None:
    answer = litebundle("device", "push", bundle, "--json")
    check("device-push", answer.json)
    assert answer.code == 0
    assert phone.files[answer.json["path"]] == bundle.read_bytes()
    assert "was there already" in litebundle("device", "push", bundle).out


def test_every_group_verb_is_reached() -> None:
    assert execute(["device", "lsit"]) == 2
