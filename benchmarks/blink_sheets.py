"""Sheets of both eyes, frame by frame, to count blinks by eye; and what `eyeBlink` says of them.

    python benchmarks/blink_sheets.py sheets VIDEO.mp4 --out sheets/
    python benchmarks/blink_sheets.py score FOLDER --model fast

`sheets` draws the eyes of the largest face upright, each with its frame's number: nothing of what
mien thinks of them. `benchmarks/blinks.json` is what a person saw there: first and last frame of
every blink (lids half shut or more), and `frames` where only a clip's first were looked at. `score`
tracks the same clips and counts: a blink is found where `eyeBlink`, the mean of both eyes, passes a
half within a frame of it. Figures go to `benchmarks/results/expression_blinks.json`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shlex
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float

import mien
from mien.types import Face
from provenance import weights_of

LABELS = Path(__file__).with_name("blinks.json")
RESULT = Path(__file__).parent / "results" / "expression_blinks.json"
EYES = list(range(36, 48))
TILE, COLUMNS, ROWS = (132, 44), 10, 18
LEVEL, SLACK = 0.5, 1


def largest(faces: list[Face]) -> Face | None:
    return max(faces, key=lambda face: face.box.width * face.box.height, default=None)


def eye_tile(image_rgb: np.ndarray, face: Face | None, number: int) -> np.ndarray:
    """Both eyes, their line level."""
    tile = np.full((TILE[1] + 12, TILE[0], 3), 30, np.uint8)
    if face is not None:
        points = face.landmarks.points_image[:, :2]
        right, left = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
        way, middle = left - right, (left + right) / 2
        scale = TILE[0] / (2.1 * max(float(np.linalg.norm(way)), 6.0))
        angle = np.degrees(np.arctan2(way[1], way[0]))
        turn = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), angle, scale)
        turn[:, 2] += np.array(TILE) / 2 - middle
        tile[: TILE[1]] = cv2.warpAffine(image_rgb, turn, TILE, flags=cv2.INTER_CUBIC)
    place = (2, TILE[1] + 10)
    cv2.putText(tile, str(number), place, cv2.FONT_HERSHEY_SIMPLEX, 0.36, (255, 255, 255), 1)
    return tile


def draw_sheets(video: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    tiles = [
        eye_tile(frame.image_rgb, largest(faces), frame.index) for frame, faces in mien.track(video)
    ]
    a_sheet = COLUMNS * ROWS
    for first in range(0, len(tiles), a_sheet):
        part = tiles[first : first + a_sheet]
        part += [np.zeros_like(part[0])] * (-len(part) % COLUMNS)
        rows = [np.hstack(part[at : at + COLUMNS]) for at in range(0, len(part), COLUMNS)]
        path = out / f"{video.stem}-{first:04d}.png"
        cv2.imwrite(str(path), np.vstack(rows)[..., ::-1])
        print(path)


def spans(shut: Float[np.ndarray, " frames"]) -> list[tuple[int, int]]:
    """First and last frame of each run above the level."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (shut > LEVEL).astype(int), [0]])))
    return [(int(first), int(end) - 1) for first, end in edges.reshape(-1, 2)]


def shut_by_frame(
    video: Path, model: str, frames: int | None = None
) -> Float[np.ndarray, " frames"]:
    """``eyeBlink`` of the largest face, the mean of both eyes; 0 where there is none."""
    shut = []
    tracked = mien.track(video, mien.load_tracker(model), blendshapes=True)
    for _, faces in itertools.islice(tracked, frames):
        face = largest(faces)
        read = face.expression if face is not None else None
        pair = (read["eyeBlinkLeft"], read["eyeBlinkRight"]) if read is not None else (0.0, 0.0)
        shut.append(sum(pair) / 2)
    return np.array(shut)


def meets(one: tuple[int, int], others: list[tuple[int, int]]) -> bool:
    """Whether it lies within a frame of one of the others."""
    return any(one[0] <= last + SLACK and first <= one[1] + SLACK for first, last in others)


def score(folder: Path, model: str) -> dict[str, Any]:
    """Found, missed and made up, over all clips and in each."""
    clips, total = {}, np.zeros(3, int)
    for name, label in json.loads(LABELS.read_text())["clips"].items():
        shut = shut_by_frame(folder / name, model, label.get("frames"))
        found, seen, unsure = (
            spans(shut),
            *([tuple(one) for one in label[kind]] for kind in ("blinks", "unsure")),
        )
        missed = [one for one in seen if not meets(one, found)]
        made_up = [one for one in found if not meets(one, seen + unsure)]
        total += (len(seen) - len(missed), len(missed), len(made_up))
        clips[name] = {
            "frames": len(shut),
            "seen": len(seen),
            "missed": missed,
            "highest_where_missed": [round(float(shut[a : b + 1].max()), 2) for a, b in missed],
            "made_up": made_up,
        }
    hits, missed_count, extra_count = total.tolist()
    f1 = 2 * hits / max(2 * hits + missed_count + extra_count, 1)
    counts = {"found": hits, "missed": missed_count, "made_up": extra_count}
    return {"f1": round(f1, 3), **counts, "clips": clips}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    sheets = verbs.add_parser("sheets")
    sheets.add_argument("video", type=Path, nargs="+")
    sheets.add_argument("--out", type=Path, required=True)
    scoring = verbs.add_parser("score")
    scoring.add_argument("folder", type=Path)
    scoring.add_argument("--model", action="append", required=True)
    asked = parser.parse_args()
    if asked.verb == "sheets":
        for video in asked.video:
            draw_sheets(video, asked.out)
        return
    words = [Path(word).name if "/" in word else word for word in sys.argv]
    result: dict[str, Any] = {
        "command": f"python benchmarks/{shlex.join(words)}",
        "networks": weights_of(*asked.model),
        "models": {},
    }
    for model in asked.model:
        result["models"][model] = score(asked.folder, model)
        print(model, result["models"][model]["f1"])
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
