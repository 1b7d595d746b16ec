"""Faces drawn on a picture: points, lines, box, name and a small head pose axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from mien.geometry.pose import rotation_from_angles
from mien.markup import Part
from mien.types import Face

__all__ = ["draw_faces", "track_colour"]

Image = UInt8[np.ndarray, "height width 3"]
Colour = tuple[int, int, int]

_SHIFT = 4
_SUBPIXELS = 1 << _SHIFT
_FARTHEST_PX = 30_000.0
"""OpenCV counts pixels in 16 bits when it clips; points farther out are drawn at this border."""

_FAINT = 0.3
"""Share of the drawing that is left of what the head hides."""
_FEWEST_OF_A_HEAD = 5
_MIDDLE_BEHIND = 0.55
_LOOKS_AWAY = 0.12

_LINE: Colour = (236, 240, 244)
_RIM: Colour = (16, 20, 28)
_AXES: tuple[Colour, ...] = ((235, 80, 70), (90, 205, 90), (90, 150, 255))
"""Of the head: towards the image's right, down, and out of the nose."""
_TRACKS: tuple[Colour, ...] = (
    *((70, 200, 220), (245, 160, 60), (170, 130, 240), (120, 200, 90)),
    *((240, 110, 150), (225, 205, 80), (90, 140, 240), (190, 190, 190)),
)


_STOPS = np.array([(235, 50, 40), (250, 205, 60), (50, 225, 190)], np.float64)
"""A point's confidence: red is 0, yellow 0.5, green-blue 1."""
_POINT, _LEAST_POINT_PX = 0.0105, 1.1
"""Radius of a point in face sizes, and the least that still shows its colour."""
_RIM_SHARE = 0.35
"""Width of a point's dark rim against its radius."""
_TEXT_SIDE_PX, _LEAST_TEXT = 900, 0.05
"""Shorter side of a picture whose text has OpenCV's size 1, and what every text has besides."""
_ARM, _ARM_ROOM, _BESIDE_BOX = 0.16, 1.1, 1.2
"""Length of the axes in face sizes; in arms: what stays free to the picture's edge, and from the
box to their origin."""
_BOX_MARGIN = 0.06
"""In face sizes: no line of the box runs over a point."""


def track_colour(track_id: int) -> Colour:
    """The colour of a track, the same in every output."""
    return _TRACKS[track_id % len(_TRACKS)]


def draw_faces(image_rgb: Image, faces: Sequence[Face], parts: Sequence[Part]) -> Image:
    """A copy of the picture with the faces on it, each point in the colour of its confidence.

    ``parts`` are the runs of points to join by lines: ``load_markup(points).parts``. Points are
    drawn below the pixel, those that the head itself hides faintly; their size follows the face and
    the lines follow the picture.
    """
    canvas: Image = np.ascontiguousarray(image_rgb).copy()
    width_px = max(1, round(min(canvas.shape[:2]) / 700))
    for face in faces:
        _draw_box(canvas, face, width_px)
    for face in faces:
        thin_px = max(1, min(width_px, round(_face_size(face) / 130)))
        _draw_points(canvas, face, parts, thin_px)
        _draw_axis(canvas, face, thin_px)
    taken = [_wide_box(face) for face in faces]
    for face in faces:
        _draw_label(canvas, face, taken, width_px)
    return canvas


def _draw_points(canvas: Image, face: Face, parts: Sequence[Part], width_px: int) -> None:
    """What the head hides is drawn first and then faded into the picture."""
    hidden = _hidden_by_the_head(face)
    if hidden.any():
        region = _around(face, canvas)
        before = canvas[region].copy()
        _draw_some(canvas, face, parts, width_px, hidden, hidden_ones=True)
        cv2.addWeighted(before, 1 - _FAINT, canvas[region], _FAINT, 0, dst=before)
        canvas[region] = before
    _draw_some(canvas, face, parts, width_px, hidden, hidden_ones=False)


