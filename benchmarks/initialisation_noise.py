"""How much the two stages suffer from a crop that lies askew: the paper's question behind table 4.

    python benchmarks/initialisation_noise.py --reproduced runs/reproduce --turned-test TEST \
        --clips CLIPS [--vw300 300VW]

After `mien reproduce table-4` in ``--reproduced``. Its networks see faces whose crop was turned,
scaled and moved away from the aligned one, ever farther, by both ways of section 3.4: aligned by
the landmarks (model 2) and by their box, as a detector has it (model 1). Stills are those of
``--turned-test``, frames of films those of ``--clips``, and of 300VW where it is to be had.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.figure import Figure

from mien.augmentation.crops import AugmentConfig, perturbation
from mien.datasets.ours.clips import read_clips
from mien.datasets.public.vw300 import read_300vw
from mien.evaluation.metrics import nme
from mien.evaluation.videos import VideoTruth
from mien.files import write_atomically
from mien.geometry import Similarity, crop_from_box, crop_from_landmarks
from mien.geometry.convention import Convention
from mien.media import open_source
from mien.reproduction.material import turned_stills
from mien.reproduction.predictors import NetworkPredictor
from mien.training.checkpoint import load_checkpoint
from mien.types import Box
from provenance import command

HERE = Path(__file__).parent
PICTURE = HERE.parent / "docs" / "images" / "initialisation-noise.png"
RESULT = HERE / "results" / "initialisation_noise.json"
LEVELS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
"""Spreads of turn, scale and shift, in those of the training crops (10 degrees, 10 %, 5 %)."""
FACES = 300
"""Of each set, evenly chosen."""
SEED = 7
WAYS = ("landmarks", "box")


@dataclass(frozen=True)
class Face:
    """One labelled face of one picture."""

    image_rgb: UInt8[np.ndarray, "height width 3"]
    points: Float[np.ndarray, "68 3"]


def evenly(count: int) -> list[int]:
    """Numbers of at most ``FACES`` of so many, evenly apart."""
    return np.unique(np.linspace(0, count - 1, min(FACES, count)).astype(int)).tolist()


def still_faces(folder: Path) -> list[Face]:
    """Faces of a set of `mien data profile`."""
    stills = turned_stills(folder, Convention.W300LP)
    chosen = (stills[number] for number in evenly(len(stills)))
    return [Face(still.read_rgb(), still.truths[0][1]) for still in chosen]


def film_faces(films: Sequence[VideoTruth]) -> list[Face]:
    """Faces of labelled frames, evenly from all films together."""
    found = []
    for film in films:
        places = list(zip(*np.nonzero(film.present), strict=True))
        step = max(1, math.ceil(len(places) * len(films) / FACES))
        found += list(_of_film(film, places[::step]))
    return found


def _of_film(film: VideoTruth, places: Sequence[tuple[int, int]]) -> Iterator[Face]:
    wanted: dict[int, list[tuple[int, int]]] = {}
    for face, column in places:
        wanted.setdefault(int(film.frame_indices[column]), []).append((face, column))
    with open_source(str(film.video_path)) as source:
        for frame in source:
            for place in wanted.get(frame.index, []):
                yield Face(frame.image_rgb, film.points_image[place])


def crop_of(
    face: Face, way: str, level: float, model: NetworkPredictor, rng: np.random.Generator
) -> Similarity:
    """The aligned crop, moved as training crops are, ``level`` times as far."""
    aligned = (
        crop_from_landmarks(face.points[:, :2], model.mean_shape, model.side)
        if way == "landmarks"
        else crop_from_box(Box.around(face.points[:, :2]), model.side)
    )
    usual = AugmentConfig()
    as_far = AugmentConfig(
        rotation_deg=level * usual.rotation_deg,
        scale=level * usual.scale,
        shift=level * usual.shift,
        wild=0.0,
    )
    return aligned @ perturbation(as_far, model.side, rng)


def errors(model: NetworkPredictor, faces: Sequence[Face], way: str, level: float) -> list[float]:
    """NME a face; every network gets the same crops."""
    rng = np.random.default_rng(SEED)
    return [
        nme(
            model.predict(face.image_rgb, [crop_of(face, way, level, model, rng)])[
                0
            ].landmarks.points_image,
            face.points,
        )
        for face in faces
    ]


def networks(reproduced: Path) -> dict[str, list[NetworkPredictor]]:
    """By the row of table 4, one a seed."""
    table = json.loads((reproduced / "table-4.json").read_text("utf-8"))
    return {
        row["name"]: [
            NetworkPredictor(
                load_checkpoint(reproduced / "networks" / seed["networks"][-1] / "last.pt")
            )
            for seed in row["seeds"]
        ]
        for row in table["rows"]
    }


def measured(reproduced: Path, sets: dict[str, list[Face]]) -> list[dict[str, Any]]:
    """A row a network row, set, way and level: mean NME over seeds and half their range."""
    rows = []
    for name, models in networks(reproduced).items():
        for kind, faces in sets.items():
            for way in WAYS:
                for level in LEVELS:
                    means = [float(np.mean(errors(model, faces, way, level))) for model in models]
                    rows.append(
                        {
                            "row": name,
                            "set": kind,
                            "aligned by": way,
                            "noise": level,
                            "nme": round(float(np.mean(means)), 6),
                            "spread": round(float(np.ptp(means)) / 2, 6),
                        }
                    )
                    print(rows[-1], flush=True)
    return rows


def draw(rows: Sequence[dict[str, Any]], picture: Path) -> None:
    """A panel a set, a line a row and way."""
    sets = list(dict.fromkeys(row["set"] for row in rows))
    figure = Figure(figsize=(6 * len(sets), 4.2), dpi=100, layout="constrained")
    for axes, kind in zip(np.atleast_1d(figure.subplots(1, len(sets))), sets, strict=True):
        for number, name in enumerate(dict.fromkeys(row["row"] for row in rows)):
            for way, style in zip(WAYS, ("-", "--"), strict=True):
                line = [
                    row
                    for row in rows
                    if (row["row"], row["set"], row["aligned by"]) == (name, kind, way)
                ]
                axes.errorbar(
                    [row["noise"] for row in line],
                    [row["nme"] for row in line],
                    [row["spread"] for row in line],
                    fmt=style,
                    color=f"C{number}",
                    label=f"{name}, by {way}",
                )
        axes.set(
            title=kind,
            xlabel="noise of the crop, in spreads of the training crops",
            ylabel="NME (share of the face's size)",
        )
        axes.grid(alpha=0.3)
        axes.legend(fontsize="x-small")
    figure.savefig(picture)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--reproduced", type=Path, required=True)
    parser.add_argument("--turned-test", type=Path)
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--vw300", type=Path)
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--picture", type=Path, default=PICTURE)
    given = parser.parse_args()
    sets: dict[str, list[Face]] = {}
    if given.turned_test:
        sets["stills"] = still_faces(given.turned_test)
    if given.clips:
        films = [VideoTruth.of_clip(clip, Convention.W300LP) for clip in read_clips(given.clips)]
        sets["frames of made clips"] = film_faces(films)
    if given.vw300:
        videos = read_300vw(given.vw300)
        truths = [VideoTruth.of_video(video, Convention.CLICKED).to_68() for video in videos]
        sets["frames of 300VW"] = film_faces(truths)
    if not sets:
        parser.error("nothing to measure on: give --turned-test, --clips or --vw300")
    rows = measured(given.reproduced, sets)
    content = {"command": command(), "faces": {kind: len(each) for kind, each in sets.items()}}
    content |= {"rows": rows}
    write_atomically(given.out, (json.dumps(content, indent=1) + "\n").encode())
    draw(rows, given.picture)


if __name__ == "__main__":
    main()
