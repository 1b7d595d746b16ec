"""What more looks at a face give without other weights: again, mirrored, scaled, other networks.

    python benchmarks/looks.py --data FACES --turned LP --turned NOD --profiles CFP --faces 40 \
        --json benchmarks/results/looks.json fast nano

Val faces of the sets of ``starts.py``, from the true box and from one displaced as detectors' are.
A way is a mean of looks; a look is one run of a network on a crop aligned by the points that ship.
Each is run once a face, whatever ways it belongs to. Results of other models stay in the file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from mien.alignment import CarefulPredictor
from mien.datasets.labelled_face import LabelledFace
from mien.files import write_atomically
from mien.geometry import (
    FACE_SHARE,
    PosedHead,
    Similarity,
    crop_from_landmarks,
    mirror_crop,
    pose_head,
    resize_crop,
    warp_crop,
)
from mien.markup import load_markup
from mien.runtime import Landmarker, LandmarkerPair, load_landmarkers
from mien.types import Box
from provenance import command, weights_of
from starts import MEAN, crop_of, val_faces, words_of_val_faces

STARTS = ("true box", "displaced box")
MIRROR = np.array(load_markup(68).mirror)
OTHERS = ("nano", "pico")
"""Small models whose model 2 looks too."""
TURNED_DEG, FAILURE = 60.0, 0.07
HALF_CELL = 1 / 128
"""Of the crop's side: heatmaps have a quarter of its pixels a side."""

WAYS: dict[str, dict[str, float]] = {
    "as it ships": {"shipped": 1},
    "again": {"again": 1},
    "again, twice": {"again twice": 1},
    "mean with again": {"shipped": 1, "again": 1},
    "mean with mirror": {"shipped": 1, "mirror": 1},
    "mean of again and mirror": {"again": 1, "mirror": 1},
    "mean with again and mirror": {"shipped": 1, "again": 1, "mirror": 1},
    "scales of 0.94 and 1.06": {"0.94": 1, "1.06": 1},
    "mean with scale 1.06": {"shipped": 1, "1.06": 1},
    "moved by half a cell either way": {"cell": 1, "-cell": 1},
    "free of aliasing": {"halved": 1},
    "box of the projected mean head": {"head box": 1},
    "mean with box of the projected mean head": {"shipped": 1, "head box": 1},
    "the same by model 1's pose": {"guess box": 1},
    "box of the points seen": {"own box": 1},
    "mean with box of the points seen": {"shipped": 1, "own box": 1},
    "mean with model 1 on the aligned crop": {"shipped": 1, "model 1": 1},
    "mean with nano": {"shipped": 1, "nano": 1},
    "mean with pico": {"shipped": 1, "pico": 1},
    "mean with nano and pico, a quarter each": {"shipped": 2, "nano": 1, "pico": 1},
    "mean with mirror, pico a third": {"shipped": 1, "mirror": 1, "pico": 1},
    "mean with mirror, nano and pico likewise at half": {
        "shipped": 1, "mirror": 1, "nano": 0.5, "pico": 0.5, "nano mirror": 0.5,
        "pico mirror": 0.5,
    },
    "careful": {"careful": 1},
    "careful, pico a quarter": {"careful": 3, "pico": 1},
}  # fmt: skip
Points = np.ndarray


@dataclass
class Looked:
    """One face, and each look at it, run once."""

    pair: LandmarkerPair
    others: dict[str, Landmarker]
    face: LabelledFace
    rough: Similarity
    known: dict[str, Points] = field(default_factory=dict)

    def points(self, look: str) -> Points:
        if look not in self.known:
            self.known[look] = self._run(look)[:, :2]
        return self.known[look]

    def _run(self, look: str) -> Points:
        follow, image = self.pair.following, self.face.image_rgb
        if look == "shipped":
            return self.pair.refine(image, [self.rough])[0].landmarks.points_image
        if look == "guess":
            return self.pair.first.predict(image, [self.rough])[0].landmarks.points_image
        if look in ("again", "again twice"):
            before = "shipped" if look == "again" else "again"
            return self._at(follow, self._crop(follow, before))
        if look in ("head box", "own box", "guess box"):
            return self._at(follow, box_crop(self, look, follow.side))
        if look == "careful":
            crop = self._crop(follow)
            (seen,) = CarefulPredictor(follow).predict(image, [crop])
            return seen.landmarks.points_image
        name, _, how = look.partition(" ")
        if name in self.others:
            model = self.others[name]
        else:
            model, how = (self.pair.first if look == "model 1" else follow), look
        crop = self._crop(model)
        if how == "mirror":
            return self._mirrored(model, crop)
        if how == "halved":
            return halved(model, image, crop)
        change = CHANGES.get(how)
        return self._at(model, crop if change is None else crop @ change(model.side))

    def _crop(self, model: Landmarker, look: str = "shipped") -> Similarity:
        return crop_from_landmarks(self.points(look), MEAN, model.side)

    def _at(self, model: Landmarker, crop: Similarity) -> Points:
        return model.predict(self.face.image_rgb, [crop])[0].landmarks.points_image

    def _mirrored(self, model: Landmarker, crop: Similarity) -> Points:
        flipped = np.ascontiguousarray(self.face.image_rgb[:, ::-1])
        width = flipped.shape[1]
        (seen,) = model.predict(flipped, [mirror_crop(crop, width, model.side)])
        points = seen.landmarks.points_image[MIRROR].copy()
        points[:, 0] = width - 1 - points[:, 0]
        return points


def scaled(side: int, scale: float) -> Similarity:
    """About the middle of a crop."""
    return Similarity.about(((side - 1) / 2, (side - 1) / 2), scale=scale)


