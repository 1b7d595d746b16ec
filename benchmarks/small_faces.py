"""Photos larger than the usual search: what the closer look finds, and what it costs.

    python benchmarks/small_faces.py DATA --json benchmarks/results/small_faces.json

Val faces, shrunk, stand in full HD pictures patched from pictures without faces (two a picture);
val scenes and pictures without faces come as they are (none is larger than 480 px, so that nothing
may change) and patched to larger pictures. Counted after the landmark network (`find_faces`):
what it takes for a face and the truth does not is false. Boxes of scenes count from 16 px.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

import mien
from mien.files import write_atomically
from mien.types import Box
from provenance import weights_of

DETECTORS = {"one look": "centerface:512", "with the closer look": "centerface"}
SOURCES = ["helen", "mebeauty", "lfw", "afw"]
MARGIN = 2.2
"""Side of a stored face against its landmark box."""
OVERLAP = 0.3
Shown = tuple[np.ndarray, list[Box]]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--json", type=Path, required=True)
    arguments.add_argument("--model", default="nano")
    arguments.add_argument("--pictures", type=int, default=16, help="Of each kind that is patched.")
    given = arguments.parse_args()
    cv2.setNumThreads(1)
    trackers = {
        name: mien.load_tracker(given.model, detector=words, threads=1).fresh(
            mien.TrackerSettings(max_faces=10_000)
        )
        for name, words in DETECTORS.items()
    }
    results = {
        "command": f"python benchmarks/small_faces.py DATA --pictures {given.pictures}",
        "networks": weights_of(given.model),
        "sets": {
            name: {words: counted(tracker, shown) for words, tracker in trackers.items()}
            for name, shown in pictures_by_name(given.data, given.pictures).items()
        },
    }
    write_atomically(given.json, (json.dumps(results, indent=1) + "\n").encode())
    print(json.dumps(results["sets"], indent=1))


def pictures_by_name(data: Path, count: int) -> dict[str, list[Shown]]:
    empty = [read(path) for path in sorted((data / "no_faces").glob("*.jpg"))]
    boxes = json.loads((data / "scenes" / "boxes.json").read_text())["files"]
    names = sorted(boxes)[-30:]
    scenes = [(read(data / "scenes" / name), truth_of(boxes[name])) for name in names]
    rng = np.random.default_rng(5)
    faces = faces_of(data)
    none: list[Shown] = [(image, []) for image in empty]
    shown = {"scenes": scenes, "no faces": none}
    shown["scenes, patched to 1920x1440"] = [patched(scenes, 1920, 1440, rng) for _ in range(6)]
    for width, height in ((1920, 1080), (4000, 3000)):
        name = f"no faces, patched to {width}x{height}"
        shown[name] = [patched(none, width, height, rng) for _ in range(count)]
    for size in (20, 24, 28, 36, 50, 80, 160):
        pictures = [patched(none, 1920, 1080, rng) for _ in range(count)]
        shown[f"full HD, two faces of {size} px"] = [
            with_faces(picture, faces, size, rng) for picture, _ in pictures
        ]
    return shown


def read(path: Path) -> np.ndarray:
    return np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])


def truth_of(rows: Sequence[Sequence[float]]) -> list[Box]:
    return [Box(x, y, x + w, y + h) for x, y, w, h, *_ in rows]


def faces_of(data: Path) -> Callable[[np.random.Generator], np.ndarray]:
    labels = np.load(data / "faces.npz")
    rows = np.flatnonzero((labels["split"] == "val") & np.isin(labels["source"], SOURCES))
    return lambda rng: read(data / "faces" / str(labels["path"][rng.choice(rows)]))


def patched(parts: Sequence[Shown], width: int, height: int, rng: np.random.Generator) -> Shown:
    """Rows of pictures, 240 to 480 px high, until it is full."""
    canvas, boxes, top = np.zeros((height, width, 3), np.uint8), [], 0
    while top < height:
        left, row_height = 0, int(rng.integers(240, 481))
        while left < width:
            image, truth = parts[rng.integers(len(parts))]
            scale = row_height / image.shape[0]
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
            part = image[: height - top, : width - left]
            canvas[top : top + part.shape[0], left : left + part.shape[1]] = part
            boxes += [moved(box, scale, left, top) for box in truth]
            left += image.shape[1]
        top += row_height
    whole = Box(0, 0, width, height)
    return canvas, [box for box in boxes if inside(box, whole)]


def moved(box: Box, scale: float, left: float, top: float) -> Box:
    sides = (box.left, box.top, box.right, box.bottom)
    return Box(*(scale * side + shift for side, shift in zip(sides, (left, top) * 2, strict=True)))


def inside(box: Box, whole: Box) -> bool:
    x, y = box.centre
    return whole.left <= x < whole.right and whole.top <= y < whole.bottom


def with_faces(
    picture: np.ndarray,
    faces: Callable[[np.random.Generator], np.ndarray],
    size: int,
    rng: np.random.Generator,
) -> Shown:
    boxes, half = [], picture.shape[1] // 2
    for part in range(2):
        side = round(size * MARGIN)
        face = cv2.resize(faces(rng), (side, side), interpolation=cv2.INTER_AREA)
        left = part * half + int(rng.integers(0, half - side))
        top = int(rng.integers(0, picture.shape[0] - side))
        picture[top : top + side, left : left + side] = face
        near = (side - size) / 2
        boxes.append(Box(left + near, top + near, left + near + size, top + near + size))
    return picture, boxes


def counted(tracker: mien.Tracker, pictures: Sequence[Shown]) -> dict[str, float]:
    asked = found = false = 0
    secs = []
    for image, truth in pictures:
        start = time.process_time()
        boxes = [face.box for face in mien.find_faces(image, tracker)]
        secs.append(time.process_time() - start)
        sure = [box for box in truth if min(box.width, box.height) >= 16]
        asked += len(sure)
        found += sum(any(box.iou(one) >= OVERLAP for one in boxes) for box in sure)
        false += sum(all(box.iou(one) < OVERLAP for one in truth) for box in boxes)
    return {
        "pictures": len(pictures),
        "faces": asked,
        "found": found,
        "false": false,
        "processor_ms": round(1000 * float(np.median(secs)), 1),
    }


if __name__ == "__main__":
    main()
