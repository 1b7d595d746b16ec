"""What training makes of a card: speed, memory, share of the peak; and whether it trains the same.

    python benchmarks/accelerator.py [--device cuda] [--seconds 60] [--presets paper base fast]

Crops are random and made beforehand: this measures the device, not the loading; so are labels.
For each preset: faces a second, peak memory, and the arithmetic of a face (counted by torch) times
the faces a second over the measured peak of matrix products. Then one step of the preset, narrow,
on the device against the processor's: the difference of the two steps as a share of one. And one
step of two processes, where there are two cards (or with `--device cpu`), against that of one.

Writes `results/accelerator.json`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from mien.losses import LossTerms, total_loss
from mien.models import build_network
from mien.training.batches import Batch
from mien.training.config import TrainConfig, load_config
from mien.training.device import Device, choose_device
from mien.training.landmark_losses import LandmarkLosses
from mien.training.learning import Learner
from mien.training.workers import run_together

ROOT = Path(__file__).parents[1]
RESULT = Path(__file__).parent / "results" / "accelerator.json"
_MATRIX = {"cpu": 2048, "cuda": 8192, "mps": 4096}
_PRODUCTS = 40
_BATCHES = 4


def wait(device: Device) -> None:
    """Until everything that was asked of the device is done."""
    if device.kind == "cuda":
        torch.cuda.synchronize(device.place)
    elif device.kind == "mps":
        torch.mps.synchronize()


def peak_gflops(device: Device) -> float:
    """Best of many products of square matrices in the device's precision."""
    side = _MATRIX[device.kind]
    a, b = (torch.randn(side, side, dtype=device.autocast_to, device=device.place) for _ in "ab")
    best_secs = float("inf")
    for _ in range(_PRODUCTS):
        start_secs = time.perf_counter()
        a @ b
        wait(device)
        best_secs = min(best_secs, time.perf_counter() - start_secs)
    return 2 * side**3 / best_secs / 1e9


def gflops_a_face(config: TrainConfig) -> float:
    """Forward, losses and backward."""
    network = build_network(config.network).train()
    batch = Batch.of_noise(config, 2)
    with FlopCounterMode(display=False) as counter:
        crops = batch.crops.permute(0, 3, 1, 2).float()
        terms = total_loss(network(crops), batch.points, batch.weights, batch.is_face, config.loss)
        terms.total.backward()  # type: ignore[no-untyped-call]
    return float(counter.get_total_flops()) / 1e9 / 2


