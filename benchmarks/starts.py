"""One look, looks from several rolls and careful looks side by side on val faces.

    python benchmarks/starts.py --data FACES --turned LP --turned NOD --profiles CFP --faces 24 \
        --json benchmarks/results/starts.json fast nano

``FACES`` is the face pack, ``LP`` and ``NOD`` folders of turned faces with ``LP_val``, ``NOD_val``
beside them, ``CFP`` the clicked profiles. Three starts: the true box; a box displaced as detectors'
are; and the box of the photo rolled in its plane by any angle. Results of other models stay in the
file.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from any_start import SOURCES
from mien.alignment import CarefulPredictor, LandmarkPredictor, StartSettings, align
from mien.datasets.labelled_face import LabelledFace
from mien.evaluation.confidence import reliability
from mien.files import write_atomically
from mien.geometry import Similarity, crop_from_box, pose_head
from mien.markup import load_markup
from mien.runtime import LandmarkerPair, load_landmarkers
from mien.training.config import DataConfig, TrainConfig
from mien.training.validation import validation_sets
from mien.types import Box, Prediction
from provenance import weights_of

MEAN = load_markup(68).mean_shape
STARTS = ("true box", "displaced box", "rolled by any angle")
WAYS = ("one look", "starts", "careful")
_FAILURE = 0.07
_SHIFT, _SCALE = 0.06, 0.1
"""Standard deviations of displaced boxes: in face sizes, and of the logarithm of each side."""


@dataclass
class Counting:
    """A network that counts the crops it is given."""

    inner: LandmarkPredictor
    looks: int = 0

    @property
    def side(self) -> int:
        return self.inner.side

    @property
    def mean_shape(self) -> np.ndarray:
        return self.inner.mean_shape

    def predict(self, image_rgb: np.ndarray, places: Sequence[Similarity]) -> Sequence[Prediction]:
        self.looks += len(places)
        return self.inner.predict(image_rgb, places)


@dataclass
class Way:
    """What one way of looking gave, face by face."""

    errors: list[float] = field(default_factory=list)
    """NME, eq. 5 of the paper."""
    looks: list[int] = field(default_factory=list)
    points_off: list[np.ndarray] = field(default_factory=list)
    """Of each labelled point, in face sizes seen from the front, as confidences are claims."""
    confidence: list[np.ndarray] = field(default_factory=list)

    def told(self, radius: float) -> dict[str, float]:
        """Figures of the file."""
        errors, looks = np.array(self.errors), np.array(self.looks)
        sure, off = np.concatenate(self.confidence), np.concatenate(self.points_off)
        within = off <= radius
        claim = np.clip(sure, 1e-6, 1 - 1e-6)
        log_loss = -np.mean(np.where(within, np.log(claim), np.log(1 - claim)))
        figures = {
            "nme": errors.mean(),
            "median": np.median(errors),
            "above_07": (errors > _FAILURE).mean(),
            "looks_a_face": looks.mean(),
            "looked_at_again": (looks > looks.min()).mean(),
            "calibration_error": reliability(sure, within).expected_error,
            "log_loss": log_loss,
        }
        return {name: round(float(value), 5) for name, value in figures.items()}


def words_of_val_faces(doc: str | None, faces: int) -> argparse.ArgumentParser:
    """The words of a script that looks at val faces: their sets, how many, and the models."""
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--turned", type=Path, action="append", default=[])
    parser.add_argument("--profiles", type=Path, required=True)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--faces", type=int, default=faces, help="Faces a set.")
    parser.add_argument("models", nargs="+")
    return parser


def main() -> None:
    given = words_of_val_faces(__doc__, faces=24).parse_args()
    results = json.loads(given.json.read_text()) if given.json.exists() else {}
    for model in given.models:
        pair = load_landmarkers(model, points=68, threads=1)
        faces = val_faces(given.data, given.turned, given.profiles, given.faces)
        rows = {start: {way: Way() for way in WAYS} for start in STARTS}
        for name, face in faces:
            for start in STARTS:
                look(pair, face, crop_of(face, start, name, pair.first.side), rows[start])
        radius = pair.following.card.confidence_radius
        results[model] = {
            "networks": weights_of(model),
            "faces": len(faces),
            "command": f"python benchmarks/starts.py --data data --turned lp --turned nod "
            f"--profiles cfp --faces {given.faces} --json starts.json {model}",
            "rows": {
                start: {way: one.told(radius) for way, one in ways.items()}
                for start, ways in rows.items()
            },
        }
        write_atomically(given.json, (json.dumps(results, indent=1) + "\n").encode())
        print(model, json.dumps(results[model]["rows"], indent=1), flush=True)


def val_faces(
    data: Path, turned: Sequence[Path], profiles: Path, count: int
) -> list[tuple[str, LabelledFace]]:
    """So many of each set, evenly chosen, each with a name."""
    config = TrainConfig("starts", "detection")
    config = dataclasses.replace(
        config,
        network=dataclasses.replace(config.network, points=68),
        data=DataConfig(
            dict.fromkeys(SOURCES, 0.2), convention="middle", profiles=str(profiles)
        ),
    )  # fmt: skip
    faces = []
    for one in validation_sets(config, data, turned):
        for index in np.unique(np.linspace(0, len(one) - 1, count).astype(int)).tolist():
            face = one.load(index)
            if np.isfinite(face.points[:, :2]).all():
                faces.append((f"{one.name}/{index}", face))
    return faces


def crop_of(face: LabelledFace, start: str, name: str, side: int) -> Similarity:
    """The rough crop; what is drawn follows from the names."""
    rng = np.random.default_rng([zlib.crc32(name.encode()), STARTS.index(start)])
    turn = Similarity(1.0, 0.0, (0.0, 0.0))
    if start == "rolled by any angle":
        turn = Similarity(1.0, rng.uniform(-math.pi, math.pi), (0.0, 0.0))
    box = Box.around(turn.apply(face.points[:, :2]))
    if start != "true box":
        size = math.sqrt(box.width * box.height)
        centre = np.array(box.centre) + rng.normal(0, _SHIFT, 2) * size
        half = np.array([box.width, box.height]) * np.exp(rng.normal(0, _SCALE, 2)) / 2
        box = Box(*(centre - half).tolist(), *(centre + half).tolist())
    return turn.inverse() @ crop_from_box(box, side)


def look(pair: LandmarkerPair, face: LabelledFace, crop: Similarity, ways: dict[str, Way]) -> None:
    """Look in every way and keep what each saw."""
    first, following = Counting(pair.first), Counting(pair.following)
    truth, known = face.points[:, :2], face.trusted
    box = Box.around(truth)
    front = pose_head(truth[known], MEAN[known]).scale
    for name, way in ways.items():
        first.looks = following.looks = 0
        starts = None if name == "one look" else StartSettings()
        careful = CarefulPredictor(following) if name == "careful" else None
        (seen,) = align(
            first, following, face.image_rgb, [crop], starts=starts, careful=careful
        )  # fmt: skip
        assert seen is not None
        off = np.linalg.norm(seen.landmarks.points_image[known, :2] - truth[known], axis=1)
        way.errors.append(float(off.mean()) / math.sqrt(box.width * box.height))
        way.looks.append(first.looks + following.looks)
        way.points_off.append(off / front)
        way.confidence.append(seen.landmarks.confidence[known])


if __name__ == "__main__":
    main()
