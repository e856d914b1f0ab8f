"""`litebundle device`: a bundle on a phone, over adb."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from litebundle.cli.output import emit, json_option, print_table

if TYPE_CHECKING:
    from litebundle.device.devices import Device

serial_option = click.option(
    "-s", "--serial", help="Serial number of the phone, as 'device list' shows it.  [default: the only one]"
)


@dataclass(frozen=True)
class DeviceListDocument:
    """What `litebundle device list --json` prints; a phone can be used if its `state` is "device"."""

    devices: tuple[Device, ...]


@dataclass(frozen=True)
class DeviceInstallDocument:
    """What `litebundle device install --json` prints."""

    serial: str
    apk: str
    package: str
    version: str


@dataclass(frozen=True)
class DevicePushDocument:
    """What `litebundle device push --json` prints; `already_there`: nothing had to be sent."""

    serial: str
    bundle: str
    path: str
    sha256: str
    size_bytes: int
    already_there: bool


@click.group("device")
def command() -> None:
    """Measure a bundle on a phone, over adb."""


@command.command("list", short_help="Show the phones that adb sees.")
@json_option
def list_(as_json: bool) -> None:
    """Show the phones that adb sees, and what to do about those that cannot be used."""
    from litebundle.device.devices import list_devices

    document = DeviceListDocument(list_devices())

    def show() -> None:
        rows = [(d.serial, d.state, d.model, d.android, d.sdk or "", d.way_out) for d in document.devices]
        print_table("phones", ("serial", "state", "model", "Android", "API", "to do"), rows)

    emit(document, as_json, show)


@command.command("install", short_help="Install the app on a phone.")
@click.argument("apk", type=click.Path(path_type=Path))
@serial_option
@json_option
def install(apk: Path, serial: str | None, as_json: bool) -> None:
    """Install the app from APK, or replace the one that is there; what it has measured is kept."""
    from litebundle.device.devices import choose
    from litebundle.device.install import install

    adb = choose(serial)
    app = install(adb, apk)
    document = DeviceInstallDocument(adb.serial, str(apk), app.package, app.version)
    emit(document, as_json, lambda: click.echo(f"{app.package} {app.version} is on {adb.serial}"))


@command.command("push", short_help="Put a bundle on a phone.")
@click.argument("bundle", type=click.Path(path_type=Path))
@serial_option
@json_option
def push(bundle: Path, serial: str | None, as_json: bool) -> None:
    """Check BUNDLE and put it on a phone, where 'device run' finds it; the same one is not sent twice."""
    from litebundle.device.devices import choose
    from litebundle.device.push import push_bundle

    adb = choose(serial)
    pushed = push_bundle(adb, bundle, _tell)
    document = DevicePushDocument(
        adb.serial, str(bundle), pushed.path, pushed.sha256, pushed.size_bytes, pushed.already_there
    )
    what = "was there already" if pushed.already_there else f"{pushed.size_bytes:,} bytes"
    emit(document, as_json, lambda: click.echo(f"{pushed.path}  {what}"))


def _tell(progress: str) -> None:
    click.echo(progress, err=True)
