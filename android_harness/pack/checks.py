"""What must hold of an APK. Each check raises PackError with what it found."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Set
from pathlib import Path

from android_harness.pack.aapt2 import aapt2
from android_harness.pack.apk import ABI_FOLDER, PAGE
from android_harness.pack.elf import load_alignment
from android_harness.pack.tools import PackError, program, run

SIZE_BUDGET_BYTES = 20_000_000
_LIBRARIES = {f"{ABI_FOLDER}libjnijavacpp.so", f"{ABI_FOLDER}libjnitensorflowlite.so"}
_BADGES = (
    r"package: name='org\.litebundle\.sample' versionCode='\d+' versionName='[\d.]+'",
    r"sdkVersion:'26'",
    r"targetSdkVersion:'35'",
    r"launchable-activity: name='org\.litebundle\.app\.RunActivity'",
    r"uses-feature-not-required: name='android\.hardware\.camera'",
)
_LOCAL_HEADER = struct.Struct("<26xHH")


def check_reproduced(first: bytes, second: bytes) -> None:
    """Two unsigned APKs of the same inputs are the same bytes, so anyone can prove from which sources one was made."""
    if first != second:
        ones, others = _files(first), _files(second)
        names = sorted(name for name in ones.keys() | others.keys() if ones.get(name) != others.get(name))
        raise PackError(f"packing the same inputs twice gave different bytes, in {names or 'their layout'}")


def check(apk: Path, found_by_name: Set[str], folder: Path) -> None:
    """All of a signed one; libraries look up the classes `found_by_name`; what is dumped is put into `folder`."""
    check_signature(run([program("apksigner"), "verify", "--verbose", apk]))
    check_badging(aapt2("dump", "badging", apk))
    check_size(apk.stat().st_size)
    data = apk.read_bytes()
    check_layout(data)
    dumps = {name: _dump(folder / name, code) for name, code in _files(data, ".dex").items()}
    for name, dump in dumps.items():
        check_code(name, dump)
    check_classes("".join(dumps.values()), found_by_name)


def check_signature(report: str) -> None:
    for scheme in ("v2", "v3"):
        if not re.search(rf"^Verified using {scheme} scheme .*: true$", report, re.MULTILINE):
            raise PackError(f"the APK is not signed by scheme {scheme}; apksigner says:\n{report}")


def check_badging(badging: str) -> None:
    for badge in _BADGES:
        if not re.search(f"^ *{badge}", badging, re.MULTILINE):
            raise PackError(f"the APK's manifest gives no line like {badge}; aapt2 says:\n{badging}")
    if re.search("^application-debuggable", badging, re.MULTILINE):
        raise PackError("the APK is debuggable, so no latency that it measures can be a headline")


def check_size(size_bytes: int) -> None:
    if size_bytes > SIZE_BUDGET_BYTES:
        raise PackError(f"the APK has {size_bytes} bytes, its budget is {SIZE_BUDGET_BYTES}")


def check_code(name: str, dump: str) -> None:
    count = dump.count("invoke-custom")
    if count:
        raise PackError(f"{name} has {count} invoke-custom, which no Android runs well; see the -X options in pom.xml")


def check_classes(dump: str, found_by_name: Set[str]) -> None:
    there = {name.replace("/", ".") for name in re.findall(r"^ *Class descriptor *: 'L(.*);'$", dump, re.MULTILINE)}
    missing = sorted(found_by_name - there)
    if missing:
        raise PackError(f"native code looks up {missing}, which R8 took out; keep them in app/proguard-rules.pro")


def check_layout(apk: bytes) -> None:
    """Libraries, bundles and the models in these are stored, and begin where a page can."""
    libraries = _files(apk, ".so")
    if libraries.keys() != _LIBRARIES:
        raise PackError(f"the APK's libraries are {sorted(libraries)}, not {sorted(_LIBRARIES)}")
    for name, library in libraries.items():
        _check_page(name, _offset(apk, name))
        wanted = load_alignment(name, library)
        if wanted % PAGE:
            raise PackError(f"{name} wants segments at multiples of {wanted} bytes, not of {PAGE}")
    bundles = _files(apk, ".litebundle")
    if not bundles:
        raise PackError("the APK holds no bundle")
    for name, bundle in bundles.items():
        start = _offset(apk, name)
        _check_page(name, start)
        for model in _files(bundle, ".tflite"):
            _check_page(f"{name}/{model}", start + _offset(bundle, model))


def _dump(file: Path, code: bytes) -> str:
    file.write_bytes(code)
    return run([program("dexdump"), "-d", file])


def _check_page(name: str, offset: int) -> None:
    if offset % PAGE:
        raise PackError(f"{name} lies at byte {offset}, which is no multiple of {PAGE}")


def _files(archive: bytes, suffix: str = "") -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist() if name.endswith(suffix)}


def _offset(archive: bytes, name: str) -> int:
    """Where the data of a stored entry begins (APPNOTE 4.3.7)."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        entry = opened.getinfo(name)
    if entry.compress_type != zipfile.ZIP_STORED:
        raise PackError(f"{name} is compressed, so it cannot be mapped")
    name_bytes, extra_bytes = _LOCAL_HEADER.unpack_from(archive, entry.header_offset)
    return int(entry.header_offset + _LOCAL_HEADER.size + name_bytes + extra_bytes)
