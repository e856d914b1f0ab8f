"""A zip read strictly: only the one layout that `zip_writer` writes, and every byte of it checked.

Since the layout leaves no choice open, what the central directory says of names, sizes and CRCs decides every other
byte outside the files' data; those bytes are computed and compared.
"""

from __future__ import annotations

import struct
import zlib

from litebundle.bundle.layout import alignment, check_distinct, check_name
from litebundle.bundle.zip_writer import MAX_BYTES, Entry, central_directory, local_header
from litebundle.errors import LitebundleError

_END = struct.Struct("<IHHHHIIH")
_END_SIGNATURE = 0x06054B50
_RECORD = struct.Struct("<IHHHHHHIIIHHHHHII")
_RECORD_SIGNATURE = 0x02014B50
_ENCRYPTED = 0x0001
_ZIP64 = 0xFFFFFFFF
_LOCAL_FIELDS_BYTES = 30


def read_entries(zip_bytes: memoryview) -> tuple[Entry, ...]:
    """Check the whole zip and give its entries, in their order.

    Raises:
        LitebundleError: Any byte is not as the layout demands, or a file's CRC-32 is not that of its data.
    """
    count, start = _read_end(zip_bytes)
    entries = _read_directory(zip_bytes, count, start)
    names = [entry.name for entry in entries]
    check_distinct(names)
    if names != sorted(names):
        raise LitebundleError("its files are not sorted by name")
    for entry in entries:
        _check_entry(zip_bytes, entry)
    if bytes(zip_bytes[start:]) != central_directory(entries):
        raise LitebundleError("its central directory has fields that the layout does not allow")
    return tuple(entries)


def _read_end(zip_bytes: memoryview) -> tuple[int, int]:
    """Number of entries and offset of the central directory."""
    if len(zip_bytes) > MAX_BYTES:
        raise LitebundleError(f"it is larger than {MAX_BYTES} bytes")
    if len(zip_bytes) < _END.size:
        raise LitebundleError("it is too short for a zip")
    signature, _, _, _, count, size, start, _ = _END.unpack(zip_bytes[-_END.size :])
    if signature != _END_SIGNATURE:
        raise LitebundleError("it does not end as a zip does: it was cut short, or something was appended")
    if _ZIP64 in (size, start) or count == 0xFFFF:
        raise LitebundleError("it is a zip64, which is not allowed")
    if start + size != len(zip_bytes) - _END.size:
        raise LitebundleError("its sizes do not add up: the central directory is not where its end record says")
    return count, start


def _read_directory(zip_bytes: memoryview, count: int, start: int) -> list[Entry]:
    entries: list[Entry] = []
    at, stop, expected = start, len(zip_bytes) - _END.size, 0
    for index in range(count):
        if at + _RECORD.size > stop:
            raise LitebundleError(f"its central directory ends before entry {index + 1} of {count}")
        entry, at = _read_record(zip_bytes, at, stop, index)
        if entry.offset != expected:
            gap = "overlaps the file before it" if entry.offset < expected else "leaves a gap before it"
            raise LitebundleError(f"file {entry.name!r} {gap}: its header is at {entry.offset}, not {expected}")
        if entry.end > start:
            raise LitebundleError(f"file {entry.name!r} overlaps the central directory: its sizes do not add up")
        entries.append(entry)
        expected = entry.end
    if at != stop:
        raise LitebundleError(f"its central directory holds more than its {count} entries")
    if expected != start:
        raise LitebundleError("its sizes do not add up: there are bytes between the last file and the directory")
    return entries


def _read_record(zip_bytes: memoryview, at: int, stop: int, index: int) -> tuple[Entry, int]:
    fields = _RECORD.unpack(zip_bytes[at : at + _RECORD.size])
    signature, _, _, flags, method, _, _, crc, packed, size, name_size, *_, offset = fields
    if signature != _RECORD_SIGNATURE:
        raise LitebundleError(f"its central directory is damaged at entry {index + 1}")
    end = at + _RECORD.size + name_size
    if end > stop:
        raise LitebundleError(f"its central directory ends within the name of entry {index + 1}")
    try:
        name = bytes(zip_bytes[at + _RECORD.size : end]).decode()
    except UnicodeDecodeError as error:
        raise LitebundleError(f"the name of its entry {index + 1} is not UTF-8") from error
    check_name(name)
    if flags & _ENCRYPTED:
        raise LitebundleError(f"file {name!r} is encrypted; a bundle's files are plain")
    if method != 0:
        raise LitebundleError(f"file {name!r} is compressed; a bundle's files are stored")
    if packed != size:
        raise LitebundleError(f"file {name!r}: its two sizes {packed} and {size} do not add up")
    return Entry(name, size, crc, offset, alignment(name)), end


def _check_entry(zip_bytes: memoryview, entry: Entry) -> None:
    header = bytes(zip_bytes[entry.offset : entry.data_offset])
    expected = local_header(entry)
    if header != expected:
        named = _LOCAL_FIELDS_BYTES + len(entry.name)
        what = (
            "its local header is not what the central directory says"
            if header[:named] != expected[:named]
            else "its alignment padding is not as the layout demands"
        )
        raise LitebundleError(f"file {entry.name!r}: {what}")
    if zlib.crc32(zip_bytes[entry.data_offset : entry.end]) != entry.crc:
        raise LitebundleError(f"file {entry.name!r}: its data does not have the CRC-32 that the zip gives for it")
