"""Of an ELF file, how its segments want to lie in memory (System V ABI, "Program Header")."""

from __future__ import annotations

import struct

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_LOAD = 1


def load_alignment(library: bytes) -> int:
    """The smallest p_align in bytes of the loadable segments of a 64-bit little-endian library."""
    ident, *_, table, _, _, _, size, count, _, _, _ = _HEADER.unpack_from(library)
    if ident[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a 64-bit little-endian ELF file")
    segments = (_SEGMENT.unpack_from(library, table + index * size) for index in range(count))
    return min(int(alignment) for kind, *_, alignment in segments if kind == _LOAD)
