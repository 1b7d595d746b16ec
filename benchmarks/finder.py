"""The face finder beside CenterFace, on val pictures: what is found, what is not, at what cost.

    python benchmarks/finder.py --set SET --faces FACES --finder finder.onnx \
        --json benchmarks/results/finder.json [--sheet sheet.png]

``SET`` is what ``mien data finder`` makes, ``FACES`` the face pack. Nothing of a test split is
read. The finder's score is chosen here: the lowest with which it finds no more in pictures without
faces than CenterFace does. A face counts as found where a box overlaps its own by an IoU of 0.4.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from finder_points import points_from
from mien.augmentation.pasting import Canvas, Piece, paste_mask
from mien.datasets.ours.finder_set import CROP, EMPTY, SCENE, FinderSet, PictureFaces
from mien.files import write_atomically
from mien.geometry import Similarity, warp_crop
from mien.runtime.detectors import CenterFace, Finder
from mien.runtime.detectors.finder_maps import Finds
from mien.training.finder.validation import match_finds
from mien.types import Detection, FaceFinder, Frame
from provenance import finder_of

SIZES = (10, 12, 14, 17, 20, 28, 40, 64, 100, 160, 240, 330)
SIZES_OF_LARGE = (14, 20, 28, 40, 100, 400)
ROLLS_DEG = (0, 15, 30, 45, 60, 90, 120, 150, 180)
CANVAS, LARGE = 480, 1080
LEAST_SCORE = 0.05
COMMAND = "python benchmarks/finder.py --set SET --faces data --finder src/mien/weights/finder.onnx"
SOURCES = ("helen", "afw", "mebeauty", "lfw", "ytf")


@dataclass(frozen=True)
class Shown:
    """A picture and its faces."""

    image_rgb: np.ndarray
    faces: PictureFaces


@dataclass(frozen=True)
class Counts:
    """Of one detector on one set of pictures, before a score is chosen."""

    scores: np.ndarray
    """Of all finds that count."""
    right: np.ndarray
    """Which of them are faces."""
    faces: int
    pictures: int
    ms: float
    """Processor time a picture, median."""

    def at(self, score: float) -> dict[str, float]:
        sure = self.scores >= score
        return {
            "pictures": self.pictures,
            "faces": self.faces,
            "missed": self.faces - int((sure & self.right).sum()),
            "false": int((sure & ~self.right).sum()),
            "ms": round(self.ms, 2),
        }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--set", type=Path, required=True)
    arguments.add_argument("--faces", type=Path, required=True)
    arguments.add_argument("--finder", type=Path, required=True)
    arguments.add_argument("--json", type=Path, required=True)
    arguments.add_argument("--count", type=int, default=24, help="Pasted faces a size and a roll.")
    arguments.add_argument("--most", type=int, default=120, help="Photos a source.")
    arguments.add_argument("--most-points", type=int, default=40, help="Faces a source, points.")
    arguments.add_argument("--sheet", type=Path, help="Picture of val scenes with what was found.")
    given = arguments.parse_args()
    cv2.setNumThreads(1)
    held_out = FinderSet(given.set, "val")
    own = Finder(given.finder, score=LEAST_SCORE)
    detectors: dict[str, tuple[FaceFinder, float]] = {
        "centerface": (CenterFace(), 0.5),
        "centerface:1024": (CenterFace(long_side=1024), 0.5),
        "finder": (own, own.card.score),
    }
    shown = pictures_by_name(held_out, given.count, given.most)
    counts = count_all(detectors, shown)
    score = chosen_score(counts)
    starts = {"centerface": detectors["centerface"], "finder": (own, score)}
    results = {
        "command": COMMAND,
        "networks": finder_of(given.finder),
        "finder": {"sha256": own.card.sha256, "chosen_score": score, "card_score": own.card.score},
        "sets": {
            name: {
                detector: each.at(score if detector == "finder" else 0.5)
                for detector, each in of_set.items()
            }
            for name, of_set in counts.items()
        },
        "points": points_from(starts, given.faces, given.most_points),
    }
    write_atomically(given.json, (json.dumps(results, indent=1) + "\n").encode())
    print(told(results))
    if given.sheet is not None:
        draw_sheet(given.sheet, shown["scenes"], own, score)


def pictures_by_name(held_out: FinderSet, count: int, most: int) -> dict[str, list[Shown]]:
    """Pasted faces by size and roll, photos by source, scenes, and pictures without faces."""
    shown = {}
    for source in held_out.sources:
        rows = held_out.of(CROP, source)
        chosen = rows[:: max(-(-len(rows) // most), 1)]
        if len(chosen):
            pictures = [held_out.load(int(row)) for row in chosen]
            shown[f"photos: {source}"] = [Shown(one.image_rgb, one.faces) for one in pictures]
    for source in held_out.sources:
        if len(rows := held_out.of(SCENE, source)):
            pictures = [held_out.load(int(row)) for row in rows[:most]]
            least = [Shown(one.image_rgb, from_16_px(one.faces)) for one in pictures]
            shown[source] = least
    pictures = [held_out.load(int(row)) for row in held_out.of(EMPTY)]
    shown["no faces"] = [Shown(one.image_rgb, PictureFaces.empty()) for one in pictures]
    for size in SIZES:
        name = f"{CANVAS} px, face {size}"
        shown[name] = pasted(held_out, CANVAS, size, lambda rng: rng.normal(0, 10), count)
    for size in SIZES_OF_LARGE:
        name = f"{LARGE} px, face {size}"
        shown[name] = pasted(held_out, LARGE, size, lambda rng: rng.normal(0, 10), count)
    for roll in ROLLS_DEG:
        name = f"{CANVAS} px, face 60, roll {roll}"
        shown[name] = pasted(held_out, CANVAS, 60, lambda rng, roll=roll: roll, count)
    return shown


def from_16_px(faces: PictureFaces) -> PictureFaces:
    """Smaller faces may be found or not."""
    sure = faces.sure & (faces.size >= 16)
    return PictureFaces(faces.centre, faces.size, faces.points, sure)


def pasted(
    held_out: FinderSet,
    side: int,
    size: float,
    roll_deg: Callable[[np.random.Generator], float],
    count: int,
) -> list[Shown]:
    """One val face in a square picture without faces; both the same for every size and roll."""
    crops = [held_out.of(CROP, source) for source in (*SOURCES, "cfp")]
    crops = [rows for rows in crops if len(rows)]
    empty = held_out.of(EMPTY)
    shown = []
    for number in range(count):
        rng = np.random.default_rng(number)
        behind = held_out.load(int(empty[number % len(empty)])).image_rgb
        rows = crops[number % len(crops)]
        while (face := held_out.load(int(rng.choice(rows)))).main < 0:
            pass
        scale = min(behind.shape[:2]) / side
        canvas = Canvas(warp_crop(behind, Similarity(scale, 0.0, (0.0, 0.0)), side))
        centre = rng.uniform(0.3, 0.7, 2) * side
        piece = Piece.of(face, centre, size, math.radians(roll_deg(rng)))
        canvas.paste(piece, paste_mask(face, rng, is_whole=False), rng, None)
        table = canvas.table()
        asked = np.abs(table.centre - centre).max(axis=1) < 0.01
        faces = PictureFaces(table.centre, table.size, table.points, asked)
        shown.append(Shown(canvas.image, faces))
    return shown


def count_all(
    detectors: dict[str, tuple[FaceFinder, float]], shown: dict[str, list[Shown]]
) -> dict[str, dict[str, Counts]]:
    """Every detector on every picture, one after the other on each."""
    counts = {}
    for name, pictures in shown.items():
        found = {detector: ([], [], []) for detector in detectors}
        for one in pictures:
            frame = Frame(one.image_rgb, 0, 0.0)
            for detector, (finder, _) in detectors.items():
                if detector.endswith("1024") and max(one.image_rgb.shape) <= 512:
                    continue  # the same as the default there
                start = time.process_time()
                finds = as_finds(finder.find(frame))
                scores, right, ms = found[detector]
                ms.append(1000 * (time.process_time() - start))
                rows, is_counted = match_finds(finds, one.faces)
                scores += finds.score[is_counted].tolist()
                right += (rows[is_counted] >= 0).tolist()
        faces = sum(int(one.faces.sure.sum()) for one in pictures)
        counts[name] = {
            detector: Counts(
                np.array(scores), np.array(right, bool), faces, len(pictures), float(np.median(ms))
            )
            for detector, (scores, right, ms) in found.items()
            if ms
        }
        print(name, {d: each.at(0.5) for d, each in counts[name].items()}, flush=True)
    return counts


def as_finds(found: Sequence[Detection]) -> Finds:
    size = [max(math.sqrt(one.box.width * one.box.height), 1.0) for one in found]
    return Finds(
        np.array([one.score for one in found]),
        np.array([one.box.centre for one in found]).reshape(-1, 2),
        np.array(size),
        np.array([one.five_points for one in found]).reshape(-1, 5, 2),
    )


def chosen_score(counts: dict[str, dict[str, Counts]]) -> float:
    """The lowest score, in hundredths, with which the finder errs no more often than CenterFace."""
    empty = counts["no faces"]
    allowed = empty["centerface"].at(0.5)["false"]
    for hundredth in range(10, 96):
        if empty["finder"].at(hundredth / 100)["false"] <= allowed:
            return hundredth / 100
    return 0.95


def told(results: dict[str, object]) -> str:
    """The figures as lines to read."""
    sets, lines = results["sets"], [f"score of the finder: {results['finder']['chosen_score']}"]
    for name, of_set in sets.items():
        each = (
            f"{detector}: missed {c['missed']}/{c['faces']} false {c['false']} {c['ms']} ms"
            for detector, c in of_set.items()
        )
        lines.append(f"{name} ({next(iter(of_set.values()))['pictures']}): {'; '.join(each)}")
    for source, each in results["points"].items():
        lines += [f"points from a detection, {source}, {name}: {v}" for name, v in each.items()]
    return "\n".join(lines)


def draw_sheet(file: Path, pictures: Sequence[Shown], finder: Finder, score: float) -> None:
    """What is known in white, what was found in green, with the five points."""
    tiles = []
    for one in pictures[:12]:
        image = np.array(one.image_rgb)
        for (x, y), size in zip(one.faces.centre, one.faces.size, strict=True):
            box(image, x, y, size, (255, 255, 255))
        for found in finder.find(Frame(one.image_rgb, 0, 0.0)):
            if found.score >= score:
                box(image, *found.box.centre, found.box.width, (0, 255, 0))
                for point in found.five_points:
                    cv2.circle(image, tuple(int(v) for v in point), 1, (255, 0, 0), -1)
        tile = np.zeros((480, 480, 3), np.uint8)
        tile[: image.shape[0], : image.shape[1]] = image[:480, :480]
        tiles.append(tile)
    rows = [np.concatenate(tiles[i : i + 4], axis=1) for i in range(0, len(tiles) - 3, 4)]
    cv2.imwrite(str(file), cv2.cvtColor(np.concatenate(rows), cv2.COLOR_RGB2BGR))


def box(image: np.ndarray, x: float, y: float, size: float, colour: tuple[int, ...]) -> None:
    start, end = (int(x - size / 2), int(y - size / 2)), (int(x + size / 2), int(y + size / 2))
    cv2.rectangle(image, start, end, colour, 1)


if __name__ == "__main__":
    main()
