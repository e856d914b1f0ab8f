"""Train the example's models: python train.py locate|orient|read|all [--minutes M] [--shards N]

Shards come from `make_data.py shards` (made on demand here when missing). Progress goes to stdout; every few
minutes a checkpoint with the optimiser goes to .cache/, from which a killed run continues. Writes
weights/*.safetensors and models/orient.onnx. A CUDA device is used where there is one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from formula_scan.dataset import Shard, read_shard, write_shard
from formula_scan.grammar import PAD
from formula_scan.imaging import PAGE_SIZE, READ_WIDTH
from formula_scan.models import STATE_SIZE, STRIDE, Decoder, Encoder, Locator, Orienter
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import affine_grid, binary_cross_entropy_with_logits, cross_entropy, grid_sample

HERE = Path(__file__).resolve().parent
CACHE, WEIGHTS, MODELS = HERE / ".cache", HERE / "weights", HERE / "models"
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
SEED = 7
CELLS = PAGE_SIZE // STRIDE


@dataclass(frozen=True)
class Task:
    """One training: its networks, its loss on a batch, and how a shard becomes batches."""

    name: str
    networks: dict[str, nn.Module]
    batches: Callable[[Shard, np.random.Generator], Iterator[tuple[Tensor, ...]]]
    loss: Callable[..., Tensor]
    samples: int
    rate: float


def _log(text: str) -> None:
    print(time.strftime("%H:%M:%S"), text, flush=True)


def _to_unit(pixels: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels)).to(DEVICE).float() / 255


def _relight(rng: np.random.Generator, images: Tensor) -> Tensor:
    """Random contrast and brightness per image; half of the images stay as they are."""
    count = len(images)
    changed = torch.from_numpy(rng.random(count) < 0.5).to(images.device)
    gain = torch.from_numpy(rng.uniform(0.6, 1.15, count)).to(images)
    lift = torch.from_numpy(rng.uniform(-0.1, 0.2, count)).to(images)
    shape = (-1, 1, 1, 1)
    lit = (images * gain.view(shape) + lift.view(shape)).clamp(0, 1)
    return torch.where(changed.view(shape), lit, images)


# locate ---------------------------------------------------------------------------------------------------------


def _locate_targets(boxes: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
    """heat [80, 80], the weight of each cell's heat loss, sides [4, 80, 80] and where sides count [80, 80]."""
    centre = (np.arange(CELLS, dtype=np.float32) + 0.5) * STRIDE
    heat, counts = np.zeros((CELLS, CELLS), np.float32), np.ones((CELLS, CELLS), np.float32)
    sides, known = np.zeros((4, CELLS, CELLS), np.float32), np.zeros((CELLS, CELLS), np.float32)
    for x0, y0, x1, y1, ignore in boxes:
        inside = ((centre >= y0) & (centre <= y1))[:, None] & ((centre >= x0) & (centre <= x1))
        if ignore:
            counts[inside] = 0
            continue
        middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
        spread_x, spread_y = max(x1 - x0, 8) / 8, max(y1 - y0, 8) / 8
        blob = np.exp(
            -((centre - middle_y) ** 2)[:, None] / (2 * spread_y**2) - (centre - middle_x) ** 2 / (2 * spread_x**2)
        )
        row, column = (min(CELLS - 1, int(value // STRIDE)) for value in (middle_y, middle_x))
        blob[row, column] = 1
        nearer = blob > heat
        heat = np.maximum(heat, blob)
        near = (blob > 0.3) & nearer
        distances = np.stack(
            np.broadcast_arrays(centre - x0, (centre - y0)[:, None], x1 - centre, (y1 - centre)[:, None])
        )
        sides[:, near] = distances[:, near] / PAGE_SIZE
        known[near] = blob[near]
    return heat, counts, sides, known


def _locate_batches(shard: Shard, rng: np.random.Generator) -> Iterator[tuple[Tensor, ...]]:
    for chosen in np.array_split(rng.permutation(len(shard.pages)), max(1, len(shard.pages) // 10)):
        pages, targets = [], []
        for index in chosen:
            page, boxes = shard.pages[index], shard.boxes[shard.boxes[:, 0] == index, 1:]
            if rng.random() < 0.5:  # mirrored: formulas stay formulas, and every page serves twice
                page = page[:, ::-1]
                boxes = np.stack([PAGE_SIZE - boxes[:, 2], boxes[:, 1], PAGE_SIZE - boxes[:, 0], *boxes.T[3:]], 1)
            pages.append(page)
            targets.append(_locate_targets(boxes))
        images = _relight(rng, _to_unit(np.stack(pages)).permute(0, 3, 1, 2))
        yield images, *(torch.from_numpy(np.stack(part)).to(DEVICE) for part in zip(*targets, strict=True))


def _locate_loss(
    locator: nn.Module, images: Tensor, heat: Tensor, counts: Tensor, sides: Tensor, known: Tensor
) -> Tensor:
    """Penalty-reduced focal loss on centres, L1 on the sides near them ("Objects as Points", section 3)."""
    logits, distances = locator.logits(images)  # type: ignore[operator]
    logits, distances = logits[:, 0].float(), distances.float()
    probability = torch.sigmoid(logits)
    is_centre = heat == 1
    loss = binary_cross_entropy_with_logits(logits, is_centre.float(), reduction="none")
    focus = torch.where(is_centre, (1 - probability) ** 2, (1 - heat) ** 4 * probability**2)
    centres = (loss * focus * counts).sum() / is_centre.sum().clamp(min=1)
    reach = ((distances - sides).abs() * known[:, None]).sum() / known.sum().clamp(min=1)
    return centres + reach * 24


# orient ---------------------------------------------------------------------------------------------------------


def _orient_batches(shard: Shard, rng: np.random.Generator) -> Iterator[tuple[Tensor, ...]]:
    for chosen in np.array_split(rng.permutation(len(shard.squares)), max(1, len(shard.squares) // 64)):
        turns = rng.choice(4, len(chosen), p=[0.4, 0.2, 0.2, 0.2])
        pictures = shard.squares[chosen, rng.integers(2)]
        turned = np.stack([np.rot90(picture, turn) for picture, turn in zip(pictures, turns, strict=True)])
        yield _relight(rng, _to_unit(turned)[:, None]), torch.from_numpy(turns).to(DEVICE)


def _orient_loss(orienter: nn.Module, images: Tensor, turns: Tensor) -> Tensor:
    return cross_entropy(orienter(images).float(), turns, label_smoothing=0.02)


# read -----------------------------------------------------------------------------------------------------------


def _reframe(rng: np.random.Generator, lines: Tensor) -> Tensor:
    """Crops as a locator that is a few pixels off would cut them: smaller or larger, and shifted."""
    count = len(lines)
    zoom = rng.uniform(0.82, 1.05, count)
    down = rng.uniform(-1, 1, count) * (0.02 + np.maximum(0, 1 - zoom))
    right = rng.uniform(-2, 7, count) * 2 / READ_WIDTH
    # affine_grid maps places of the result to places of the source, both in -1 .. 1
    theta = np.zeros((count, 2, 3), dtype=np.float32)
    theta[:, 0, 0] = theta[:, 1, 1] = 1 / zoom
    theta[:, 0, 2] = (1 - right) / zoom - 1
    theta[:, 1, 2] = -down / zoom
    grid = affine_grid(torch.from_numpy(theta).to(lines.device), list(lines.shape), align_corners=False)
    moved = grid_sample(lines, grid, padding_mode="border", align_corners=False)
    kept = torch.from_numpy(rng.random(count) < 0.3).to(lines.device).view(-1, 1, 1, 1)
    return torch.where(kept, lines, moved)


def _read_batches(shard: Shard, rng: np.random.Generator) -> Iterator[tuple[Tensor, ...]]:
    """Formulas of about the same length share a batch: no steps are spent on padding."""
    lengths = (shard.tokens != PAD).sum(axis=1) + rng.uniform(0, 3, len(shard.tokens))
    batches = np.array_split(np.argsort(lengths), max(1, len(lengths) // 32))
    for chosen in (batches[index] for index in rng.permutation(len(batches))):
        images = _relight(rng, _reframe(rng, _to_unit(shard.lines[chosen, rng.integers(2)])[:, None]))
        yield images, torch.from_numpy(shard.tokens[chosen].astype(np.int64)).to(DEVICE)


def _read_loss(reader: nn.Module, images: Tensor, tokens: Tensor) -> Tensor:
    """Cross entropy of each next token, the true tokens before it given (teacher forcing)."""
    encoder, decoder = reader["encode"], reader["decode"]  # type: ignore[index]
    memory = encoder(images).float()
    length = int((tokens != PAD).sum(dim=1).max())
    state = memory.new_zeros(len(tokens), STATE_SIZE)
    steps = []
    with torch.autocast(DEVICE.type, enabled=False):
        for step in range(length - 1):
            logits, state = decoder(tokens[:, step], state, memory)
            steps.append(logits)
    stacked = torch.stack(steps, dim=1)
    return cross_entropy(stacked.flatten(0, 1), tokens[:, 1:length].flatten(), ignore_index=PAD, label_smoothing=0.02)


# the loop -------------------------------------------------------------------------------------------------------


def _tasks() -> dict[str, Callable[[], Task]]:
    return {
        "locate": lambda: Task("locate", {"locate": Locator()}, _locate_batches, _locate_loss, 88_000, 2e-3),
        "orient": lambda: Task("orient", {"orient": Orienter()}, _orient_batches, _orient_loss, 280_000, 2e-3),
        "read": lambda: Task(
            "read", {"encode": Encoder(), "decode": Decoder()}, _read_batches, _read_loss, 330_000, 1.2e-3
        ),
    }


def _shard_numbers(rng: np.random.Generator, shards: int, wait: bool) -> Iterator[int]:
    """Endless shuffled passes over the shards; while others are still being made, over those that are there."""
    while True:
        there = [number for number in range(shards) if (CACHE / f"{number:04d}").exists()] if wait else range(shards)
        yield from rng.permutation(there)


def _moving_average(average: Tensor, current: Tensor, updates: Tensor | int) -> Tensor:
    """Exponential average whose memory grows with the updates, so that it never holds the random start."""
    decay = min(0.998, (1 + int(updates)) / (10 + int(updates)))
    return average + ((current - average) * (1 - decay)).to(average.dtype)


def _train(task: Task, shards: int, wait: bool, samples: int) -> None:
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    networks = nn.ModuleDict(task.networks).to(DEVICE, memory_format=torch.channels_last)
    network = networks if len(networks) > 1 else next(iter(networks.values()))
    decayed = [p for p in networks.parameters() if p.ndim > 1]
    plain = [p for p in networks.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}], lr=task.rate
    )
    average = torch.optim.swa_utils.AveragedModel(networks, avg_fn=_moving_average, use_buffers=True)
    checkpoint = CACHE / f"{task.name}.pt"
    seen, spent_s = 0, 0.0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True, map_location=DEVICE)
        networks.load_state_dict(saved["networks"])
        average.load_state_dict(saved["average"])
        optimiser.load_state_dict(saved["optimiser"])
        seen, spent_s = saved["seen"], saved["spent_s"]
        rng = np.random.default_rng([SEED, seen])
        _log(f"{task.name}: continues at {seen} samples")
    started = time.monotonic() - spent_s
    saved_at = logged_at = time.monotonic()
    losses: list[float] = []
    networks.train()
    for number in _shard_numbers(rng, shards, wait):
        for batch in task.batches(read_shard(write_shard(CACHE, int(number))), rng):
            done = seen / samples
            for group in optimiser.param_groups:
                group["lr"] = task.rate * min(1.0, seen / (0.02 * samples) + 0.02) * min(1.0, (1.02 - done) / 0.3)
            optimiser.zero_grad(set_to_none=True)
            with torch.autocast(DEVICE.type, torch.bfloat16):
                loss = task.loss(network, *batch)
            loss.backward()
            nn.utils.clip_grad_norm_(networks.parameters(), 5.0)
            optimiser.step()
            average.update_parameters(networks)
            losses.append(loss.item())
            seen += len(batch[0])
            if time.monotonic() - logged_at > 20:
                logged_at = time.monotonic()
                rate = seen / (logged_at - started)
                _log(f"{task.name}: {seen}/{samples} samples, loss {np.mean(losses):.4f}, {rate:.0f}/s over all")
                losses.clear()
        finished = seen >= samples
        if finished or time.monotonic() - saved_at > 120:
            saved_at = time.monotonic()
            state = {
                "networks": networks.state_dict(),
                "average": average.state_dict(),
                "optimiser": optimiser.state_dict(),
                "seen": seen,
                "spent_s": saved_at - started,
            }
            torch.save(state, checkpoint.with_suffix(".tmp"))
            checkpoint.with_suffix(".tmp").rename(checkpoint)
            if finished or task.name != "orient":  # an export takes far longer than a file of weights
                _write(task, average.module)
        if finished:
            _log(f"{task.name}: done in {(time.monotonic() - started) / 60:.1f} min")
            return


def _write(task: Task, networks: nn.ModuleDict) -> None:
    """The averaged weights as safetensors; the orienter as ONNX."""
    WEIGHTS.mkdir(exist_ok=True)
    for name, network in networks.items():
        if name != "orient":
            weights = {key: value.cpu().contiguous() for key, value in network.state_dict().items()}
            unfinished = WEIGHTS / f".{name}.safetensors"
            save_file(weights, unfinished)
            unfinished.rename(WEIGHTS / f"{name}.safetensors")
        else:
            _export_orient(network)


def _export_orient(network: nn.Module) -> None:
    MODELS.mkdir(exist_ok=True)
    fresh = Orienter()
    fresh.load_state_dict({key: value.cpu() for key, value in network.state_dict().items()})
    program = torch.onnx.export(
        fresh.eval(),
        (torch.zeros(1, 1, 64, 64),),
        dynamo=True,
        input_names=["image"],
        output_names=["logits"],
        verbose=False,
    )
    (MODELS / "orient.onnx").write_bytes(_without_traces(program.model_proto).SerializeToString(deterministic=True))


def _without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """The exporter notes stack traces, and with them the paths of this machine, at every node and value."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
        del part.metadata_props[:]
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("locate", "orient", "read", "all"))
    parser.add_argument("--shards", type=int, default=100, help="training shards to use")
    parser.add_argument("--wait", action="store_true", help="use only shards that another process has made so far")
    parser.add_argument("--samples", type=int, help="samples to train on, instead of the task's own number")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for name, make in _tasks().items():
        if arguments.what in (name, "all"):
            torch.manual_seed(SEED)
            task = make()
            _train(task, arguments.shards, arguments.wait, arguments.samples or task.samples)


if __name__ == "__main__":
    main()
