"""Feeds on disk, as they pass between the export worker and its parent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from converter.parity_inputs import Array, Feed


def write_feeds(path: Path, feeds: Sequence[Feed]) -> None:
    """Save feeds as one .npz of arrays named `<tensor>/<index>`."""
    arrays: dict[str, Any] = {f"{name}/{i}": each for i, feed in enumerate(feeds) for name, each in feed.items()}
    np.savez(path, **arrays)


def read_feeds(path: Path) -> list[dict[str, Array]]:
    """Read what write_feeds wrote; none where there is no such file."""
    feeds: dict[int, dict[str, Array]] = {}
    if path.exists():
        with np.load(path, allow_pickle=False) as arrays:
            for key in arrays.files:
                name, _, index = key.rpartition("/")
                feeds.setdefault(int(index), {})[name] = arrays[key]
    return [feeds[index] for index in sorted(feeds)]
