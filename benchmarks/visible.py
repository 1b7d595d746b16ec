"""How well ``visible`` tells which points a head hides: made clips whose hidden points are known.

::

    python benchmarks/visible.py clips test/study.parquet benchmarks/results/visible.json

The table must hold the points (`mien track clips/clip-000?.mp4 --points inside --table ...`), and
the clips are made of `test` people (`measures.py` says how). The three weights in
`mien.quality.visible` were fitted on clips of `val` people, by `--fit`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from scipy.optimize import minimize

from measures import assigned
from mien.datasets.ours.clips import read_clips
from mien.quality.visible import facing, visible
from mien.study import read_clips as read_table
from mien.types import HeadPose
from provenance import weights_of_run

HUGE = 1_000_000


def auc(values: np.ndarray, true: np.ndarray) -> float:
    """Area under the curve of true against false positives."""
    rank = np.empty(len(values))
    rank[np.argsort(values)] = np.arange(len(values))
    ones = int(true.sum())
    return float((rank[true].sum() - ones * (ones - 1) / 2) / (ones * (len(true) - ones)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("clips", "table", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--fit", action="store_true", help="Print weights fitted on these clips.")
    given = parser.parse_args()
    clips = {clip.name: clip for clip in read_clips(given.clips)}
    names = [f"c_{point}" for point in range(68)]
    whole = pq.read_table(given.table, columns=["clip", "frame", *names]).to_pandas()
    seen, told, sides, sure = [], [], [], []
    for rows in read_table(given.table):
        clip = clips[rows.clip]
        own = whole[whole["clip"] == rows.clip].sort_values("frame", kind="stable")
        confidence = own[names].to_numpy()
        for (face, frame), row in assigned(rows, clip).items():
            angles = (rows.columns[f"{name}_deg"][row] for name in ("yaw", "pitch", "roll"))
            pose = HeadPose(*map(float, angles))
            seen.append(~clip.hidden[face, frame])
            nowhere = np.ones((68, 2))  # the label does not count what lies beyond the border
            told.append(visible(nowhere, confidence[row], pose, HUGE, HUGE))
            sides.append(facing(pose))
            sure.append(np.clip(confidence[row], 0.01, 0.99))
    true, guess = np.concatenate(seen), np.concatenate(told)
    if given.fit:
        odds = np.log(np.concatenate(sure) / (1 - np.concatenate(sure)))
        values = np.stack([np.ones(len(true)), np.concatenate(sides), odds], axis=1)

        def loss(weights: np.ndarray) -> float:
            told = values @ weights
            return float(np.mean(np.logaddexp(0, told) - true * told))

        print(minimize(loss, np.zeros(3)).x.round(2).tolist())
    bins = {}
    for edge in np.arange(0, 1, 0.2):
        inside = (guess >= edge) & (guess < edge + 0.2 + 1e-9)
        bins[f"{edge:.1f}"] = [int(inside.sum()), round(float(true[inside].mean()), 4)]
    result = {
        "command": f"python benchmarks/visible.py {given.clips.name} {given.table.name}",
        "networks": weights_of_run(json.loads(given.table.with_name("run.json").read_text())),
        "points": len(true),
        "hidden_share": round(float(1 - true.mean()), 4),
        "auc": round(auc(guess, true), 4),
        "right_at_0.5": round(float(((guess > 0.5) == true).mean()), 4),
        "seen_share_by_probability": bins,
    }
    given.out.write_text(json.dumps(result, indent=1) + "\n")
    print(result)


if __name__ == "__main__":
    main()
