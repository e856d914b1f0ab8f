"""The float pipeline in torch: photo to formulas, each step as the product's glue defines it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from formula_scan.dataset import MARGIN, upright_crop
from formula_scan.grammar import END, START, VOCABULARY, Tokens
from formula_scan.imaging import (
    LETTERBOX_FILL,
    ORIENT_SIZE,
    PAGE_SIZE,
    WHITE,
    Pixels,
    crop,
    fit_line,
    letterbox,
    to_gray,
)
from formula_scan.models import STATE_SIZE, STRIDE, Decoder, Encoder, Locator

THRESHOLD = 0.4
NMS_IOU = 0.3
MAX_STEPS = 32


@dataclass(frozen=True)
class Found:
    """A formula read from a photo: box x0, y0, x1, y1 in pixels, its score, quarter turns and tokens."""

    box: NDArray[np.float64]
    score: float
    angle: int
    tokens: Tokens


def box_iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Intersection over union of two boxes x0, y0, x1, y1."""
    size = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None)
    shared = float(size.prod())
    return shared / (float((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod()) - shared)


class Scanner:
    """The four trained models of `folder` (weights/ and models/)."""

    def __init__(self, folder: Path) -> None:
        networks = {"locate": Locator(), "encode": Encoder(), "decode": Decoder()}
        for name, network in networks.items():
            network.load_state_dict(load_file(folder / "weights" / f"{name}.safetensors"))
            network.eval()
        self._networks = networks
        self._orienter = onnxruntime.InferenceSession(folder / "models" / "orient.onnx")

    @torch.inference_mode()
    def locate(self, photo: Pixels) -> list[tuple[NDArray[np.float64], float]]:
        """Boxes in photo pixels and their scores, best first."""
        square, scale, left, top = letterbox(photo, PAGE_SIZE, LETTERBOX_FILL)
        image = torch.from_numpy(square).permute(2, 0, 1)[None].float() / 255
        heat, sides = self._networks["locate"](image)
        highest = torch.nn.functional.max_pool2d(heat, 3, 1, 1)
        rows, columns = torch.nonzero((heat == highest)[0, 0] & (heat[0, 0] >= THRESHOLD), as_tuple=True)
        scores = heat[0, 0, rows, columns].numpy()
        centre = np.stack([columns.numpy(), rows.numpy()], axis=1) * STRIDE + STRIDE / 2
        reach = sides[0, :, rows, columns].numpy().T * PAGE_SIZE
        boxes = np.concatenate([centre - reach[:, :2], centre + reach[:, 2:]], axis=1)
        boxes = (boxes - (left, top, left, top)) / scale
        boxes = np.clip(boxes, 0, np.tile(photo.shape[1::-1], 2))
        kept: list[tuple[NDArray[np.float64], float]] = []
        for index in np.argsort(-scores, kind="stable"):
            if all(box_iou(boxes[index], box) <= NMS_IOU for box, _ in kept):
                kept.append((boxes[index], float(scores[index])))
        return kept

    def orient(self, gray_crop: Pixels) -> int:
        """Quarter turns by which the crop is turned from upright."""
        square = letterbox(gray_crop, ORIENT_SIZE, WHITE)[0]
        image = square[None, None].astype(np.float32) / 255
        return int(self._orienter.run(None, {"image": image})[0].argmax())

    @torch.inference_mode()
    def read(self, upright: Pixels) -> Tokens:
        """Tokens of an upright gray crop, decoded greedily."""
        memory = self._networks["encode"](torch.from_numpy(fit_line(upright))[None, None].float() / 255)
        token, state = torch.tensor([START]), torch.zeros(1, STATE_SIZE)
        tokens = []
        for _ in range(MAX_STEPS):
            logits, state = self._networks["decode"](token, state, memory)
            token = logits.argmax(dim=1)
            if token.item() == END:
                break
            tokens.append(VOCABULARY[token.item()])
        return tuple(tokens)

    def scan(self, photo: Pixels) -> list[Found]:
        """Every formula found on an RGB photo [H, W, 3], best score first."""
        gray = to_gray(photo)
        found = []
        for box, score in self.locate(photo):
            room = MARGIN * (box[2:] - box[:2]).min()
            wide = box + room * np.array([-1, -1, 1, 1])
            angle = self.orient(crop(gray, wide))
            found.append(Found(box, score, angle, self.read(upright_crop(gray, wide, angle))))
        return found
