"""`litebundle device`: a bundle on a phone, over adb."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIG_DFL, SIGHUP, SIGTERM, getsignal, signal
from typing import TYPE_CHECKING, Literal

import click

from litebundle.cli import FELL_SHORT, HELD
from litebundle.cli.output import emit, json_option, print_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litebundle.device.devices import Device
    from litebundle.device.gate import Gate
    from litebundle.device.result import RunResult

serial_option = click.option(
    "-s", "--serial", help="Serial number of the phone, as 'device list' shows it.  [default: the only one]"
)
against_option = click.option(
    "--against",
    type=click.Path(path_type=Path),
    help="Folder of an earlier run to compare with: worse, not worse or undecided.",
)


_WORDS = {"pass": "held", "fail": "fell short", "refused": "refused: the numbers are void", "undecided": "undecided"}


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


@dataclass(frozen=True)
class DeviceRunDocument:
    """What `litebundle device run --json` prints."""

    serial: str
    bundle: str
    folder: str
    report: str
    gate: Gate


@dataclass(frozen=True)
class DeviceRecordDocument:
    """What `litebundle device record --json` prints; `lost`: how many of its `frames` have no picture."""

    serial: str
    folder: str
    frames: int
    lost: int
    duration_s: float
    size_bytes: int


@dataclass(frozen=True)
class DevicePullDocument:
    """What `litebundle device pull --json` prints; `verdict` is the app's own."""

    serial: str
    run: str
    folder: str
    files: tuple[str, ...]
    verdict: Literal["pass", "fail", "refused"]


@dataclass(frozen=True)
class DeviceReportDocument:
    """What `litebundle device report --json` prints."""

    folder: str
    report: str
    gate: Gate


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
    """Install the app from APK, or replace the one that is there, whose runs stay on the phone."""
    from litebundle.device.alone import alone
    from litebundle.device.devices import choose
    from litebundle.device.install import install

    with alone(choose(serial)) as adb:
        app = install(adb, apk)
    document = DeviceInstallDocument(adb.serial, str(apk), app.package, app.version)
    emit(document, as_json, lambda: click.echo(f"{app.package} {app.version} is on {adb.serial}"))


@command.command("push", short_help="Put a bundle on a phone.")
@click.argument("bundle", type=click.Path(path_type=Path))
@serial_option
@json_option
def push(bundle: Path, serial: str | None, as_json: bool) -> None:
    """Check BUNDLE and put it on a phone, where 'device run' finds it; the same one is not sent twice."""
    from litebundle.device.alone import alone
    from litebundle.device.devices import choose
    from litebundle.device.push import push_bundle

    with alone(choose(serial)) as adb:
        pushed = push_bundle(adb, bundle, _tell)
    document = DevicePushDocument(
        adb.serial, str(bundle), pushed.path, pushed.sha256, pushed.size_bytes, pushed.already_there
    )
    what = "was there already" if pushed.already_there else f"{pushed.size_bytes:,} bytes"
    emit(document, as_json, lambda: click.echo(f"{pushed.path}  {what}"))


@command.command("run", short_help="Measure a bundle on a phone.")
@click.argument("bundle", type=click.Path(path_type=Path))
@serial_option
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder to make.  [default: a new one in runs]")
@click.option("--kind", type=click.Choice(["live", "replay", "optical"]), default="live", show_default=True)
@click.option("--recording", type=click.Path(path_type=Path), help="Recorded frames for --kind replay.")
@click.option("--seconds", type=click.IntRange(1, 3600), default=60, show_default=True, help="Of each restart.")
@click.option("--restarts", type=click.IntRange(min=1), default=3, show_default=True, help="A gate needs 3.")
@click.option(
    "--cool-down", type=click.FloatRange(min=0), default=300, show_default=True, help="Seconds to wait for a hot phone."
)
@against_option
@json_option
def run(
    bundle: Path,
    serial: str | None,
    output: Path | None,
    kind: Literal["live", "replay", "optical"],
    recording: Path | None,
    seconds: int,
    restarts: int,
    cool_down: float,
    against: Path | None,
    as_json: bool,
) -> int:
    """Measure BUNDLE on a phone: capture to display, over several process restarts, with a report.

    The phone is given back as it was, also after Ctrl-C. Exit code 1: a budget is missed, the numbers are void, it is
    worse than the earlier run, or nothing is decided.
    """
    from litebundle.device.alone import alone
    from litebundle.device.devices import choose
    from litebundle.device.names import new_name
    from litebundle.device.result import read_runs
    from litebundle.device.run import Order, measure
    from litebundle.report.environment import environment

    environment()  # what the report needs is missing now, or not after minutes of measuring
    earlier = read_runs(against) if against else ()
    folder = output or Path("runs", new_name())
    order = Order(bundle, kind, seconds, restarts, recording, cool_down)
    with ended_like_ctrl_c(), alone(choose(serial)) as adb:
        results = measure(adb, order, folder, _tell)
    gate = _decided(results, earlier, against, folder / "report.html")
    document = DeviceRunDocument(adb.serial, str(bundle), str(folder), str(folder / "report.html"), gate)
    emit(document, as_json, lambda: _show(gate, document.report))
    return HELD if gate.held else FELL_SHORT


