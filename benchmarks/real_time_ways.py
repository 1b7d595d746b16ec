"""Ways to a cheaper photo and a cheaper crowd, in turns: what decision 33 says was tried.

    python benchmarks/real_time_ways.py --out benchmarks/results/real_time_ways.json

A photo is the demo's person at 640x360, detector and points in a warm process. A crowd is twelve
crops through model 2, each way beside one crop through the network as it is opened. Other work on
the machine spoils all.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

import mien
from mien.bench import write_crowd
from mien.files import write_atomically
from mien.media import open_source
from mien.pipeline import make_tracker
from mien.runtime import load_landmarkers, open_detector
from mien.runtime.session import open_session, read_card
from mien.runtime.weights import find_weights
from provenance import command, finder_of, weights_of

FACES = 12
PHOTOS = {
    "nano, CenterFace, as it ships": ("nano", "centerface", 2),
    "pico": ("pico", "centerface", 2),
    "one thread": ("nano", "centerface", 1),
    "searched at 448 px, not 512": ("nano", "centerface:448", 2),
    "searched at 384 px": ("nano", "centerface:384", 2),
    "the finder, not CenterFace": ("nano", "finder", 2),
}
"""Model, detector, threads of both."""
_OUTPUTS = ["points", "confidence", "score"]
_WARM_UP = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=25)
    given = parser.parse_args()
    kept = {
        "cores": len(os.sched_getaffinity(0)),
        "networks": weights_of("fast", "nano", "pico") | finder_of(),
        "photo_ms": photos(given.rounds),
        "crowd": {model: crowd(model, given.rounds) for model in ("fast", "nano", "pico")},
        "command": command(),
    }
    write_atomically(given.out, (json.dumps(kept, indent=1) + "\n").encode())
    print(json.dumps(kept, indent=1))


def photos(rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds of one photo, each way."""
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder, "clip.mp4")
        write_crowd(clip, faces=1, width=640, height=360, frames=2)
        with open_source(str(clip)) as source:
            image = next(iter(source)).image_rgb
    trackers = {
        name: make_tracker(
            load_landmarkers(model, threads=threads), open_detector(detector, threads)
        )
        for name, (model, detector, threads) in PHOTOS.items()
    }
    return in_turns(
        {name: lambda it=it: mien.find_faces(image, it) for name, it in trackers.items()}, rounds
    )


def crowd(model: str, rounds: int) -> dict[str, Any]:
    """Milliseconds of twelve crops, each way, and how many times that of one."""
    path = find_weights(model).tracking
    side = read_card(path).side
    crops = np.random.default_rng(0).integers(0, 256, (FACES, side, side, 3), dtype=np.uint8)
    shared, own = open_session(path, 2), open_session(path, 1)
    pool = ThreadPoolExecutor(2)

    def run(session: Any, some: UInt8[np.ndarray, "n side side 3"]) -> None:
        session.run(_OUTPUTS, {"crops": some})

    def in_lanes(size: int) -> None:
        parts = (crops[start : start + size] for start in range(0, FACES, size))
        list(pool.map(lambda part: run(own, part), parts))

    told = in_turns(
        {
            "one, its layers shared by two threads": lambda: run(shared, crops[:1]),
            "one, on one thread": lambda: run(own, crops[:1]),
            "twelve in a batch, its layers shared": lambda: run(shared, crops),
            "twelve one by one, layers shared": lambda: [
                run(shared, crops[k : k + 1]) for k in range(FACES)
            ],
            "two batches of six, a thread each": lambda: in_lanes(6),
            "one by one, a thread each": lambda: in_lanes(1),
        },
        rounds,
    )
    one = min(told[way]["processor"] for way in list(told)[:2])
    return {
        "ms": told,
        "times_one": {way: round(ms["processor"] / one, 2) for way, ms in told.items()},
    }


def in_turns(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, dict[str, float]]:
    """Medians of each, on the wall and of the processor, ms."""
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(_WARM_UP + rounds):
        for name, way in ways.items():
            start, cpu_start = time.perf_counter(), time.process_time()
            way()
            spent[name].append((time.perf_counter() - start, time.process_time() - cpu_start))
    medians = {name: 1e3 * np.median(all_[_WARM_UP:], axis=0) for name, all_ in spent.items()}
    return {
        name: {"wall": round(float(wall), 2), "processor": round(float(cpu), 2)}
        for name, (wall, cpu) in medians.items()
    }


if __name__ == "__main__":
    main()
