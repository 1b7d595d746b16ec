"""What would the face finder add to CenterFace? On val scenes, as they are and at half their size.

    python benchmarks/finder_joined.py --set SET --json benchmarks/results/finder_joined.json

Faces of at least 10 px count. ``spare`` asks the finder only where CenterFace finds nothing.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from finder import as_finds
from mien.datasets.ours.finder_set import SCENE, FinderSet, PictureFaces
from mien.files import write_atomically
from mien.runtime.detectors import CenterFace, Finder
from mien.training.finder.validation import match_finds
from mien.types import FaceFinder, Frame
from provenance import finder_of

LEAST_PX = 10
SCORES = (0.5, 0.55, 0.62)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--set", type=Path, required=True)
    arguments.add_argument("--json", type=Path, required=True)
    given = arguments.parse_args()
    cv2.setNumThreads(1)
    held_out = FinderSet(given.set, "val")
    usual = CenterFace(score=0.5)
    finders = {score: Finder(score=score) for score in SCORES}
    results = {}
    for factor in (1.0, 0.5):
        faces = by_usual = blank = 0
        own = {
            score: dict.fromkeys(("found", "added", "spare", "spare_false"), 0) for score in SCORES
        }
        for row in held_out.of(SCENE, "scenes"):
            picture = held_out.load(int(row))
            image, table = shrunk(picture.image_rgb, picture.faces, factor)
            faces += int(table.sure.sum())
            known, _, is_blank = found_by(usual, image, table)
            by_usual += len(known)
            blank += is_blank
            for score, finder in finders.items():
                right, false, _ = found_by(finder, image, table)
                own[score]["found"] += len(right)
                own[score]["added"] += len(right - known)
                own[score]["spare"] += len(right) if is_blank else 0
                own[score]["spare_false"] += false if is_blank else 0
        results[f"{factor:g}"] = {
            "faces": faces,
            "centerface": by_usual,
            "scenes_where_it_finds_nothing": blank,
            "finder_by_score": {f"{score:g}": each for score, each in own.items()},
        }
    told = {
        "command": "python benchmarks/finder_joined.py --set SET",
        "networks": finder_of(),
        "by_shrinking": results,
    }
    write_atomically(given.json, (json.dumps(told, indent=1) + "\n").encode())
    print(json.dumps(results, indent=1))


def shrunk(
    image: np.ndarray, faces: PictureFaces, factor: float
) -> tuple[np.ndarray, PictureFaces]:
    """The picture and its faces; those too small may be found or not."""
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    size = faces.size * factor
    sure = faces.sure & (size >= LEAST_PX)
    centre = (faces.centre + 0.5) * factor - 0.5
    return small, PictureFaces(centre, size, (faces.points + 0.5) * factor - 0.5, sure)


def found_by(
    finder: FaceFinder, image: np.ndarray, faces: PictureFaces
) -> tuple[set[int], int, bool]:
    """Rows of the faces found, the number of false finds, and whether there was no find at all."""
    rows, counts = match_finds(as_finds(finder.find(Frame(image, 0, 0.0))), faces)
    return set(rows[counts & (rows >= 0)].tolist()), int((counts & (rows < 0)).sum()), not len(rows)


if __name__ == "__main__":
    main()