CHANGES: dict[str, Callable[[int], Similarity]] = {
    **{f"{s}": lambda side, s=s: scaled(side, s) for s in (0.94, 1.06)},
    "cell": lambda side: Similarity(1.0, 0.0, (HALF_CELL * side, HALF_CELL * side)),
    "-cell": lambda side: Similarity(1.0, 0.0, (-HALF_CELL * side, -HALF_CELL * side)),
}  # fmt: skip
"""Of the crop, by the words of a look."""


def halved(model: Landmarker, image_rgb: np.ndarray, crop: Similarity) -> Points:
    """The look at a crop of twice the side, halved."""
    side = model.side
    fine = warp_crop(image_rgb, resize_crop(crop, side, 2 * side), 2 * side)
    small = np.asarray(cv2.resize(fine, (side, side), interpolation=cv2.INTER_AREA))
    (seen,) = model.predict(small, [Similarity(1.0, 0.0, (0.0, 0.0))])
    return crop.apply(seen.landmarks.points_image[:, :2])


def box_crop(one: Looked, look: str, side: int) -> Similarity:
    """As the head lies whose box is the box that was given: the mean head at the turn that was
    seen by what ships or by model 1 (``guess box``), or the very points that were seen."""
    first = one.pair.first.side
    centre = one.rough.apply(np.full(2, (first - 1) / 2))
    size = one.rough.scale * first * FACE_SHARE
    points = one.points("guess" if look == "guess box" else "shipped")
    if look != "own box":
        points = pose_head(points, MEAN).project(MEAN)
    box = Box.around(points)
    scale = size / math.sqrt(box.width * box.height)
    return crop_from_landmarks(scale * (points - np.array(box.centre)) + centre, MEAN, side)


@dataclass
class Way:
    """What one way gave, face by face."""

    errors: list[float] = field(default_factory=list)
    """NME, eq. 5 of the paper."""
    pose_off: list[Points] = field(default_factory=list)
    """Pitch, yaw and roll against those of the true points, degrees."""


def others_than(model: str) -> dict[str, Landmarker]:
    """Model 2 of the quick models that look beside one."""
    return {
        name: load_landmarkers(name, points=68, threads=1).following
        for name in OTHERS
        if name != model
    }


def main() -> None:
    parser = words_of_val_faces(__doc__, faces=40)
    parser.add_argument("--starts", nargs="+", choices=STARTS, default=list(STARTS))
    given = parser.parse_args()
    results = json.loads(given.json.read_text()) if given.json.exists() else {}
    for model in given.models:
        pair = load_landmarkers(model, points=68, threads=1)
        others = others_than(model)
        faces = val_faces(given.data, given.turned, given.profiles, given.faces)
        results[model] = {
            "networks": weights_of(model, *others),
            "command": command(),
            "faces": len(faces),
            **{start: of_start(pair, others, faces, start) for start in given.starts},
        }
        write_atomically(given.json, (json.dumps(results, indent=1) + "\n").encode())
        for start in given.starts:
            for name, told in results[model][start].items():
                print(model, start, name, told["nme"], told["change"], told["deviation"])


def of_start(
    pair: LandmarkerPair,
    others: dict[str, Landmarker],
    faces: list[tuple[str, LabelledFace]],
    start: str,
) -> dict[str, object]:
    """Every way, from one start."""
    ways = {
        name: Way()
        for name, looks in WAYS.items()
        if all(look.split()[0] not in OTHERS or look.split()[0] in others for look in looks)
    }
    sets, yaws = list[str](), list[float]()
    for name, face in faces:
        one = Looked(pair, others, face, crop_of(face, start, name, pair.first.side))
        truth, known = face.points[:, :2], face.trusted
        head, box = pose_head(truth[known], MEAN[known]), Box.around(truth)
        sets.append(name.split("/")[0])
        yaws.append(abs(head.pose.yaw_deg))
        for way, kept in ways.items():
            shares = WAYS[way]
            total = sum(shares.values())
            points = np.sum([share / total * one.points(look) for look, share in shares.items()], 0)
            off = np.linalg.norm(points[known] - truth[known], axis=1)
            kept.errors.append(float(off.mean()) / math.sqrt(box.width * box.height))
            kept.pose_off.append(angles(pose_head(points, MEAN)) - angles(head))
    ships = ways["as it ships"]
    return {way: told_of(kept, ships, np.array(sets), np.array(yaws)) for way, kept in ways.items()}


def angles(head: PosedHead) -> Points:
    """Pitch, yaw and roll, degrees."""
    pose = head.pose
    return np.array([pose.pitch_deg, pose.yaw_deg, pose.roll_deg])


def told_of(way: Way, ships: Way, sets: Points, yaws: Points) -> dict[str, object]:
    """Means over the faces; the change is that of each face against what ships, as a share of the
    mean, and its deviation that of this mean."""
    errors, before = np.array(way.errors), np.array(ships.errors)
    change = (errors - before) / before.mean()
    turned = yaws > TURNED_DEG
    off = (np.array(way.pose_off) + 180) % 360 - 180
    figures = {
        "nme": errors.mean(),
        "change": change.mean(),
        "deviation": change.std() / math.sqrt(len(change)),
        "above_07": (errors > FAILURE).mean(),
        "nme_beyond_60": errors[turned].mean(),
        "pose_off_deg": np.abs(off).mean(),
        **{f"nme_{name}": errors[sets == name].mean() for name in dict.fromkeys(sets)},
    }
    return {name: round(float(value), 5) for name, value in figures.items()}


if __name__ == "__main__":
    main()
