"""Of an ELF file, how its segments want to lie in memory (System V ABI, "Program Header")."""

from __future__ import annotations

import struct

from android_harness.pack.tools import PackError

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_LOAD = 1


def load_alignment(name: str, library: bytes) -> int:
    """The smallest p_align in bytes of the loadable segments of a 64-bit little-endian library."""
    if not library.startswith(b"\x7fELF\x02\x01"):
        raise PackError(f"{name} is no 64-bit little-endian ELF file")
    try:
        _, *_, table, _, _, _, size, count, _, _, _ = _HEADER.unpack_from(library)
        segments = [_SEGMENT.unpack_from(library, table + index * size) for index in range(count)]
    except struct.error as error:
        raise PackError(f"{name} is cut short: {error}") from error
    alignments = [int(alignment) for kind, *_, alignment in segments if kind == _LOAD]
    if not alignments:
        raise PackError(f"{name} has no loadable segment")
    return min(alignments)
