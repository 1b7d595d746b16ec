"""Faces drawn on a picture: points, lines, box, name and a small head pose axis."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from mien.geometry.pose import rotation_from_angles
from mien.markup import Part
from mien.types import Face

__all__ = ["Colouring", "draw_faces", "track_colour"]

Image = UInt8[np.ndarray, "height width 3"]
Colour = tuple[int, int, int]

_SHIFT = 4
_SUBPIXELS = 1 << _SHIFT
_FARTHEST_PX = 30_000.0
"""OpenCV counts pixels in 16 bits when it clips; points farther out are drawn at this border."""

_LINE: Colour = (236, 240, 244)
_RIM: Colour = (16, 20, 28)
_AXES: tuple[Colour, ...] = ((235, 80, 70), (90, 205, 90), (90, 150, 255))
"""Of the head: towards the image's right, down, and out of the nose."""
_TRACKS: tuple[Colour, ...] = (
    *((70, 200, 220), (245, 160, 60), (170, 130, 240), (120, 200, 90)),
    *((240, 110, 150), (225, 205, 80), (90, 140, 240), (190, 190, 190)),
)


class Colouring(enum.Enum):
    """What a point's colour tells."""

    CONFIDENCE = "confidence"
    """Red is 0, yellow 0.5, green-blue 1."""
    DEPTH = "depth"
    """Yellow is the nearest point of the face, violet the farthest."""


_STOPS = {
    Colouring.CONFIDENCE: ((235, 50, 40), (250, 205, 60), (50, 225, 190)),
    Colouring.DEPTH: ((255, 225, 90), (230, 80, 120), (90, 60, 220)),
}


def track_colour(track_id: int) -> Colour:
    """The colour of a track, the same in every output."""
    return _TRACKS[track_id % len(_TRACKS)]


def draw_faces(
    image_rgb: Image,
    faces: Sequence[Face],
    parts: Sequence[Part],
    colouring: Colouring = Colouring.CONFIDENCE,
) -> Image:
    """A copy of the picture with the faces on it.

    ``parts`` are the runs of points to join by lines: ``load_markup(points).parts``. Points are
    drawn below the pixel, their size follows the face and the lines follow the picture.
    """
    canvas: Image = np.ascontiguousarray(image_rgb).copy()
    width_px = max(1, round(min(canvas.shape[:2]) / 700))
    for face in faces:
        _draw_box(canvas, face, width_px)
    for face in faces:
        thin_px = max(1, min(width_px, round(_face_size(face) / 130)))
        _draw_points(canvas, face, parts, colouring, thin_px)
        _draw_axis(canvas, face, thin_px)
    return canvas


def _draw_points(
    canvas: Image, face: Face, parts: Sequence[Part], colouring: Colouring, width_px: int
) -> None:
    points = _fixed(face.landmarks.points_image[:, :2])
    for part in parts:
        run = points[list(part.indices)].reshape(-1, 1, 2)
        cv2.polylines(canvas, [run], part.closed, _LINE, width_px, cv2.LINE_AA, _SHIFT)
    radius_px = max(1.1, 0.0105 * _face_size(face))
    radius = round(radius_px * _SUBPIXELS)
    rim = radius + round(max(0.5, 0.35 * radius_px) * _SUBPIXELS)
    centres = points.tolist()
    for centre in centres:
        cv2.circle(canvas, centre, rim, _RIM, cv2.FILLED, cv2.LINE_AA, _SHIFT)
    for centre, colour in zip(centres, _point_colours(face, colouring), strict=True):
        cv2.circle(canvas, centre, radius, colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _point_colours(face: Face, colouring: Colouring) -> list[list[int]]:
    if colouring is Colouring.CONFIDENCE:
        share = face.landmarks.confidence
    else:
        depth = face.landmarks.points_image[:, 2]
        share = (depth - depth.min()) / max(float(np.ptp(depth)), 1e-9)
    share = np.clip(np.nan_to_num(share), 0, 1)
    stops = np.array(_STOPS[colouring], dtype=np.float64)
    channels = [np.interp(share, (0, 0.5, 1), stops[:, channel]) for channel in range(3)]
    colours: list[list[int]] = np.rint(np.stack(channels, axis=1)).astype(int).tolist()
    return colours


def _draw_box(canvas: Image, face: Face, width_px: int) -> None:
    """The box, a little wider than the points, with the track's number and score on its edge."""
    colour = track_colour(face.track_id)
    corners = _fixed(_wide_box(face))
    first, second = corners.tolist()
    cv2.rectangle(canvas, first, second, colour, width_px, cv2.LINE_AA, _SHIFT)
    text = f"#{face.track_id} {face.score:.2f}"
    size = min(canvas.shape[:2]) / 900 + 0.05
    (wide, high), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, width_px)
    left, top = (corners[0] // _SUBPIXELS).tolist()
    bottom = max(top, high + below + 4)  # on a face at the upper border it moves inside
    right = left + wide + 6
    cv2.rectangle(canvas, (left, bottom - high - below - 2), (right, bottom), colour, cv2.FILLED)
    at = (left + 3, bottom - below + 1)
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, _RIM, width_px, cv2.LINE_AA)


def _draw_axis(canvas: Image, face: Face, width_px: int) -> None:
    """Three arms outside the box's upper right corner, the farthest drawn first."""
    arm = 0.16 * _face_size(face)
    (_, top), (right, _) = _wide_box(face)
    height, width = canvas.shape[:2]
    origin = np.array(
        [
            min(max(right + 1.2 * arm, 1.1 * arm), width - 1.1 * arm),
            min(max(top + arm, 1.1 * arm), height - 1.1 * arm),
        ]
    )
    arrows = rotation_from_angles(face.pose).T * np.array([[1], [1], [-1]])
    for number in sorted(range(3), key=lambda axis: -arrows[axis, 2]):
        tip = origin + arm * arrows[number, :2]
        ends = _fixed(np.stack([origin, tip])).reshape(-1, 1, 2)
        cv2.polylines(canvas, [ends], False, _RIM, width_px + 3, cv2.LINE_AA, _SHIFT)
        cv2.polylines(canvas, [ends], False, _AXES[number], width_px + 1, cv2.LINE_AA, _SHIFT)


def _face_size(face: Face) -> float:
    """sqrt(width * height) of the landmark box, held within what can be drawn."""
    size = math.sqrt(face.box.width * face.box.height)
    return min(max(size, 1.0), _FARTHEST_PX)


def _wide_box(face: Face) -> Float[np.ndarray, "2 2"]:
    margin = 0.06 * _face_size(face)
    box = face.box
    return np.array(
        [[box.left - margin, box.top - margin], [box.right + margin, box.bottom + margin]]
    )


def _fixed(points: np.ndarray) -> np.ndarray:
    """Pixels as OpenCV's fixed-point integers: centres at integers there as here."""
    near = np.clip(np.nan_to_num(points), -_FARTHEST_PX, _FARTHEST_PX)
    return np.asarray(np.rint(near * _SUBPIXELS), dtype=np.int32)
