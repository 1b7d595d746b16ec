"""How well tracks of a clip are joined into persons (``mien persons``), and the threshold for it.

    mien data video fits.npz --out clips --split val --clips 24 --seed 311
    mien track clips --table val/study.parquet --points inside --model nano
    python benchmarks/persons.py DATA clips val/study.parquet benchmarks/results/persons.json

Three kinds of pairs, each of two tracks by the cosine of their mean signatures: halves of one face
of a made clip (of one place and light, as in a film) and halves of one YouTube-Faces video; two
videos of one person; and two people. YouTube-Faces persons of val, on which the threshold was
chosen, and of test, on which it was not.
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from appearance import NAME, equal_error
from measures import assigned
from mien.datasets.ours.clips import read_clips
from mien.geometry import crop_from_box
from mien.media import open_source
from mien.runtime import load_landmarkers
from mien.study import LEAST_LIKENESS, points_by_face, read_points
from mien.study import read_clips as read_table
from mien.tracking.appearance import load_appearance
from mien.types import Box
from provenance import command, weights_of

Looks = dict[tuple[str, str], np.ndarray]
"""Signatures by person and take."""


def youtube(data: Path, split: str) -> Looks:
    """Every frame of the split, read by ``nano`` from a box that is a little off."""
    labels = np.load(data / "faces.npz")
    pair, appearance = load_landmarkers("nano", points=68, threads=1), load_appearance()
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    for row in np.flatnonzero((labels["source"] == "ytf") & (labels["split"] == split)):
        path = str(labels["path"][row])
        image = np.ascontiguousarray(cv2.imread(str(data / "faces" / path))[..., ::-1])
        rng = np.random.default_rng(row)
        middle, half = (image.shape[0] - 1) / 2, image.shape[0] / 4.4 * np.exp(rng.normal(0, 0.08))
        x, y = middle + rng.normal(0, 0.1 * half, 2)
        box = Box(x - half, y - half, x + half, y + half)
        (seen,) = pair.refine(image, [crop_from_box(box, pair.first.side)])
        signature = appearance.signature(image, seen.landmarks.points_image)
        if seen.score >= 0.5 and signature is not None:
            take, person, video, _ = NAME.fullmatch(path).groups()  # type: ignore[union-attr]
            found.setdefault((person, take + video), []).append(signature)
    return {name: np.stack(numbers) for name, numbers in found.items()}


def made(clips: Path, table: Path) -> Looks:
    """Eight frames of each half of each face of made clips, heads turned by at most 45 degrees."""
    labelled = {clip.name: clip for clip in read_clips(clips)}
    appearance = load_appearance()
    found: dict[tuple[str, str], np.ndarray] = {}
    for rows, (name, columns) in zip(read_table(table), read_points(table), strict=True):
        points, clip = points_by_face(columns), labelled[name]
        on = assigned(rows, clip)
        wanted: dict[int, list[tuple[str, str, int]]] = {}
        for face in range(len(clip.points_image)):
            own = sorted(frame for one, frame in on if one == face)
            own = [frame for frame in own if abs(rows.columns["yaw_deg"][on[face, frame]]) <= 45]
            for half, some in zip("ab", (own[: len(own) // 2], own[len(own) // 2 :]), strict=True):
                for frame in some[:: max(len(some) // 8, 1)][:8]:
                    track = int(rows.columns["track_id"][on[face, frame]])
                    wanted.setdefault(frame, []).append((f"{name} {face}", half, track))
        read: dict[tuple[str, str], list[np.ndarray]] = {}
        with open_source(str(clips / f"{name}.mp4")) as source:
            for frame in source:
                for person, half, track in wanted.get(frame.index, ()):
                    one = appearance.signature(frame.image_rgb, points[frame.index, track])
                    if one is not None:
                        read.setdefault((person, half), []).append(one)
        found |= {key: np.stack(numbers) for key, numbers in read.items()}
    return found


def halves(looks: Looks) -> Looks:
    return {
        (f"{person} {take}", half): some
        for (person, take), all_ in looks.items()
        if len(all_) > 1
        for half, some in zip("ab", np.array_split(all_, 2), strict=True)
    }


def likenesses(looks: Looks) -> tuple[np.ndarray, np.ndarray]:
    """Of pairs of one person, and of two."""
    means = {key: one.sum(axis=0) / np.linalg.norm(one.sum(axis=0)) for key, one in looks.items()}
    pairs = [
        (a[0] == b[0], float(means[a] @ means[b])) for a, b in itertools.combinations(means, 2)
    ]
    same = np.array([one for is_same, one in pairs if is_same])
    return same, np.array([one for is_same, one in pairs if not is_same])


def told(same: np.ndarray, others: np.ndarray) -> dict[str, Any]:
    return {
        "pairs_of_one": len(same),
        "pairs_of_two": len(others),
        "equal_error_rate": round(equal_error(same, others), 4),
        "joined_of_one": round(float((same >= LEAST_LIKENESS).mean()), 4),
        "joined_of_two": round(float((others >= LEAST_LIKENESS).mean()), 5),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "clips", "table", "out"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    figures: dict[str, Any] = {
        "command": command(),
        "networks": weights_of("nano"),
        "least_likeness": LEAST_LIKENESS,
        "made_val_clips": told(*likenesses(made(given.clips, given.table))),
    }
    for split in ("val", "test"):
        looks = youtube(given.data, split)
        across, others = likenesses(looks)
        figures[f"youtube_{split}"] = {
            "persons": len({person for person, _ in looks}),
            "one_video": told(likenesses(halves(looks))[0], others),
            "two_videos": told(across, others),
        }
    given.out.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
