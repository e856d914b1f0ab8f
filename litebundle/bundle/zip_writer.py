"""A zip written byte for byte by rule: stored, sorted, dated 1980, each file's data aligned.

The layout (docs/bundle.md, "Zip layout") leaves no choice open, so equal files give equal bytes, and a reader can
compute what every byte outside the files must be. The format is PKWARE's APPNOTE 6.3.9; alignment uses the extra
field that Android's zipalign and apksigner know.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from litebundle.errors import LitebundleError

MAX_BYTES = 2**31 - 1
"""A file of at most this can be mapped whole on every Android and needs no zip64."""
MAX_ENTRIES = 2**16 - 2

_LOCAL = struct.Struct("<IHHHHHIIIHH")
_CENTRAL = struct.Struct("<IHHHHHHIIIHHHHHII")
_END = struct.Struct("<IHHHHIIH")
_ALIGNMENT_FIELD = struct.Struct("<HHH")

_VERSION = 20
_UTF8_NAME = 0x0800
_STORED = 0
_TIME_MIDNIGHT = 0
_DATE_1980_01_01 = 0x0021
_ALIGNMENT_FIELD_ID = 0xD935
_CHUNK_BYTES = 2**20

Content = bytes | memoryview | Path
Alignment = Callable[[str], int]


@dataclass(frozen=True)
class Entry:
    """One stored file: its name, size and CRC-32, where its local header begins and how its data is aligned."""

    name: str
    size_bytes: int
    crc: int
    offset: int
    alignment: int

    @property
    def data_offset(self) -> int:
        """The first multiple of the alignment behind the header, the name and the shortest alignment field."""
        shortest = self.offset + _LOCAL.size + len(self.name.encode()) + _ALIGNMENT_FIELD.size
        return -(-shortest // self.alignment) * self.alignment

    @property
    def end(self) -> int:
        return self.data_offset + self.size_bytes


def write_zip(file: BinaryIO, contents: Mapping[str, Content], alignment: Alignment) -> tuple[Entry, ...]:
    """Write `contents` (name -> bytes, or a path whose content is streamed) as one zip, from the file's position 0.

    Args:
        file: Open for writing and seekable.
        contents: Any order; the zip holds them sorted by their names' UTF-8 bytes.
        alignment: Name -> power of two up to 32768 of which the offset of the file's data is a multiple.

    Returns:
        The entries as written.

    Raises:
        LitebundleError: Too many or too large files for a zip without zip64.
        OSError: A content cannot be read or the file cannot be written.
    """
    if len(contents) > MAX_ENTRIES:
        raise LitebundleError(f"{len(contents)} files are too many for one zip; at most {MAX_ENTRIES} fit")
    entries: list[Entry] = []
    offset = 0
    for name in sorted(contents, key=str.encode):
        entry = _write_entry(file, Entry(name, 0, 0, offset, alignment(name)), contents[name])
        entries.append(entry)
        offset = entry.end
    directory = central_directory(entries)
    _check_size(offset + len(directory), "the zip")
    file.write(directory)
    return tuple(entries)


def local_header(entry: Entry) -> bytes:
    """Everything before the entry's data: header, name, and the zero-padded alignment field."""
    name = entry.name.encode()
    extra = entry.data_offset - entry.offset - _LOCAL.size - len(name)
    fields = _LOCAL.pack(
        0x04034B50,
        _VERSION,
        _UTF8_NAME,
        _STORED,
        _TIME_MIDNIGHT,
        _DATE_1980_01_01,
        entry.crc,
        entry.size_bytes,
        entry.size_bytes,
        len(name),
        extra,
    )
    padded = _ALIGNMENT_FIELD.pack(_ALIGNMENT_FIELD_ID, extra - 4, entry.alignment)
    return fields + name + padded.ljust(extra, b"\0")


def central_directory(entries: list[Entry]) -> bytes:
    """Everything after the last entry's data: the central directory and its end record."""
    records = b"".join(_central_record(entry) for entry in entries)
    start = entries[-1].end if entries else 0
    return records + _END.pack(0x06054B50, 0, 0, len(entries), len(entries), len(records), start, 0)


def _central_record(entry: Entry) -> bytes:
    name = entry.name.encode()
    fields = _CENTRAL.pack(
        0x02014B50,
        _VERSION,
        _VERSION,
        _UTF8_NAME,
        _STORED,
        _TIME_MIDNIGHT,
        _DATE_1980_01_01,
        entry.crc,
        entry.size_bytes,
        entry.size_bytes,
        len(name),
        0,
        0,
        0,
        0,
        0,
        entry.offset,
    )
    return fields + name


def _write_entry(file: BinaryIO, blank: Entry, content: Content) -> Entry:
    """Write header and data; size and CRC are known after the data, so the header is written over at the end."""
    file.seek(blank.data_offset)
    size, crc = 0, 0
    for chunk in _chunks(content):
        file.write(chunk)
        size += len(chunk)
        crc = zlib.crc32(chunk, crc)
        _check_size(blank.data_offset + size, repr(blank.name))
    entry = Entry(blank.name, size, crc, blank.offset, blank.alignment)
    file.seek(entry.offset)
    file.write(local_header(entry))
    file.seek(entry.end)
    return entry


def _chunks(content: Content) -> Iterator[bytes | memoryview]:
    if not isinstance(content, Path):
        yield memoryview(content)
        return
    with content.open("rb") as source:
        while chunk := source.read(_CHUNK_BYTES):
            yield chunk


def _check_size(size_bytes: int, what: str) -> None:
    if size_bytes > MAX_BYTES:
        raise LitebundleError(
            f"{what} would pass {MAX_BYTES} bytes, the most that every reader can map at once; "
            "quantize the stages or split the pipeline into two bundles"
        )
