"""Look at frames of a film with the blendshapes that are read there, the strongest first.

    python benchmarks/real_frames.py VIDEO --frames 79,388 --model fast --sheet sheet.png

The film is followed from its beginning, as the person's neutral is learned on the way; of each
named frame the largest face is told: a line for each, and a tile on the sheet.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

import mien

TILE, LINE = 220, 17
SHOWN = 7
"""Shapes told of a face."""
AROUND = 0.75
"""Half a tile, in sides of the face's box."""


def strongest(face: mien.Face) -> list[tuple[str, float]]:
    """Shapes and their strengths, falling."""
    assert face.expression is not None
    read = sorted(face.expression.to_dict().items(), key=lambda pair: -pair[1])
    return read[:SHOWN]


def tile(frame: mien.Frame, face: mien.Face) -> np.ndarray:
    """The face, and below it what was read."""
    (x, y), half = face.box.centre, AROUND * max(face.box.width, face.box.height)
    scale = TILE / (2 * half)
    place = np.array([[scale, 0, TILE / 2 - scale * x], [0, scale, TILE / 2 - scale * y]])
    picture = cv2.warpAffine(frame.image_rgb, place, (TILE, TILE), flags=cv2.INTER_AREA)
    drawn = np.vstack([picture, np.zeros((LINE * (SHOWN + 1), TILE, 3), np.uint8)])
    words = [f"frame {frame.index}, face {face.track_id}"]
    words += [f"{name} {strength:.2f}" for name, strength in strongest(face)]
    for row, text in enumerate(words):
        at = (4, TILE + LINE * row + 13)
        cv2.putText(drawn, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1)
    return drawn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("--frames", required=True, help="numbers from 0, by commas")
    parser.add_argument("--model", default="fast")
    parser.add_argument("--sheet", type=Path)
    asked = parser.parse_args()
    try:
        wanted = {int(number) for number in asked.frames.split(",")}
    except ValueError:
        parser.error(f"--frames takes numbers by commas, not {asked.frames!r}")
    last, tiles = max(wanted), []
    tracker = mien.load_tracker(asked.model)
    for frame, faces in mien.track(asked.video, tracker, blendshapes=True):
        if frame.index in wanted:
            wanted.remove(frame.index)
            largest = max(faces, key=lambda one: one.box.width * one.box.height, default=None)
            if largest is None:
                print(f"{frame.index}: no face")
            else:
                told = (f"{name} {strength:.2f}" for name, strength in strongest(largest))
                print(f"{frame.index}: {', '.join(told)}")
                tiles.append(tile(frame, largest))
        if frame.index >= last:
            break
    for index in sorted(wanted):
        print(f"{index}: no such frame")
    if asked.sheet and tiles:
        cv2.imwrite(str(asked.sheet), np.hstack(tiles)[..., ::-1])


if __name__ == "__main__":
    main()
