"""The packer's parts, and that its checks find what they are for."""

from __future__ import annotations

import io
import json
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from android_harness.pack import __main__ as pack
from android_harness.pack import apk, checks
from android_harness.pack.__main__ import main
from android_harness.pack.aapt2 import aapt2
from android_harness.pack.elf import load_alignment
from android_harness.pack.signing import sample
from android_harness.pack.tools import PackError
from litebundle.bundle.zip_writer import write_zip

LIBRARIES = ("lib/arm64-v8a/libjnijavacpp.so", "lib/arm64-v8a/libjnitensorflowlite.so")
BADGING = """package: name='org.litebundle.sample' versionCode='1' versionName='0.1.0'
sdkVersion:'26'
targetSdkVersion:'35'
launchable-activity: name='org.litebundle.app.RunActivity'  label='' icon=''
  uses-feature-not-required: name='android.hardware.camera'
"""
SIGNED = """Verifies
Verified using v1 scheme (JAR signing): false
Verified using v2 scheme (APK Signature Scheme v2): true
Verified using v3 scheme (APK Signature Scheme v3): true
"""


def test_the_resource_compiler_runs_and_its_failure_is_told() -> None:
    pytest.importorskip("aapt2")
    assert "Android Asset Packaging Tool" in aapt2("version")
    words = [sys.executable, "-m", "android_harness.pack.aapt2", "link"]
    failed = subprocess.run(words, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: aapt2 exited with 1:")


def elf(*alignments: int) -> bytes:
    """A 64-bit header and one loadable segment of each alignment, behind one that is not loaded."""
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header = struct.pack("<16sHHIQQQIHHHHHH", ident, 3, 183, 1, 0, 64, 0, 0, 64, 56, 1 + len(alignments), 0, 0, 0)
    segments = [(4, 8), *((1, alignment) for alignment in alignments)]
    return header + b"".join(struct.pack("<IIQQQQQQ", kind, 5, 0, 0, 0, 0, 0, align) for kind, align in segments)


def bundle(alignment: int = apk.PAGE) -> bytes:
    return zipped({"manifest.json": b"{}", "stages/00-a/model.tflite": b"model"}, lambda _: alignment)


def zipped(contents: dict[str, bytes], alignment) -> bytes:  # type: ignore[no-untyped-def]
    file = io.BytesIO()
    write_zip(file, contents, alignment)
    return file.getvalue()


def package(**changes: bytes) -> dict[str, bytes]:
    return {**dict.fromkeys(LIBRARIES, elf(apk.PAGE)), "assets/a.litebundle": bundle(), "x.txt": b"x", **changes}


def test_a_package_laid_out_by_the_packer_holds() -> None:
    checks.check_layout(zipped(package(), apk.alignment))


def test_everything_that_is_mapped_begins_at_a_page() -> None:
    for name in (*LIBRARIES, "assets/a.litebundle"):
        moved = zipped(package(), lambda other, name=name: 4 if other == name else apk.alignment(other))
        with pytest.raises(PackError, match=f"{name} lies at byte"):
            checks.check_layout(moved)


def test_models_inside_a_bundle_begin_at_a_page_too() -> None:
    changed = package(**{"assets/a.litebundle": bundle(alignment=64)})
    with pytest.raises(PackError, match=r"a\.litebundle/stages/00-a/model\.tflite lies at byte"):
        checks.check_layout(zipped(changed, apk.alignment))


def test_libraries_for_small_pages_are_refused() -> None:
    changed = package(**{LIBRARIES[1]: elf(apk.PAGE, 4096)})
    with pytest.raises(PackError, match=r"tensorflowlite\.so wants segments at multiples of 4096"):
        checks.check_layout(zipped(changed, apk.alignment))


@pytest.mark.parametrize("missing", [*LIBRARIES, "assets/a.litebundle"])
def test_a_package_without_a_library_or_a_bundle_is_refused(missing: str) -> None:
    contents = package()
    del contents[missing]
    with pytest.raises(PackError):
        checks.check_layout(zipped(contents, apk.alignment))


def test_what_is_compressed_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in package().items():
            archive.writestr(name, data)
    with pytest.raises(PackError, match="compressed"):
        checks.check_layout(file.getvalue())


def test_packages_of_the_same_inputs_that_differ_are_refused() -> None:
    package_bytes = zipped(package(), apk.alignment)
    checks.check_reproduced(package_bytes, zipped(package(), apk.alignment))
    with pytest.raises(PackError, match=r"different bytes, in \['x\.txt'\]"):
        checks.check_reproduced(package_bytes, zipped(package(**{"x.txt": b"y"}), apk.alignment))
    with pytest.raises(PackError, match="in their layout"):
        checks.check_reproduced(package_bytes, zipped(package(), lambda name: 2 * apk.alignment(name)))


def test_both_signature_schemes_are_asked_for() -> None:
    checks.check_signature(SIGNED)
    for scheme in ("v2", "v3"):
        with pytest.raises(PackError, match=f"scheme {scheme}"):
            checks.check_signature(SIGNED.replace(f"Scheme {scheme}): true", f"Scheme {scheme}): false"))


def test_each_badge_is_asked_for() -> None:
    checks.check_badging(BADGING)
    for line in BADGING.splitlines():
        with pytest.raises(PackError, match="no line like"):
            checks.check_badging(BADGING.replace(line, ""))
    with pytest.raises(PackError, match="debuggable"):
        checks.check_badging(BADGING + "application-debuggable\n")


def test_the_budget_is_the_last_size_that_passes() -> None:
    checks.check_size(checks.SIZE_BUDGET_BYTES)
    with pytest.raises(PackError, match="budget"):
        checks.check_size(checks.SIZE_BUDGET_BYTES + 1)


def test_invoke_custom_is_found() -> None:
    checks.check_code("classes.dex", "0001: invoke-static {v0}")
    with pytest.raises(PackError, match=r"classes\.dex has 1 invoke-custom"):
        checks.check_code("classes.dex", "0001: invoke-custom {v0}, call_site_0")


def test_the_smallest_load_alignment_counts() -> None:
    assert load_alignment("a.so", elf(65536, 16384)) == 16384


@pytest.mark.parametrize(
    ("library", "reason"),
    [
        (b"\0" * 64, "no 64-bit"),
        (elf(16384)[:100], "cut short"),
        (elf(16384)[:20], "cut short"),
        (elf(), "no loadable"),
    ],
)
def test_what_is_no_whole_library_is_refused(library: bytes, reason: str) -> None:
    with pytest.raises(PackError, match=rf"a\.so .*{reason}"):
        load_alignment("a.so", library)


def arguments(folder: Path, **changes: str) -> list[str]:
    """Of a whole call, with files that pass for archives but for those in `changes`."""
    with zipfile.ZipFile(folder / "a.jar", "w") as jar:
        jar.writestr("a", b"")
    options = dict.fromkeys(("classpath", "resources", "bundle", "platform", "r8", "rules"), "a.jar") | changes
    paths = [part for option, name in options.items() for part in (f"--{option}", str(folder / name))]
    return [*paths, "--java-home", "none", "--output", str(folder / "out")]


@pytest.mark.parametrize("option", ["classpath", "resources", "bundle", "platform", "r8", "rules"])
def test_a_missing_input_is_named_before_anything_is_made(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(tmp_path, **{option: "missing"})) == 2
    assert f"there is no file {tmp_path / 'missing'}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["classpath", "resources", "bundle", "platform", "r8"])
def test_an_input_that_is_no_archive_is_named(option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text").write_text("no archive")
    assert main(arguments(tmp_path, **{option: "text"})) == 2
    assert f"{tmp_path / 'text'} is no archive" in capsys.readouterr().err


def test_an_archive_that_is_no_bundle_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(tmp_path)) == 2
    assert "a.jar" in capsys.readouterr().err


def test_a_jdk_that_is_not_there_is_told(tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(apk, "asset", lambda bundle: "assets/a.litebundle")
    monkeypatch.setattr(pack, "SAMPLE_KEYSTORE", tmp_path / "keystore")
    assert main(arguments(tmp_path)) == 2
    assert capsys.readouterr().err == "error: [Errno 2] No such file or directory: 'none/bin/keytool'\n"


@pytest.mark.skipif(shutil.which("keytool") is None, reason="make harness installs a JDK")
def test_the_samples_key_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    java_home = Path(str(shutil.which("keytool"))).resolve().parents[1]
    first = sample(tmp_path / "key", java_home).file.read_bytes()
    assert sample(tmp_path / "key", java_home).file.read_bytes() == first
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_classes_that_native_code_looks_up_are_asked_for(tmp_path: Path) -> None:
    listed = [{"name": "org.a.Outer$Named"}, {"name": "java.lang.String"}]
    with zipfile.ZipFile(tmp_path / "native.jar", "w") as jar:
        jar.writestr("META-INF/native-image/android-arm64/jnia/jni-config.json", json.dumps(listed))
        jar.writestr("META-INF/native-image/android-arm64/jnia/reflect-config.json", '[{"name": "org.a.Other"}]')
    wanted = apk.found_by_name([tmp_path / "native.jar"])
    assert wanted == {"org.a.Outer$Named"}
    checks.check_classes("  Class descriptor  : 'Lorg/a/Outer$Named;'\n", wanted)
    with pytest.raises(PackError, match=r"looks up \['org\.a\.Outer\$Named'\]"):
        checks.check_classes("  Class descriptor  : 'Lorg/a/Outer;'\n", wanted)
