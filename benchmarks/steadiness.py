"""Measure the jitter of a model's points on still faces, and their lag on swinging ones.

    python benchmarks/steadiness.py --data DATA --model fast --out results/fast.steadiness.json

Faces of the val split of the face pack (helen, 12 of them, evenly chosen), each made into a still
and a swinging sequence (`mien.evaluation.steadiness`) and followed by the tracker of `mien track`.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path

from mien.datasets.ours.pack import read_face_pack
from mien.evaluation.steadiness import measure_steadiness
from mien.files import write_atomically
from mien.runtime import load_landmarkers, open_detector
from mien.tracking import (
    OfflineSettings,
    OfflineSmoother,
    SmoothingSettings,
    Tracker,
    TrackerSettings,
)
from provenance import weights_of

_FACES = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the face pack")
    parser.add_argument("--model", default="fast")
    parser.add_argument("--faces", type=int, default=_FACES)
    parser.add_argument("--offline", action="store_true", help="as mien track --offline")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    photos = read_face_pack(arguments.data, split="val", sources=["helen"])
    photos = photos[:: max(1, len(photos) // arguments.faces)][: arguments.faces]
    pair = load_landmarkers(arguments.model, points=68, threads=arguments.threads)
    smoothing = OfflineSettings() if arguments.offline else SmoothingSettings()
    settings = TrackerSettings(smoothing=smoothing)
    tracker = Tracker(open_detector("centerface"), pair.first, pair.following, settings)
    smoother = partial(OfflineSmoother, pair.markup.mean_shape) if arguments.offline else None
    measured = measure_steadiness(photos, tracker, smoother=smoother)
    name = Path(arguments.model).name
    kept = {
        "model": pair.name,
        "offline": arguments.offline,
        **vars(measured),
        "networks": weights_of(arguments.model),
        "command": f"python benchmarks/steadiness.py --data data --model {name} "
        f"--faces {arguments.faces}{' --offline' * arguments.offline} --out {arguments.out.name}",
    }
    write_atomically(arguments.out, (json.dumps(kept, indent=1) + "\n").encode())
    print(json.dumps(kept, indent=1))


if __name__ == "__main__":
    main()
