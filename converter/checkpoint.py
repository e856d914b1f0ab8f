"""Decides from the bytes of a weights file alone whether loading it is safe.

Nothing is unpickled and torch is not imported: a pickle is walked opcode by opcode, and any opcode or global
that a state dict of tensors does not need is refused. The worker still loads with `weights_only=True`; this
check exists so that a dangerous file is refused unread, at once and with a way out.
"""

from __future__ import annotations

import json
import pickletools
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np

from converter.errors import ConversionError

WeightsFormat = Literal["safetensors", "torch"]

WAY_OUT = "save a state dict with safetensors.torch.save_file(model.state_dict(), path)"

# https://github.com/huggingface/safetensors#format; float8 and packed types are left out on purpose.
SAFETENSORS_ITEM_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "U16": 2, "I16": 2, "F16": 2, "BF16": 2,
    "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8,
}  # fmt: skip
# dtype -> unsigned integer of its width and the mask of its exponent bits; all ones is inf or NaN (IEEE 754).
FLOAT_EXPONENTS = {
    "F16": ("<u2", 0x7C00),
    "BF16": ("<u2", 0x7F80),
    "F32": ("<u4", 0x7F800000),
    "F64": ("<u8", 0x7FF0000000000000),
}
MAX_HEADER_BYTES = 100_000_000
MAX_PICKLE_BYTES = 64 * 1024 * 1024

TORCH_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PICKLES = ("magic number", "protocol", "system", "state dict", "storage keys")

STORAGES = frozenset(
    f"torch {kind}Storage"
    for kind in ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")
)
ALLOWED_GLOBALS = STORAGES | {
    "collections OrderedDict",
    "torch Size",
    "torch._utils _rebuild_parameter",
    "torch._utils _rebuild_tensor",
    "torch._utils _rebuild_tensor_v2",
    "torch.nn.parameter Parameter",
}
# What torch.save needs for a state dict (pickle protocol 2); no NEWOBJ, INST, OBJ, EXT or STACK_GLOBAL.
ALLOWED_OPCODES = frozenset({
    "PROTO", "FRAME", "STOP", "MARK", "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1",
    "BINFLOAT", "SHORT_BINUNICODE", "BINUNICODE", "SHORT_BINSTRING", "EMPTY_TUPLE", "TUPLE", "TUPLE1",
    "TUPLE2", "TUPLE3", "EMPTY_LIST", "APPEND", "APPENDS", "EMPTY_DICT", "SETITEM", "SETITEMS", "MEMOIZE",
    "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET", "GLOBAL", "REDUCE", "BUILD", "BINPERSID",
})  # fmt: skip


@dataclass(frozen=True)
class _Tensor:
    name: str
    dtype: str
    begin: int
    end: int


def check_weights(path: Path) -> WeightsFormat:
    """Return the format of a safe weights file, or raise ConversionError saying what makes it unusable.

    The format is told by the bytes, never by the suffix: safetensors; a torch zip checkpoint; the format
    of torch before 1.6 (five pickles, then the storages). In safetensors a NaN or infinite weight is refused
    as well.
    """
    try:
        with path.open("rb") as file:
            return _check(file, path)
    except OSError as error:
        raise ConversionError(f"weights '{path}' cannot be read: {error.strerror}") from error


def _check(file: BinaryIO, path: Path) -> WeightsFormat:
    head = file.read(9)
    if head[8:] == b"{" and int.from_bytes(head[:8], "little") <= MAX_HEADER_BYTES:
        _check_safetensors(file, path)
        return "safetensors"
    if head.startswith(b"PK\x03\x04"):
        _check_zip(file, path)
        return "torch"
    if head.startswith(b"\x80"):
        _check_legacy(file, path)
        return "torch"
    if tarfile.is_tarfile(path):
        raise ConversionError(f"weights '{path}' is a tar checkpoint of torch before 0.1.11; {WAY_OUT}")
    raise ConversionError(f"weights '{path}' is neither a safetensors file nor a torch checkpoint; {WAY_OUT}")


def _check_safetensors(file: BinaryIO, path: Path) -> None:
    size = path.stat().st_size
    file.seek(0)
    header_bytes = int.from_bytes(file.read(8), "little")
    if header_bytes > size - 8:
        raise _damaged(path, f"its header claims {header_bytes} bytes of a file of {size}")
    tensors = sorted(_read_header(file.read(header_bytes), path), key=lambda each: (each.begin, each.end))
    data_begin = 8 + header_bytes
    end = 0
    for tensor in tensors:
        if tensor.begin != end:
            raise _damaged(path, f"tensor '{tensor.name}' begins at byte {tensor.begin}, not {end}")
        end = tensor.end
    if data_begin + end != size:
        raise _damaged(path, f"its tensors end at byte {data_begin + end} of {size}")
    for tensor in tensors:
        if tensor.dtype in FLOAT_EXPONENTS and tensor.end > tensor.begin:
            _check_finite(path, tensor, data_begin)


