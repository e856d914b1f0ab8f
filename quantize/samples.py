"""Calibration and validation samples read from files."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quantize.errors import QuantizationError
from quantize.interpreter import Array, InputSlot, Sample, input_slots, open_interpreter


@dataclass(frozen=True)
class ArraySamples(Collection[Sample]):
    """Samples as slices of one array per input; nothing is copied until a sample is used."""

    slots: tuple[InputSlot, ...]
    arrays: dict[str, Array]
    count: int

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Sample]:
        for number in range(self.count):
            yield {slot.name: np.asarray(self.arrays[slot.name][number]).reshape(slot.shape) for slot in self.slots}

    def __contains__(self, sample: object) -> bool:
        return any(sample is known for known in self)


def load_samples(path: Path, model: bytes) -> Collection[Sample]:
    """Samples for `model` from an `.npz` file, or from a folder of `.npy` files (mapped, not read).

    One array per input, called as the input (`/` and `:` as `_` in file names), samples first: [N, *shape], or
    [N, *shape[1:]] where the input's first axis is 1.

    Raises QuantizationError: no such file, no such array format, a missing or unknown name, a shape or dtype that does
    not fit, arrays of unequal length, no samples. Python objects are never unpickled.
    """
    slots = input_slots(open_interpreter(model))
    arrays = _read_folder(path, slots) if path.is_dir() else _read_archive(path)
    names = {slot.name for slot in slots}
    if set(arrays) != names:
        raise QuantizationError(f"'{path}' holds {_listed(arrays)}; the model's inputs are {_listed(names)}")
    for slot in slots:
        _check_array(path, slot, arrays[slot.name])
    counts = {slot.name: len(arrays[slot.name]) for slot in slots}
    if len(set(counts.values())) != 1:
        raise QuantizationError(f"'{path}': the inputs have unequal numbers of samples: {counts}")
    count = next(iter(counts.values()))
    if count == 0:
        raise QuantizationError(f"'{path}' holds no samples; give at least one")
    return ArraySamples(slots, arrays, count)


def _read_archive(path: Path) -> dict[str, Array]:
    try:
        archive = np.load(path, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise QuantizationError(f"'{path}' is a single array; give an .npz with one array per input")
        with archive:
            return {name: archive[name] for name in archive.files}
    except FileNotFoundError as fault:
        raise QuantizationError(f"no such file: '{path}'") from fault
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as fault:
        raise QuantizationError(f"'{path}' is no whole .npz of plain numbers; write it with numpy.savez") from fault


def _read_folder(path: Path, slots: tuple[InputSlot, ...]) -> dict[str, Array]:
    inputs = {slot.name.replace("/", "_").replace(":", "_"): slot.name for slot in slots}
    arrays = {}
    for file in sorted(path.glob("*.npy")):
        try:
            arrays[inputs.get(file.stem, file.stem)] = np.load(file, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError, OSError) as fault:
            raise QuantizationError(f"'{file}' is no whole .npy of plain numbers; write it with numpy.save") from fault
    return arrays


def _check_array(path: Path, slot: InputSlot, array: Array) -> None:
    per_sample = slot.shape[1:] if slot.shape[:1] == (1,) else slot.shape
    if array.ndim == 0 or array.shape[1:] not in (slot.shape, per_sample):
        wanted = " or ".join(sorted({f"[N, {', '.join(map(str, s))}]" for s in (slot.shape, per_sample)}))
        raise QuantizationError(f"'{path}': array '{slot.name}' is {list(array.shape)}, the model takes {wanted}")
    if array.dtype != slot.dtype:
        raise QuantizationError(f"'{path}': array '{slot.name}' is {array.dtype}, the model takes {slot.dtype}")


def _listed(names: object) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names)) or "no arrays"  # type: ignore[call-overload]