@command.command("record", short_help="Record what a phone's camera gives.")
@serial_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder to make.  [default: a new one in recordings]"
)
@click.option("--seconds", type=click.IntRange(1, 3600), default=5, show_default=True, help="How long.")
@json_option
def record(serial: str | None, output: Path | None, seconds: int, as_json: bool) -> None:
    """Record live camera frames into a folder, for 'device run --kind replay' and the desktop runner.

    The phone is given back as it was, also after Ctrl-C, and keeps no copy.
    """
    from litebundle.device.alone import alone
    from litebundle.device.devices import choose
    from litebundle.device.names import new_name
    from litebundle.device.record import record

    with ended_like_ctrl_c(), alone(choose(serial)) as adb:
        made = record(adb, seconds, output or Path("recordings", new_name()), _tell)
    document = DeviceRecordDocument(
        adb.serial, str(made.path), made.frames, made.lost, made.duration_s, made.size_bytes
    )
    lost = f", {made.lost} of them without a picture" if made.lost else ""
    told = f"{made.path}  {made.frames} frames in {made.duration_s:.1f} s{lost}, {made.size_bytes / 1e6:.1f} MB"
    emit(document, as_json, lambda: click.echo(told))


@command.command("pull", short_help="Fetch a run that is still on a phone.")
@click.argument("run")
@serial_option
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder to make.  [default: runs/RUN]")
@json_option
def pull(run: str, serial: str | None, output: Path | None, as_json: bool) -> None:
    """Fetch the result of RUN, which an earlier 'device run' could not fetch; the phone keeps it."""
    from litebundle.device.alone import alone
    from litebundle.device.devices import choose
    from litebundle.device.install import RUNS
    from litebundle.device.pull import check_name, pull_run

    check_name(run)
    with alone(choose(serial)) as adb:
        result = pull_run(adb, f"{RUNS}/{run}", output or Path("runs", run))
    files = tuple(sorted(path.name for path in result.folder.iterdir()))
    document = DevicePullDocument(adb.serial, run, str(result.folder), files, result.report.verdict.state)
    emit(document, as_json, lambda: click.echo(f"{document.folder}  {', '.join(files)}"))


@command.command("report", short_help="Decide on a run again and write its report.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write.  [default: FOLDER/report.html]")
@against_option
@json_option
def report(folder: Path, output: Path | None, against: Path | None, as_json: bool) -> int:
    """Write the report on what 'device run' left in FOLDER: one HTML file; no phone is needed. Exit codes as for it."""
    from litebundle.device.result import read_runs

    target = output or folder / "report.html"
    gate = _decided(read_runs(folder), read_runs(against) if against else (), against, target)
    document = DeviceReportDocument(str(folder), str(target), gate)
    emit(document, as_json, lambda: _show(gate, document.report))
    return HELD if gate.held else FELL_SHORT


def _decided(
    results: tuple[RunResult, ...], earlier: tuple[RunResult, ...], against: Path | None, target: Path
) -> Gate:
    """The decision, with the report on it written."""
    from litebundle.device.gate import decide
    from litebundle.device.page import render
    from litebundle.files import write_atomically

    gate = decide(results, earlier, against)
    write_atomically(target, render(gate, results).encode())
    return gate


def _show(gate: Gate, report: str) -> None:
    rows = [(r.run, r.verdict, r.captured, r.presented, _ms(r.p50_ms), _ms(r.p90_ms)) for r in gate.restarts]
    print_table("restarts", ("run", "verdict", "captured", "presented", "p50 ms", "p90 ms"), rows)
    for budget in gate.budgets:
        bounds = "" if budget.low is None else f" ({_ms(budget.low)} to {_ms(budget.high)})"
        click.echo(f"{budget.name}: {budget.verdict}, {_ms(budget.measured)}{bounds}, at most {budget.limit:g}")
    if gate.against:
        click.echo(f"against {gate.against.folder}: {gate.against.verdict}; {gate.against.reason}")
    for reason in gate.reasons:
        click.echo(f"{reason.code}: {reason.text}")
    click.echo(f"report  {report}")
    click.echo(_WORDS[gate.outcome])


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


@contextmanager
def ended_like_ctrl_c() -> Iterator[None]:
    """A terminal that hangs up and a job that is cancelled leave the phone as it was, too."""
    signals = [number for number in (SIGTERM, SIGHUP) if getsignal(number) is SIG_DFL]

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    for number in signals:
        signal(number, interrupt)
    try:
        yield
    finally:
        for number in signals:
            signal(number, SIG_DFL)


def _tell(progress: str) -> None:
    click.echo(progress, err=True)