def _draw_some(
    canvas: Image,
    face: Face,
    parts: Sequence[Part],
    width_px: int,
    hidden: Bool[np.ndarray, " points"],
    *,
    hidden_ones: bool,
) -> None:
    """The hidden points and every line that ends in one, or what is left: the seen ones."""
    points = _fixed(face.landmarks.points_image[:, :2])
    for part in parts:
        ring = list(part.indices) + list(part.indices[:1]) * part.closed
        runs = [
            points[[start, end]].reshape(-1, 1, 2)
            for start, end in pairwise(ring)
            if (hidden[start] or hidden[end]) == hidden_ones
        ]
        cv2.polylines(canvas, runs, False, _LINE, width_px, cv2.LINE_AA, _SHIFT)
    radius_px = max(_LEAST_POINT_PX, _POINT * _face_size(face))
    radius = round(radius_px * _SUBPIXELS)
    rim = radius + round(max(0.5, _RIM_SHARE * radius_px) * _SUBPIXELS)
    chosen = np.flatnonzero(hidden == hidden_ones)
    centres = points[chosen].tolist()
    colours = np.array(_point_colours(face))[chosen].tolist()
    for centre in centres:
        cv2.circle(canvas, centre, rim, _RIM, cv2.FILLED, cv2.LINE_AA, _SHIFT)
    for centre, colour in zip(centres, colours, strict=True):
        cv2.circle(canvas, centre, radius, colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _point_colours(face: Face) -> list[list[int]]:
    share = np.clip(np.nan_to_num(face.landmarks.confidence), 0, 1)
    channels = [np.interp(share, (0, 0.5, 1), _STOPS[:, channel]) for channel in range(3)]
    colours: list[list[int]] = np.rint(np.stack(channels, axis=1)).astype(int).tolist()
    return colours


def _hidden_by_the_head(face: Face) -> Bool[np.ndarray, " points"]:
    """Points whose skin looks away from the camera, the head taken for a ball about its middle.

    ``docs/conventions.md``: z grows away from the camera. The ball's middle lies behind the face,
    0.55 face sizes of a head that looks at the camera.
    """
    points = face.landmarks.points_image
    if len(points) < _FEWEST_OF_A_HEAD or not np.isfinite(points).all():
        return np.zeros(len(points), dtype=bool)
    rotation = rotation_from_angles(face.pose)
    in_head = (points - points.mean(axis=0)) @ rotation
    size = math.sqrt(float(np.ptp(in_head[:, 0]) * np.ptp(in_head[:, 1]))) or 1.0
    outward = in_head / size - [0.0, 0.0, _MIDDLE_BEHIND]
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    return np.asarray((outward @ rotation.T)[:, 2] > _LOOKS_AWAY)


def _around(face: Face, canvas: Image) -> tuple[slice, slice]:
    """The part of the picture that drawing a face's points can touch."""
    (left, top), (right, bottom) = _wide_box(face)
    height, width = canvas.shape[:2]
    return (
        slice(max(0, math.floor(top) - 4), max(0, min(height, math.ceil(bottom) + 5))),
        slice(max(0, math.floor(left) - 4), max(0, min(width, math.ceil(right) + 5))),
    )


def _draw_box(canvas: Image, face: Face, width_px: int) -> None:
    """The box, a little wider than the points."""
    first, second = _fixed(_wide_box(face)).tolist()
    cv2.rectangle(canvas, first, second, track_colour(face.track_id), width_px, cv2.LINE_AA, _SHIFT)


def _draw_label(
    canvas: Image, face: Face, taken: list[Float[np.ndarray, "2 2"]], width_px: int
) -> None:
    """The track's number and score, where they cover nothing that is ``taken``: above the box, else
    below or beside; the number alone, smaller, or nothing where there is no room."""
    font, colour = cv2.FONT_HERSHEY_SIMPLEX, track_colour(face.track_id)
    usual = min(canvas.shape[:2]) / _TEXT_SIDE_PX + _LEAST_TEXT
    corners = np.clip(np.rint(_wide_box(face)), -_FARTHEST_PX, _FARTHEST_PX).astype(int)
    (left, top), (right, bottom) = corners.tolist()
    number = f"#{face.track_id}"
    for text, size in ((f"{number} {face.score:.2f}", usual), (number, usual), (number, usual / 2)):
        (wide, high), below = cv2.getTextSize(text, font, size, width_px)
        wide, high = wide + 6, high + below + 2
        for x, y in ((left, top - high), (left, bottom), (right, top), (left - wide, top)):
            x = min(max(x, 0), max(canvas.shape[1] - wide, 0))
            inside = y >= 0 and y + high <= canvas.shape[0]
            if inside and not any(_overlaps(x, y, wide, high, box) for box in taken):
                cv2.rectangle(canvas, (x, y), (x + wide, y + high), colour, cv2.FILLED)
                at = (x + 3, y + high - below + 1)
                cv2.putText(canvas, text, at, font, size, _RIM, width_px, cv2.LINE_AA)
                taken.append(np.array([[x, y], [x + wide, y + high]], dtype=np.float64))
                return


def _overlaps(x: int, y: int, wide: int, high: int, box: Float[np.ndarray, "2 2"]) -> bool:
    (left, top), (right, bottom) = np.rint(box)
    return bool(x < right and x + wide > left and y < bottom and y + high > top)


def _draw_axis(canvas: Image, face: Face, width_px: int) -> None:
    """Three arms outside the box's upper right corner, the farthest drawn first."""
    arm = _ARM * _face_size(face)
    room = _ARM_ROOM * arm
    (_, top), (right, _) = _wide_box(face)
    height, width = canvas.shape[:2]
    origin = np.array(
        [
            min(max(right + _BESIDE_BOX * arm, room), width - room),
            min(max(top + arm, room), height - room),
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
    margin = _BOX_MARGIN * _face_size(face)
    box = face.box
    return np.array(
        [[box.left - margin, box.top - margin], [box.right + margin, box.bottom + margin]]
    )


def _fixed(points: np.ndarray) -> np.ndarray:
    """Pixels as OpenCV's fixed-point integers: centres at integers there as here."""
    near = np.clip(np.nan_to_num(points), -_FARTHEST_PX, _FARTHEST_PX)
    return np.asarray(np.rint(near * _SUBPIXELS), dtype=np.int32)
