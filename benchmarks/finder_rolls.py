"""Does the face finder know how a head lies? Roll of its five points, on val faces pasted turned.

    python benchmarks/finder_rolls.py --set SET --json benchmarks/results/finder_rolls.json

A roll is that of the line from the eyes' middle to the mouth's; more than 45 degrees off is wrong.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from finder import CANVAS, ROLLS_DEG, as_finds, pasted
from mien.datasets.ours.finder_set import FinderSet
from mien.files import write_atomically
from mien.runtime.detectors import Finder
from mien.training.finder.validation import match_finds
from mien.types import Frame
from provenance import finder_of

SIZE = 60
WRONG_DEG = 45.0


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--set", type=Path, required=True)
    arguments.add_argument("--json", type=Path, required=True)
    arguments.add_argument("--count", type=int, default=48)
    given = arguments.parse_args()
    cv2.setNumThreads(1)
    held_out, own, results = FinderSet(given.set, "val"), Finder(), {}
    for roll in ROLLS_DEG:
        off = []
        for one in pasted(held_out, CANVAS, SIZE, lambda rng, roll=roll: roll, given.count):
            finds = as_finds(own.find(Frame(one.image_rgb, 0, 0.0)))
            rows, _ = match_finds(finds, one.faces)
            for find, row in enumerate(rows):
                if row >= 0 and one.faces.sure[row]:
                    truth = down(one.faces.points[row])
                    difference = down(finds.points[find]) - truth
                    off.append(abs((np.degrees(difference) + 180) % 360 - 180))
        results[str(roll)] = {
            "faces": given.count,
            "found": len(off),
            "roll_wrong": int((np.array(off) > WRONG_DEG).sum()),
            "median_off_deg": round(float(np.median(off)), 1),
        }
        print(roll, results[str(roll)], flush=True)
    told = {
        "command": "python benchmarks/finder_rolls.py --set SET",
        "networks": finder_of(),
        "rolls_deg": results,
    }
    write_atomically(given.json, (json.dumps(told, indent=1) + "\n").encode())


def down(points: np.ndarray) -> float:
    """Angle of the line from the eyes to the mouth, radians."""
    x, y = points[3:].mean(axis=0) - points[:2].mean(axis=0)
    return float(np.arctan2(y, x))


if __name__ == "__main__":
    main()
