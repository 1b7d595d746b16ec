"""Draw the README's picture: frames of the demo clip with their landmarks.

python benchmarks/readme_strip.py                  # as the shipped model tracks it
python benchmarks/readme_strip.py --model PATH
python benchmarks/readme_strip.py --truth          # the clip's exact landmarks, no model
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import cv2
import numpy as np

import mien
from mien.geometry import pose_head
from mien.media import open_source
from mien.outputs import draw_faces

FRAMES = (3, 14, 57, 88, 125)
LEFT, TOP, SIDE = 60, 0, 400
"""The part of each frame that is shown."""
SHOWN = 250


def truth() -> Iterator[tuple[mien.Frame, list[mien.Face]]]:
    """The clip with its exact landmarks as faces."""
    demo = resources.files("mien").joinpath("demo")
    with np.load(str(demo.joinpath("landmarks.npz"))) as data:
        points = data["points_image"].astype(np.float64)
    mean_shape = mien.load_markup(68).mean_shape
    with open_source(str(demo.joinpath("clip.mp4"))) as source:
        for frame in source:
            landmarks = mien.Landmarks(points[frame.index], np.ones(68))
            pose = pose_head(points[frame.index], mean_shape).pose
            yield frame, [mien.Face(0, 1.0, landmarks, pose)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="fast")
    parser.add_argument("--truth", action="store_true", help="draw the exact landmarks instead")
    parser.add_argument("--out", type=Path, default=Path("docs/images/demo.png"))
    arguments = parser.parse_args()
    clip = str(resources.files("mien").joinpath("demo/clip.mp4"))
    tracked = truth() if arguments.truth else mien.track(clip, mien.load_tracker(arguments.model))
    parts = mien.load_markup(68).parts
    tiles = [
        draw_faces(frame.image_rgb, faces, parts)[TOP : TOP + SIDE, LEFT : LEFT + SIDE]
        for frame, faces in tracked
        if frame.index in FRAMES
    ]
    tiles = [cv2.resize(tile, (SHOWN, SHOWN), interpolation=cv2.INTER_AREA) for tile in tiles]
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(arguments.out), cv2.cvtColor(np.hstack(tiles), cv2.COLOR_RGB2BGR))
    print(arguments.out)


if __name__ == "__main__":
    main()
