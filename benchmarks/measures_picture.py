"""Draw what the measures are distances of, on the bundled clip's first frame.

python benchmarks/measures_picture.py docs/images/measures.jpg
"""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path

import cv2
import numpy as np

from mien.markup import load_markup
from mien.media import open_source

ZOOM = 4
WHITE = (255, 255, 255)
COLOURS = {
    "eye_*_open": (90, 220, 255),
    "mouth_open": (120, 255, 140),
    "mouth_width": (255, 190, 90),
    "brow_*_height": (235, 130, 255),
    "outer eye distance": (255, 255, 255),
    "size_px": (150, 150, 255),
}


def main() -> None:
    folder = Path(str(resources.files("mien"))) / "demo"
    with open_source(folder / "clip.mp4") as source:
        frame = next(iter(source)).image_rgb
    points = np.load(folder / "landmarks.npz")["points_image"][0]
    points = points[list(load_markup(len(points)).ibug68), :2]
    low, high = points.min(axis=0), points.max(axis=0)
    left, top = np.floor(low - 20).astype(int)
    right, bottom = np.ceil(high + 20).astype(int)
    crop = frame[top:bottom, left:right]
    image = cv2.resize(crop, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_CUBIC)
    image = (image * 0.75).astype(np.uint8)
    at = (points - (left, top) + 0.5) * ZOOM - 0.5

    def line(one: np.ndarray, other: np.ndarray, name: str) -> None:
        ends = [tuple(round(float(v)) for v in end) for end in (one, other)]
        cv2.line(image, ends[0], ends[1], COLOURS[name], 3, cv2.LINE_AA)
        for end in ends:
            cv2.circle(image, end, 5, COLOURS[name], -1, cv2.LINE_AA)

    for pair in ((37, 41), (38, 40), (43, 47), (44, 46)):
        line(at[pair[0]], at[pair[1]], "eye_*_open")
    for pair in ((61, 67), (62, 66), (63, 65)):
        line(at[pair[0]], at[pair[1]], "mouth_open")
    line(at[48], at[54], "mouth_width")
    line(at[36], at[45], "outer eye distance")
    for brow, corners in ((slice(17, 22), [36, 39]), (slice(22, 27), [42, 45])):
        line(at[brow].mean(axis=0), at[corners].mean(axis=0), "brow_*_height")
    for point in at:
        cv2.circle(image, tuple(round(float(v)) for v in point), 2, WHITE, -1, cv2.LINE_AA)
    box = [tuple(round(float(v)) for v in edge) for edge in (at.min(axis=0), at.max(axis=0))]
    cv2.rectangle(image, box[0], box[1], COLOURS["size_px"], 2, cv2.LINE_AA)
    sheet = np.full((image.shape[0], image.shape[1] + 330, 3), 24, np.uint8)
    sheet[:, : image.shape[1]] = image
    for row, (name, colour) in enumerate(COLOURS.items()):
        y = 60 + 46 * row
        cv2.line(sheet, (image.shape[1] + 20, y - 6), (image.shape[1] + 60, y - 6), colour, 4)
        place = (image.shape[1] + 75, y)
        cv2.putText(sheet, name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.7, colour, 1, cv2.LINE_AA)
    bgr = cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)
    cv2.imwrite(sys.argv[1], bgr, [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main()