def _read_header(text: bytes, path: Path) -> Iterator[_Tensor]:
    try:
        header = json.loads(text, object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"its header is not JSON ({error})") from error
    for name, entry in header.items():
        if name != "__metadata__":
            yield _read_entry(name, entry, path)


def _read_entry(name: str, entry: Any, path: Path) -> _Tensor:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise _damaged(path, f"tensor '{name}' must have dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2:
        raise _damaged(path, f"tensor '{name}' has shape {shape} and data_offsets {offsets}")
    if dtype not in SAFETENSORS_ITEM_BYTES:
        raise ConversionError(
            f"weights '{path}': tensor '{name}' has dtype {dtype}; supported are"
            f" {', '.join(SAFETENSORS_ITEM_BYTES)}; convert it to float32 and save again"
        )
    elements = 1
    for dimension in shape:
        elements *= dimension
    begin, end = offsets
    if end - begin != elements * SAFETENSORS_ITEM_BYTES[dtype]:
        raise _damaged(path, f"tensor '{name}' {dtype}{shape} does not fill its bytes {begin} to {end}")
    return _Tensor(name, dtype, begin, end)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key appears twice")
    return result


def _are_sizes(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)


def _check_finite(path: Path, tensor: _Tensor, data_begin: int) -> None:
    integer, exponent = FLOAT_EXPONENTS[tensor.dtype]
    dtype = np.dtype(integer)
    count = (tensor.end - tensor.begin) // dtype.itemsize
    bits = np.fromfile(path, dtype, count, offset=data_begin + tensor.begin)
    bad = int(np.count_nonzero((bits & dtype.type(exponent)) == exponent))
    if bad:
        raise ConversionError(
            f"weights '{path}': tensor '{tensor.name}' holds {bad} NaN or infinite values of {count};"
            " train again or restore a checkpoint from before it diverged"
        )


def _check_zip(file: BinaryIO, path: Path) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if len(set(names)) != len(names):
                raise _damaged(path, "it holds two entries of one name")
            if any("/code/" in name for name in names):
                raise ConversionError(f"weights '{path}' is a TorchScript archive, which carries code; {WAY_OUT}")
            pickles = [entry for entry in archive.infolist() if entry.filename.endswith(".pkl")]
            if not any(Path(entry.filename).name == "data.pkl" for entry in pickles):
                raise _damaged(path, "it holds no data.pkl")
            for entry in pickles:
                if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > MAX_PICKLE_BYTES:
                    raise _damaged(path, f"'{entry.filename}' is compressed or too large for a state dict")
                _walk_pickle(BytesIO(archive.read(entry)), path)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise _damaged(path, str(error)) from error


def _check_legacy(file: BinaryIO, path: Path) -> None:
    file.seek(0)
    for position, _part in enumerate(LEGACY_PICKLES):
        longs = _walk_pickle(file, path)
        if position == 0 and TORCH_LEGACY_MAGIC not in longs:
            raise ConversionError(f"weights '{path}' is a pickle but not a torch checkpoint; {WAY_OUT}")


def _walk_pickle(file: BinaryIO, path: Path) -> list[int]:
    """Refuse what a state dict does not need; leave the file behind the pickle; return its long integers."""
    texts: list[str] = []
    longs: list[int] = []
    try:
        for opcode, argument, _position in pickletools.genops(file):
            if opcode.name == "STACK_GLOBAL":
                raise _runs_code(path, ".".join(texts[-2:]))
            if opcode.name in ("GLOBAL", "INST") and argument not in ALLOWED_GLOBALS:
                raise _runs_code(path, str(argument).replace(" ", "."))
            if opcode.name not in ALLOWED_OPCODES:
                raise ConversionError(
                    f"weights '{path}' is a pickle that a state dict does not need: it uses the opcode"
                    f" {opcode.name}; {WAY_OUT}"
                )
            if isinstance(argument, str):
                texts.append(argument)
            elif opcode.name == "LONG1" and isinstance(argument, int):
                longs.append(argument)
    except ValueError as error:
        raise _damaged(path, f"its pickle does not parse ({error})") from error
    return longs


def _runs_code(path: Path, name: str) -> ConversionError:
    return ConversionError(f"weights '{path}' is a pickle that would run code: it refers to {name}; {WAY_OUT}")


def _damaged(path: Path, what: str) -> ConversionError:
    return ConversionError(f"weights '{path}' is damaged: {what}; copy the file again or save it anew")
