"""Measure how fast a model is on this machine, and keep the middle run.

    python benchmarks/speed.py CLIP.mp4 --out benchmarks/results/fast.NAME.speed.json
    python benchmarks/speed.py --out benchmarks/results/fast.cost.json

The first runs `mien track`, overlay and table included, so that the figure is what a user gets. The
second measures the landmark networks alone: one crop a run, two threads, the median of many runs.
Other work on the machine spoils either.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import av
import numpy as np

from mien.runtime.session import open_weights
from mien.runtime.weights import find_weights
from provenance import weights_of

_THREADS = 2
_WARM_UP = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clip", type=Path, nargs="?", help="without it: the networks alone")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", default="fast")
    parser.add_argument("--runs", type=int, help="3 of a clip, 300 of a network if not given")
    arguments = parser.parse_args()
    if arguments.clip is None:
        kept = measure_cost(arguments.model, arguments.runs or 300)
    else:
        kept = measure_clip(arguments.clip, arguments.model, arguments.runs or 3)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(kept, indent=1) + "\n")
    print(json.dumps(kept, indent=1))


def measure_clip(clip: Path, model: str, runs: int) -> dict[str, Any]:
    """From the file to the overlay."""
    summaries = [_track(clip, model) for _ in range(runs)]
    summary = sorted(summaries, key=lambda run: run["fps"])[runs // 2]
    with av.open(str(clip)) as container:
        context = container.streams.video[0].codec_context
        size = f"{context.width}x{context.height}"
    return {
        "clip": clip.name,
        "size": size,
        "cores": len(os.sched_getaffinity(0)),
        "command": f"mien track {clip.name} --out out --model {Path(model).name}",
        "networks": weights_of(model),
        "runs_fps": [round(run["fps"], 2) for run in summaries],
        **summary,
    }


def _track(clip: Path, model: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as out:
        words = ["track", str(clip), "--out", out, "--model", model]
        code = "import sys; from mien.cli import main; main(sys.argv[1:])"
        subprocess.run([sys.executable, "-c", code, *words], check=True)
        summary: dict[str, Any] = json.loads(Path(out, f"{clip.stem}.json").read_text())
    return summary


def measure_cost(model: str, runs: int) -> dict[str, Any]:
    """Milliseconds a face, of both networks of a model."""
    paths = find_weights(model)
    kept: dict[str, Any] = {}
    for path in (paths.tracking, paths.detection):
        weights = open_weights(path, _THREADS)
        card = weights.card
        noise = np.random.default_rng(0).integers(0, 256, (1, card.side, card.side, 3))
        crops = noise.astype(np.uint8)
        times_ms = []
        for _ in range(_WARM_UP + runs):
            start = time.perf_counter()
            weights.run(crops)
            times_ms.append((time.perf_counter() - start) * 1e3)
        role = "tracking" if path == paths.tracking else "detection"
        kept |= {"model": card.name, "side": card.side, "gflops": card.gflops} if not kept else {}
        kept |= {
            f"{role}_ms": round(float(np.median(times_ms[_WARM_UP:])), 3),
            f"{role}_ms_p90": round(float(np.percentile(times_ms[_WARM_UP:], 90)), 3),
        }
    name = Path(model).name
    command = f"python benchmarks/speed.py --out {name}.cost.json --model {name}"
    cores = len(os.sched_getaffinity(0))
    kept["networks"] = weights_of(model)
    return {**kept, "threads": _THREADS, "cores": cores, "runs": runs, "command": command}


if __name__ == "__main__":
    main()
