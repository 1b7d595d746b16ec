"""The picture of docs/head-pose.md: one head, its axes and numbers as three worlds tell them.

python benchmarks/head_pose_pictures.py
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from mien.geometry import rotation_from_angles
from mien.geometry.metric_head import Axes, Camera, MetricHead
from mien.synthesis.head.morphable import load_head
from mien.types import HeadPose
from shaded import shaded

OUT = Path(__file__).parents[1] / "docs" / "images" / "head-pose.jpg"
SIZE = (440, 500)
HEAD = MetricHead(rotation_from_angles(HeadPose(30, -12, 8)), np.array([2.5, 1.0, 62.0]))
COLOURS = ((214, 60, 50), (44, 150, 62), (44, 92, 214))
# Columns: each convention's x, y and z in OpenCV's axes.
DIRECTIONS = {
    Axes.OPENCV: np.eye(3),
    Axes.ARKIT: np.diag([1.0, -1.0, -1.0]),
    Axes.AVIATION: np.array([[0, -1.0, 0], [0, 0, 1.0], [-1.0, 0, 0]]),
}
TITLES = {
    Axes.OPENCV: "Axes.OPENCV: x right, y down, z away",
    Axes.ARKIT: "Axes.ARKIT: x right, y up, z to the camera",
    Axes.AVIATION: "Axes.AVIATION: x nose, y person's right, z down",
}


def panel(axes: Axes, head: UInt8[np.ndarray, "height width 3"], camera: Camera) -> np.ndarray:
    picture = head.copy()
    ends = HEAD.position_cm + 13 * (HEAD.rotation @ DIRECTIONS[axes]).T
    (start,) = camera.project(HEAD.position_cm[None]).tolist()
    drawing = Image.fromarray(picture)
    pen, font, small = (
        ImageDraw.Draw(drawing),
        ImageFont.load_default(17),
        ImageFont.load_default(15),
    )
    # What points away from the camera is drawn first.
    for axis in np.argsort(-ends[:, 2]):
        (end,) = camera.project(ends[axis][None]).tolist()
        _arrow(pen, start, end, COLOURS[axis])
        pen.text((end[0] + 8, end[1] - 10), "xyz"[axis], fill=COLOURS[axis], font=font)
    pen.text((10, 8), TITLES[axes], fill=(20, 24, 32), font=small)
    pen.rectangle([0, SIZE[1] - 78, *SIZE], fill=(250, 250, 248))
    x, y, z = HEAD.matrix(axes)[:3, 3]
    unit = "m" if axes is Axes.ARKIT else "cm"
    digits = 3 if unit == "m" else 1
    about = HEAD.angles_deg(axes)
    names = ("roll", "pitch", "yaw") if axes is Axes.AVIATION else ("x", "y", "z")
    told = "  ".join(f"{name} {angle:+.1f}°" for name, angle in zip(names, about, strict=True))
    quaternion = " ".join(f"{part:+.3f}" for part in HEAD.quaternion(axes))
    for row, line in enumerate(
        (
            f"position  {x:+.{digits}f} {y:+.{digits}f} {z:+.{digits}f} {unit}",
            f"quaternion  {quaternion}",
            f"angles  {told}",
        )
    ):
        pen.text((10, SIZE[1] - 66 + 20 * row), line, fill=(20, 24, 32), font=small)
    return np.asarray(drawing)


def _arrow(
    pen: ImageDraw.ImageDraw,
    start: Float[np.ndarray, " 2"],
    end: Float[np.ndarray, " 2"],
    colour: tuple[int, int, int],
) -> None:
    way = np.subtract(end, start)
    pen.line([tuple(start), tuple(end)], fill=colour, width=4)
    length = float(np.linalg.norm(way))
    if length > 1:
        along, across = way / length, np.array([-way[1], way[0]]) / length
        corners = [np.array(end) + 10 * along, np.array(end) + 6 * across, end - 6 * across]
        pen.polygon([tuple(corner) for corner in corners], fill=colour)


def main() -> None:
    camera = Camera(740.0, ((SIZE[0] - 1) / 2, (SIZE[1] - 1) / 2 - 25))
    mesh = load_head()
    centre = mesh.mean[mesh.landmarks68].mean(axis=0)
    space = (mesh.mean - centre) @ HEAD.rotation.T + HEAD.position_cm
    depth = space[:, 2:] * camera.focal_px / HEAD.position_cm[2]
    head = shaded(np.hstack([camera.project(space), depth]), mesh.triangles, SIZE)
    picture = np.hstack([panel(axes, head, camera) for axes in DIRECTIONS])
    cv2.imwrite(str(OUT), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
    print(f"{OUT.name}: {OUT.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
