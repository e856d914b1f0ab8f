"""The four networks of the example. Plain convolutions, ReLU and bounded activations: friendly to int8.

Every factory takes no argument; inputs are in [0, 1], NCHW, batch 1 when exported.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from formula_scan.grammar import VOCABULARY

STRIDE = 4
MEMORY_SIZE = 128
STATE_SIZE = 192
_MEMORY_ROWS, _MEMORY_COLUMNS = 6, 32
_EMBEDDING_SIZE = 96


def _conv(inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class Residual(nn.Module):
    """Two 3x3 convolutions beside an identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.second(self.first(x)))


class Locator(nn.Module):
    """image [1, 3, 320, 320] -> heatmap [1, 1, 80, 80] and box [1, 4, 80, 80].

    heatmap: probability that the cell is a formula's centre (Zhou et al., "Objects as Points", 2019).
    box: distances from the cell's centre, ((i + 0.5) * 4) pixels, to the left, top, right and bottom side,
    as a fraction of 320.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_conv(3, 16, 2), _conv(16, 24, 2))
        self.down8 = nn.Sequential(_conv(24, 48, 2), Residual(48))
        self.down16 = nn.Sequential(_conv(48, 80, 2), Residual(80))
        self.down32 = nn.Sequential(_conv(80, 96, 2), Residual(96))
        self.up16 = _conv(96, 80, kernel=1)
        self.up8 = _conv(80, 48, kernel=1)
        self.up4 = _conv(48, 24, kernel=1)
        self.mix16, self.mix8, self.mix4 = _conv(80, 80), _conv(48, 48), _conv(24, 24)
        self.centre = nn.Conv2d(24, 1, 1)
        self.sides = nn.Conv2d(24, 4, 1)
        nn.init.constant_(self.centre.bias, -4.0)
        nn.init.constant_(self.sides.bias, 0.1)

    def logits(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The heat map before its sigmoid and the box distances before they are cut at 0."""
        x4 = self.stem(image)
        x8 = self.down8(x4)
        x16 = self.down16(x8)
        x = self.mix16(x16 + interpolate(self.up16(self.down32(x16)), scale_factor=2.0))
        x = self.mix8(x8 + interpolate(self.up8(x), scale_factor=2.0))
        x = self.mix4(x4 + interpolate(self.up4(x), scale_factor=2.0))
        return self.centre(x), self.sides(x)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        heat, sides = self.logits(image)
        return torch.sigmoid(heat), torch.relu(sides)


class Orienter(nn.Module):
    """image [1, 1, 64, 64] -> logits [1, 4]; class k: the crop shows np.rot90(upright, k)."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            _conv(1, 24, 2), _conv(24, 32), _conv(32, 48, 2), Residual(48), _conv(48, 80, 2), Residual(80)
        )
        self.classes = nn.Linear(80, 4)

    def forward(self, image: Tensor) -> Tensor:
        return self.classes(self.features(image).mean(dim=(2, 3)))


class Encoder(nn.Module):
    """image [1, 1, 48, 256] -> memory [1, 192, 128] in [0, 6], row-major over 6 x 32 places."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_conv(1, 24, 2), _conv(24, 24), _conv(24, 48, 2), Residual(48))
        self.narrow = _conv(48, 112, 2)
        self.place = nn.Parameter(torch.randn(1, 112, _MEMORY_ROWS, _MEMORY_COLUMNS) * 0.1)
        self.body = nn.Sequential(Residual(112), Residual(112))
        self.out = nn.Sequential(nn.Conv2d(112, MEMORY_SIZE, 1, bias=False), nn.BatchNorm2d(MEMORY_SIZE), nn.ReLU6())

    def forward(self, image: Tensor) -> Tensor:
        x = self.body(self.narrow(self.stem(image)) + self.place)
        return self.out(x).flatten(2).transpose(1, 2)


class GatedCell(nn.Module):
    """Gated recurrent unit (Cho et al., 2014) on two linear maps, so that it exports as plain operators."""

    def __init__(self, inputs: int, state: int) -> None:
        super().__init__()
        self.update_in, self.update_state = nn.Linear(inputs, state), nn.Linear(state, state, bias=False)
        self.reset_in, self.reset_state = nn.Linear(inputs, state), nn.Linear(state, state, bias=False)
        self.new_in, self.new_state = nn.Linear(inputs, state), nn.Linear(state, state, bias=False)

    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        update = torch.sigmoid(self.update_in(x) + self.update_state(state))
        reset = torch.sigmoid(self.reset_in(x) + self.reset_state(state))
        new = torch.tanh(self.new_in(x) + self.new_state(reset * state))
        return new + update * (state - new)


class Decoder(nn.Module):
    """One step: token [1] int64, state [1, 192], memory [1, 192, 128] -> logits [1, V], state_out [1, 192].

    A conditional GRU: the token moves the state, the state asks the memory, the answer moves the state
    (Sennrich et al., "Nematus", 2017). Attention is a scaled dot product with a projected query, so the memory
    itself is never projected.
    """

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(VOCABULARY), _EMBEDDING_SIZE)
        self.read_token = GatedCell(_EMBEDDING_SIZE, STATE_SIZE)
        self.query = nn.Linear(STATE_SIZE, MEMORY_SIZE)
        self.read_memory = GatedCell(MEMORY_SIZE, STATE_SIZE)
        self.from_state = nn.Linear(STATE_SIZE, 128)
        self.from_memory = nn.Linear(MEMORY_SIZE, 128, bias=False)
        self.drop = nn.Dropout(0.1)
        self.classes = nn.Linear(128, len(VOCABULARY))

    def forward(self, token: Tensor, state: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        asking = self.read_token(self.embedding(token), state)
        query = self.query(asking).unsqueeze(1) * MEMORY_SIZE**-0.5
        weights = torch.softmax(torch.matmul(query, memory.transpose(1, 2)), dim=-1)
        answer = torch.matmul(weights, memory).squeeze(1)
        state_out = self.read_memory(answer, asking)
        mixed = torch.tanh(self.from_state(state_out) + self.from_memory(answer))
        return self.classes(self.drop(mixed)), state_out
