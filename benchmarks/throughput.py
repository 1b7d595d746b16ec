"""Latency on a simulated camera, what two workers gain over one, and the machine's matrix rate.

    python benchmarks/throughput.py --out benchmarks/results/throughput.json

The camera is a clip of one person (640x360, `mien.bench.write_crowd`) that `mien live` plays at 30
and 60 frames a second, whether anybody is ready or not. The workers follow a folder of such clips
with one thread a process, so that only the number of processes differs; one worker and two take
turns. The matrix rate is that of numpy's products of two float32 matrices, with one thread and with
two: what a network of so many operations could take at best. Other work on the machine spoils all.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from mien.bench import write_crowd
from provenance import weights_of

RATES = (30, 60)
LIVE_SECS = 12
CLIPS, FRAMES = 6, 300
_MATRIX = """
import time, numpy as np
side = 1536
one, other = np.random.default_rng(0).random((2, side, side), dtype=np.float32)
secs = []
for _ in range(20):
    start = time.perf_counter()
    one @ other
    secs.append(time.perf_counter() - start)
print(2e-9 * side**3 / sorted(secs)[len(secs) // 2])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", action="append", help="repeatable; nano and fast if not given")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    models = arguments.model or ["nano", "fast"]
    with tempfile.TemporaryDirectory() as folder:
        clips = Path(folder, "clips")
        clips.mkdir()
        first = clips / "clip-0.mp4"
        write_crowd(first, faces=1, width=640, height=360, frames=FRAMES)
        for number in range(1, CLIPS):
            shutil.copy(first, clips / f"clip-{number}.mp4")
        camera = Path(folder, "camera.mp4")
        write_crowd(camera, faces=1, width=640, height=360, frames=LIVE_SECS * max(RATES))
        kept = {
            "cores": len(os.sched_getaffinity(0)),
            "networks": weights_of(*models),
            "live": [live(camera, model, rate) for model in models for rate in RATES],
            "matrix_gflops_per_s": {str(count): matrix_rate(count) for count in (1, 2)},
            "workers": [workers(clips, model, arguments.rounds) for model in models],
            "command": "python benchmarks/throughput.py --out throughput.json",
        }
    arguments.out.write_text(json.dumps(kept, indent=1) + "\n")
    print(json.dumps(kept, indent=1))


def live(clip: Path, model: str, rate: int) -> dict[str, Any]:
    """From a frame's arrival to its faces."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "live.json")
        words = ["live", str(clip), "--no-window", "--model", model]
        words += ["--rate", str(rate), "--seconds", str(LIVE_SECS), "--json", str(told)]
        _mien(words)
        return {"model": model, "rate": rate, **json.loads(told.read_text())}


def workers(clips: Path, model: str, rounds: int) -> dict[str, Any]:
    """Seconds for the folder with one worker and with two."""
    secs: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for count, found in secs.items():
            with tempfile.TemporaryDirectory() as folder:
                words = ["track", str(clips), "--table", str(Path(folder, "study.csv"))]
                words += ["--model", model, "--threads", "1", "--workers", str(count)]
                start = time.perf_counter()
                _mien(words)
                found.append(round(time.perf_counter() - start, 2))
    gains = [one / two for one, two in zip(secs[1], secs[2], strict=True)]
    return {
        "model": model,
        "clips": CLIPS,
        "frames": CLIPS * FRAMES,
        "one_worker_secs": secs[1],
        "two_workers_secs": secs[2],
        "gain": round(median(gains), 2),
    }


def matrix_rate(threads: int) -> float:
    """Thousand millions of float32 operations a second."""
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    limits = {name: str(threads) for name in names}
    words = [sys.executable, "-c", _MATRIX]
    done = subprocess.run(
        words, env={**os.environ, **limits}, check=True, capture_output=True, text=True
    )
    return round(float(done.stdout), 1)


def _mien(words: list[str]) -> None:
    subprocess.run([sys.executable, "-m", "mien", *words], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
