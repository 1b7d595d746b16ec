"""Latency on a simulated camera, what two workers gain over one, and the machine's matrix rate.

    python benchmarks/throughput.py --out benchmarks/results/throughput.json

The camera is a clip of one person (640x360, `mien.bench.write_crowd`) that `mien live` plays at 30
and 60 frames a second, whether anybody is ready or not. The workers follow a folder of such clips
with one thread a network, so that only the number of processes differs; one worker, one worker that
is held to one core, and two take turns. One worker reads its clip beside the network and so uses
more than a core: how many is told, and two workers cannot gain more than what is left. The matrix
rate is that of numpy's products of two float32 matrices, with one thread and with two: what a
network of so many operations could take at best. Other work on the machine spoils all.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
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
CLIPS = 6
FRAMES = {"nano": 1800, "pico": 1800, "fast": 300}
"""A clip, so that the start of a process is a small part of its work."""
WAYS = {"one_worker": (1, False), "one_worker_one_core": (1, True), "two_workers": (2, False)}
"""How many workers, and whether held to one core."""
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
        camera = Path(folder, "camera.mp4")
        write_crowd(camera, faces=1, width=640, height=360, frames=LIVE_SECS * max(RATES))
        kept = {
            "cores": len(os.sched_getaffinity(0)),
            "networks": weights_of(*models),
            "live": [live(camera, model, rate) for model in models for rate in RATES],
            "matrix_gflops_per_s": {str(count): matrix_rate(count) for count in (1, 2)},
            "workers": [workers(model, arguments.rounds) for model in models],
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


def workers(model: str, rounds: int) -> dict[str, Any]:
    """Seconds for a folder of clips, in each of ``WAYS``."""
    secs: dict[str, list[float]] = {way: [] for way in WAYS}
    cores_of_one: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        clips = Path(folder, "clips")
        _write_clips(clips, FRAMES[model])
        for _ in range(rounds):
            for way, (count, is_held) in WAYS.items():
                wall_secs, cpu_secs = _track(clips, model, count, is_held=is_held)
                secs[way].append(round(wall_secs, 2))
                if way == "one_worker":
                    cores_of_one.append(cpu_secs / wall_secs)
    return {
        "model": model,
        "clips": CLIPS,
        "frames": CLIPS * FRAMES[model],
        **{f"{way}_secs": found for way, found in secs.items()},
        "cores_one_worker_uses": round(median(cores_of_one), 2),
        "gain": _gain(secs["one_worker"], secs["two_workers"]),
        "gain_over_one_core": _gain(secs["one_worker_one_core"], secs["two_workers"]),
    }


def _write_clips(folder: Path, frames: int) -> None:
    folder.mkdir()
    first = folder / "clip-0.mp4"
    write_crowd(first, faces=1, width=640, height=360, frames=frames)
    for number in range(1, CLIPS):
        shutil.copy(first, folder / f"clip-{number}.mp4")


def _track(clips: Path, model: str, count: int, *, is_held: bool) -> tuple[float, float]:
    """Seconds on the wall, and of the processor."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["track", str(clips), "--table", str(Path(folder, "study.csv"))]
        words += ["--model", model, "--threads", "1", "--workers", str(count)]
        cores = os.sched_getaffinity(0)
        start, cpu_start = time.perf_counter(), _children_secs()
        _mien(words, {min(cores)} if is_held else cores)
        return time.perf_counter() - start, _children_secs() - cpu_start


def _children_secs() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _gain(slow: list[float], quick: list[float]) -> float:
    return round(median(one / two for one, two in zip(slow, quick, strict=True)), 2)


def matrix_rate(threads: int) -> float:
    """Thousand millions of float32 operations a second."""
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    limits = {name: str(threads) for name in names}
    words = [sys.executable, "-c", _MATRIX]
    done = subprocess.run(
        words, env={**os.environ, **limits}, check=True, capture_output=True, text=True
    )
    return round(float(done.stdout), 1)


def _mien(words: list[str], cores: set[int] | None = None) -> None:
    """Run the command, on these cores alone where they are named."""
    hold = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    subprocess.run(
        [sys.executable, "-m", "mien", *words],
        check=True,
        stdout=subprocess.DEVNULL,
        preexec_fn=hold,
    )


if __name__ == "__main__":
    main()
