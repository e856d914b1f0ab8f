"""A data set of noise pictures, as a user would lay it out, under a Korean name."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image


@dataclass
class Folder:
    """Writes pictures and the manifest that lists them."""

    root: Path
    samples: list[dict[str, Any]] = field(default_factory=list)
    kinds: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)

    @staticmethod
    def picture(seed: int) -> Image.Image:
        """Smooth noise, 64 x 48, so that recompression and scaling leave it much the same."""
        coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        return Image.fromarray(coarse).resize((64, 48), Image.Resampling.BICUBIC)

    def add(self, file: str, image: Image.Image, answer: str = '{ items = [{ text = "x" }] }', **save: Any) -> Path:
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, **save)
        part, kind, _ = file.split("/")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.samples.append({"file": file, "part": part, "kind": kind, "sha256": digest, "answer": answer})
        counts = self.kinds.setdefault(kind, {"wanted": {}, "present": {}})
        for which in ("wanted", "present"):
            counts[which][part] = counts[which].get(part, 0) + 1
        return path

    def write(self) -> Path:
        lines = ["format_version = 1", 'name = "noise"', 'licence = "CC0-1.0"']
        for kind, counts in self.kinds.items():
            lines += [f"[kinds.{json.dumps(kind, ensure_ascii=False)}]"]
            for which, parts in counts.items():
                lines += [f"{which} = {{ {', '.join(f'{part} = {n}' for part, n in parts.items())} }}"]
        for sample in self.samples:
            lines += ["[[sample]]"]
            lines += [f"{key} = {json.dumps(sample[key], ensure_ascii=False)}" for key in sample if key != "answer"]
            lines += [f"answer = {sample['answer']}"]
        manifest = self.root / "manifest.toml"
        manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return manifest


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Two kinds, two samples of each in both parts; nothing is wrong with it."""
    made = Folder(tmp_path / "자료 모음")
    for i, (part, kind) in enumerate((part, kind) for part in ("calibrate", "validate") for kind in ("맑음", "shadow")):
        for j in range(2):
            made.add(f"{part}/{kind}/{j}.png", made.picture(10 * i + j), f'{{ items = [{{ text = "{i}{j}" }}] }}')
    made.write()
    return made
