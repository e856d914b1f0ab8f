"""The zip against an independent reader (zipfile) and against every way in which it could be wrong."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litebundle.bundle import zip_writer
from litebundle.bundle.layout import alignment
from litebundle.bundle.zip_reader import read_entries
from litebundle.bundle.zip_writer import write_zip
from litebundle.errors import LitebundleError

FILES = {"b.tflite": b"model" * 7, "a/one.json": b"{}", "empty": b"", "Z": b"\0\1\2"}
names = st.from_regex(r"[A-Za-z0-9_-]{1,6}(/[a-z0-9_]{1,6}){0,2}(\.tflite)?", fullmatch=True)


def pack(files, rule=alignment):
    buffer = io.BytesIO()
    write_zip(buffer, files, rule)
    return buffer.getvalue()


def data_offset(data, info):
    name_size, extra_size = struct.unpack_from("<HH", data, info.header_offset + 26)
    return info.header_offset + 30 + name_size + extra_size


@settings(max_examples=60)
@given(st.dictionaries(names, st.binary(max_size=300), max_size=8))
def test_zipfile_reads_what_was_written(files):
    data = pack(files)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files
        assert archive.namelist() == sorted(files)
        for info in archive.infolist():
            assert data_offset(data, info) % (16384 if info.filename.endswith(".tflite") else 4) == 0
            assert info.date_time == (1980, 1, 1, 0, 0, 0) and info.compress_type == zipfile.ZIP_STORED


@given(st.permutations(sorted(FILES.items())))
def test_order_of_the_arguments_does_not_matter(items):
    assert pack(dict(items)) == pack(FILES)


def test_files_are_streamed_from_paths(tmp_path):
    path = tmp_path / "model"
    path.write_bytes(bytes(range(256)) * 10000)
    assert pack({"b.tflite": path}) == pack({"b.tflite": memoryview(path.read_bytes())})


def test_padding_is_the_alignment_field_of_zipalign():
    data = pack(FILES)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo("b.tflite")
    name_size, extra_size = struct.unpack_from("<HH", data, info.header_offset + 26)
    start = info.header_offset + 30 + name_size
    field, size, multiple = struct.unpack_from("<HHH", data, start)
    assert (field, size, multiple) == (0xD935, extra_size - 4, 16384)
    assert not any(data[start + 6 : start + extra_size])


@settings(max_examples=60)
@given(
    st.dictionaries(names, st.binary(max_size=300), max_size=8).filter(lambda f: len({k.lower() for k in f}) == len(f))
)
def test_the_strict_reader_takes_exactly_this_layout(files):
    data = pack(files)
    entries = read_entries(memoryview(data))
    assert {e.name: data[e.data_offset : e.end] for e in entries} == files


def test_names_outside_ascii_are_stored_as_utf8():
    """Bundles do not hold such names, app packages may."""
    data = pack({"자산/모델.tflite": b"x"}, lambda name: 4)
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == ["자산/모델.tflite"]


def test_too_large_is_refused_with_a_way_out(monkeypatch):
    monkeypatch.setattr(zip_writer, "MAX_BYTES", 20000)
    with pytest.raises(LitebundleError, match=r"'b.tflite' would pass 20000 bytes.*split the pipeline"):
        pack({"b.tflite": bytes(4000)})
    with pytest.raises(LitebundleError, match="the zip would pass"):
        pack({"b.tflite": bytes(20000 - 16384)})


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/../x",
        "/etc/passwd",
        "C:/x",
        "c:x",
        "a\\b",
        "x\0y",
        "a//b",
        "",
        ".hidden",
        "a/.",
        "a/",
        "수식",
        "a b",
        "x" * 241,
    ],
)
def test_names_that_leave_the_bundle_or_are_not_portable_are_refused(name):
    with pytest.raises(LitebundleError, match="file "):
        read_entries(memoryview(pack({name: b"x"})))


def test_names_that_differ_by_case_alone_are_refused():
    with pytest.raises(LitebundleError, match=r"file 'a' differs from 'A' by case alone|file 'a': differs from 'A'"):
        read_entries(memoryview(pack({"A": b"1", "a": b"2"})))


def test_a_name_twice_is_refused():
    data = pack({"aa": b"1", "ab": b"2"})
    with pytest.raises(LitebundleError, match="file 'aa': is there twice"):
        read_entries(memoryview(data.replace(b"ab", b"aa")))


@pytest.mark.parametrize("appended", [b"\0", b"PK\5\6", bytes(22), b"x" * 100])
def test_bytes_before_and_behind_are_refused(appended):
    for data in (pack(FILES) + appended, appended + pack(FILES)):
        with pytest.raises(LitebundleError):
            read_entries(memoryview(data))


def test_any_truncation_is_refused():
    data = pack({"a": b"12345", "b": b"67"})
    for size in range(len(data)):
        with pytest.raises(LitebundleError):
            read_entries(memoryview(data[:size]))


def directory(data):
    return struct.unpack_from("<I", data, len(data) - 6)[0]


def patched(data, at, fmt, *values):
    changed = bytearray(data)
    struct.pack_into(fmt, changed, at, *values)
    return bytes(changed)


@pytest.mark.parametrize(
    ("offset", "fmt", "value", "message"),
    [
        (8, "<H", 0x0801, "file 'a' is encrypted"),
        (10, "<H", 8, "file 'a' is compressed"),
        (20, "<I", 4, "file 'a': its two sizes 4 and 5 do not add up"),
        (42, "<I", 9, "file 'a' leaves a gap"),
        (12, "<H", 1, "fields that the layout does not allow"),
        (38, "<I", 1, "fields that the layout does not allow"),
        (0, "<I", 0x02014B51, "central directory is damaged at entry 1"),
        (28, "<H", 9999, "ends within the name of entry 1"),
        (16, "<I", 0, "file 'a': its local header is not what the central directory says"),
    ],
)
def test_a_wrong_field_of_the_directory_is_refused(offset, fmt, value, message):
    data = pack({"a": b"12345", "b": b"67"})
    with pytest.raises(LitebundleError, match=message):
        read_entries(memoryview(patched(data, directory(data) + offset, fmt, value)))


def test_overlapping_files_are_refused():
    data = pack({"a": b"12345", "b": b"67"})
    second = directory(data) + 46 + 1
    with pytest.raises(LitebundleError, match="file 'b' overlaps the file before it"):
        read_entries(memoryview(patched(data, second + 42, "<I", 0)))


def test_a_file_that_reaches_into_the_directory_is_refused():
    data = pack({"a": b"12345"})
    start = directory(data)
    with pytest.raises(LitebundleError, match="file 'a' overlaps the central directory"):
        read_entries(memoryview(patched(data, start + 20, "<II", 99, 99)))


def test_zip64_is_refused():
    data = pack({"a": b"1"})
    with pytest.raises(LitebundleError, match="zip64"):
        read_entries(memoryview(patched(data, len(data) - 6, "<I", 0xFFFFFFFF)))


def test_padding_that_is_not_zero_is_refused():
    data = pack({"b.tflite": b"x"})
    with pytest.raises(LitebundleError, match=r"file 'b.tflite': its alignment padding"):
        read_entries(memoryview(patched(data, 5000, "<B", 1)))


def test_data_with_another_crc_is_refused():
    data = pack({"a": b"12345"})
    with pytest.raises(LitebundleError, match="file 'a': its data does not have the CRC-32"):
        read_entries(memoryview(data.replace(b"12345", b"12346")))


def test_files_of_other_writers_are_refused_not_misread():
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            archive.writestr("a", b"1" * 50)
        with pytest.raises(LitebundleError, match="file 'a'"):
            read_entries(memoryview(buffer.getvalue()))


def test_crc_is_the_one_of_zlib():
    (entry,) = read_entries(memoryview(pack({"a": b"123456789"})))
    assert entry.crc == zlib.crc32(b"123456789") == 0xCBF43926
