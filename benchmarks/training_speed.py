"""How fast runs trained, and which share of the processor's bfloat16 peak that is.

    python benchmarks/training_speed.py runs/fast-tracking runs/nano-tracking

Faces a second are the median over the rows of each run's `train.csv`: all of `mien train`, loading
and exchange between workers included. The arithmetic of a face, forward, losses and backward, is
counted by torch; the peak is the best of many products of two square bfloat16 matrices, measured
now on all cores. Other work on the machine spoils the peak, and the runs it was beside.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from mien.losses import total_loss
from mien.models import build_network
from mien.training.checkpoint import load_checkpoint
from mien.training.config import TrainConfig

RESULT = Path(__file__).parent / "results" / "training_speed.json"
_FACES = 2
_MATRIX = 2048


def peak_gflops(repeats: int = 40) -> float:
    """Of products of bfloat16 matrices."""
    a, b = (torch.randn(_MATRIX, _MATRIX, dtype=torch.bfloat16) for _ in range(2))
    best_secs = float("inf")
    for _ in range(repeats):
        start_secs = time.perf_counter()
        a @ b
        best_secs = min(best_secs, time.perf_counter() - start_secs)
    return 2 * _MATRIX**3 / best_secs / 1e9


def gflops_a_face(config: TrainConfig) -> float:
    """Forward, losses and backward."""
    side, points = config.network.side, config.network.points
    network = build_network(config.network).train()
    crops = torch.zeros(_FACES, 3, side, side)
    with FlopCounterMode(display=False) as counter:
        terms = total_loss(
            network(crops),
            torch.zeros(_FACES, points, 3),
            torch.ones(_FACES, points),
            torch.ones(_FACES),
            config.loss,
        )
        terms.total.backward()  # type: ignore[no-untyped-call]
    return float(counter.get_total_flops()) / 1e9 / _FACES


def measure(run: Path, peak: float) -> dict[str, Any]:
    """One run's figures."""
    config = load_checkpoint(run / "last.pt").config
    with (run / "train.csv").open(newline="") as stream:
        rates = [float(row["faces_per_sec"]) for row in csv.DictReader(stream)]
    rate, cost = statistics.median(rates), gflops_a_face(config)
    return {
        "preset": f"{config.name}, {config.role}",
        "side": config.network.side,
        "batch": config.schedule.batch,
        "faces_per_s": round(rate, 1),
        "gflops_a_face": round(cost, 2),
        "gflops_per_s": round(rate * cost),
        "share_of_peak": round(rate * cost / peak, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+", help="folders of mien train")
    parser.add_argument("--out", type=Path, default=RESULT)
    asked = parser.parse_args()
    peak = peak_gflops()
    kept = {
        "command": f"python benchmarks/training_speed.py {' '.join(map(str, asked.runs))}",
        "cores": len(os.sched_getaffinity(0)),
        "torch": torch.__version__,
        "peak_bfloat16_gflops": round(peak),
        "runs": [measure(run, peak) for run in asked.runs],
    }
    asked.out.write_text(json.dumps(kept, indent=1) + "\n")
    print(json.dumps(kept, indent=1))


if __name__ == "__main__":
    main()