def learner_of(
    config: TrainConfig,
    device: Device,
    processes: int = 1,
    optimise: Callable[..., torch.optim.Optimizer] = torch.optim.AdamW,
) -> Learner[Batch, LossTerms]:
    torch.manual_seed(config.seed)
    network = build_network(config.network)
    network.to(device.place, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Learner(
        network,
        optimise(network.parameters(), lr=1e-3),
        LandmarkLosses(config.loss),
        device,
        clip=config.schedule.clip,
        compute=config.compute,
        processes=processes,
    )


def speed(config: TrainConfig, device: Device, seconds: float, peak: float) -> dict[str, Any]:
    """Faces a second of whole steps, after a warm-up of three."""
    learner = learner_of(config, device)
    batches = [Batch.of_noise(config, config.schedule.batch) for _ in range(_BATCHES)]
    if device.kind == "cuda":
        torch.cuda.reset_peak_memory_stats(device.place)
        batches = [batch.pin_memory() for batch in batches]
    for batch in batches[:3]:
        learner.step(batch, 1e-6)
    wait(device)
    steps, start_secs = 0, time.perf_counter()
    while time.perf_counter() - start_secs < seconds:
        learner.step(batches[steps % _BATCHES], 1e-6)
        steps += 1
    wait(device)
    rate = steps * config.schedule.batch / (time.perf_counter() - start_secs)
    cost = gflops_a_face(config)
    has_memory = device.kind == "cuda"
    return {
        "preset": config.name,
        "batch": config.schedule.batch,
        "compile": config.compute.compile,
        "faces_per_s": round(rate, 1),
        "gflops_a_face": round(cost, 2),
        "share_of_peak": round(rate * cost / peak, 3),
        "peak_memory_mb": round(torch.cuda.max_memory_allocated(device.place) / 1e6)
        if has_memory
        else None,
    }


def narrow(config: TrainConfig) -> TrainConfig:
    """The same modules, small enough that the processor's step takes a moment."""
    network = replace(config.network, side=64, width=16, finetune_width=8, finetune_hidden=16)
    return replace(config, network=network)


def step_difference(config: TrainConfig, device: Device) -> float:
    """Of the weights after one step here and on the processor, as a share of the step."""
    config = narrow(config)
    batch = Batch.of_noise(config, 4)
    start = flat(learner_of(config, choose_device("cpu")).model)
    return apart(
        start, *(stepped(config, place, batch) for place in (choose_device("cpu"), device))
    )


def processes_difference(config: TrainConfig, device: Device) -> float | None:
    """The same of one step of two processes against that of one; ``None`` with a single card.

    Both halves of the batch are the same faces: where processes keep normalisation to themselves,
    as on a processor, each sees what the one sees.
    """
    if device.kind == "mps" or (device.kind == "cuda" and torch.cuda.device_count() < 2):
        return None
    config = narrow(replace(config, compute=replace(config.compute, device=device.kind)))
    half = Batch.of_noise(config, 4)
    whole = Batch(*(torch.cat([each, each]) for each in vars(half).values()))
    start = flat(learner_of(config, choose_device("cpu")).model)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "weights.pt"
        run_together(partial(half_step, config, half, out), config, 2)
        together = torch.load(out, weights_only=True)
    return apart(start, stepped(config, device, whole), together)


def half_step(config: TrainConfig, half: Batch, out: Path, *, rank: int, workers: int) -> None:
    """One process's part; the first keeps the weights."""
    moved = stepped(config, choose_device(config.compute.device, rank), half, workers)
    if rank == 0:
        torch.save(moved, out)


def stepped(config: TrainConfig, device: Device, batch: Batch, processes: int = 1) -> Tensor:
    """The weights after one step down the gradient itself: AdamW's first would be of its signs,
    which rounding turns wherever it is next to nothing."""
    learner = learner_of(config, device, processes, torch.optim.SGD)
    learner.step(batch, 1e-3)
    return flat(learner.model)


def flat(model: nn.Module) -> Tensor:
    return torch.cat([each.detach().cpu().flatten() for each in model.parameters()])


def apart(start: Tensor, one: Tensor, other: Tensor) -> float:
    return float((one - other).norm() / (one - start).norm())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=60.0, help="of training for each preset")
    parser.add_argument("--presets", nargs="+", default=["paper", "base", "fast"])
    parser.add_argument("--compile", action="store_true", help="measure torch.compile as well")
    parser.add_argument("--out", type=Path, default=RESULT)
    asked = parser.parse_args()
    device = choose_device(asked.device)
    peak = peak_gflops(device)
    configs = [load_config(ROOT / "configs" / f"{name}.toml") for name in asked.presets]
    rows = []
    for config in configs:
        for compiled in (False, True) if asked.compile else (False,):
            compute = replace(config.compute, compile=compiled, device=asked.device)
            rows.append(speed(replace(config, compute=compute), device, asked.seconds, peak))
            print(json.dumps(rows[-1]), flush=True)
    card = torch.cuda.get_device_name(device.place) if device.kind == "cuda" else device.kind
    kept = {
        "command": f"python benchmarks/accelerator.py --device {asked.device}"
        f" --seconds {asked.seconds:g} --presets {' '.join(asked.presets)}",
        "device": card,
        "precision": str(device.autocast_to).removeprefix("torch."),
        "torch": torch.__version__,
        "peak_gflops": round(peak),
        "presets": rows,
        "step_difference_from_the_processor": {
            config.name: round(step_difference(config, device), 5) for config in configs
        },
        "step_difference_of_two_processes": {
            config.name: processes_difference(config, device) for config in configs
        },
    }
    asked.out.write_text(json.dumps(kept, indent=1) + "\n")
    print(f"{asked.out} written")


if __name__ == "__main__":
    main()
