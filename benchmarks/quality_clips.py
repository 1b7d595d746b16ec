"""How far `quality` is to be trusted in films: made clips whose every frame is known.

::

    python benchmarks/quality_clips.py clips test/study.parquet results/quality_clips.json

The table must hold the points (`measures.py` says how both are made). A face is far where its
points, moved to the clicked convention of the clips, are more than 0.05 face sizes off in their
mean.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from measures import assigned
from mien.datasets.ours.clips import read_clips
from mien.evaluation.metrics import nme
from mien.geometry.convention import Convention, in_convention
from mien.runtime import load_landmarkers
from mien.study import read_clips as read_table
from provenance import weights_of_run

FAR = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("clips", "table", "out"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    record = json.loads(given.table.with_name("run.json").read_text())
    model = record["model"]["name"]
    own = Convention(load_landmarkers(model, points=68).following.card.convention)
    clips = {clip.name: clip for clip in read_clips(given.clips)}
    names = [f"{axis}_{point}" for point in range(68) for axis in "xyz"]
    whole = pq.read_table(given.table, columns=["clip", "frame", "quality", *names]).to_pandas()
    errors, quality = list[float](), list[float]()
    for rows in read_table(given.table):
        table = whole[whole["clip"] == rows.clip].sort_values("frame", kind="stable")
        points = table[names].to_numpy(float).reshape(-1, 68, 3)
        told = table["quality"].to_numpy(float)
        clip = clips[rows.clip]
        for (face, frame), row in assigned(rows, clip).items():
            moved = in_convention(points[row], own, Convention.CLICKED)
            errors.append(nme(moved, clip.points_image[face, frame]))
            quality.append(float(told[row]))
    far, sure = np.array(errors) > FAR, np.array(quality)

    def share(inside: np.ndarray) -> dict[str, Any]:
        return {
            "faces": int(inside.sum()),
            "far_share": round(float(far[inside].mean()), 4) if inside.any() else None,
        }

    told_of = {
        "command": f"python benchmarks/quality_clips.py {given.clips.name} {given.table.name}",
        "networks": weights_of_run(json.loads(given.table.with_name("run.json").read_text())),
        "model": model,
        "all": share(sure >= 0),
        "below_0.5": share(sure < 0.5),
        "0.5_to_0.9": share((sure >= 0.5) & (sure <= 0.9)),
        "above_0.9": share(sure > 0.9),
    }
    given.out.write_text(json.dumps(told_of, indent=1) + "\n")
    print(json.dumps(told_of))


if __name__ == "__main__":
    main()
