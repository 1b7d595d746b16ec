"""A frame as the window has it: at its size, mirrored if asked, with a panel of numbers beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from mien.markup import Markup, load_markup
from mien.outputs.drawing import draw_faces, track_colour
from mien.outputs.gauges import FULL_SCALE, face_gauges
from mien.types import Face, HeadPose, Landmarks

__all__ = ["Numbers", "compose", "in_window"]

Image = UInt8[np.ndarray, "height width 3"]
Colour = tuple[int, int, int]

_LEAST_HIGH, _MOST_HIGH, _MOST_WIDE = 480, 720, 1080
_PANEL = 268
_BAR_STEP = 17
_PAPER: Colour = (24, 28, 36)
_INK: Colour = (233, 237, 244)
_SOFT: Colour = (140, 150, 166)
_LINE: Colour = (46, 54, 68)
_BAR: Colour = (91, 141, 255)
_ALARM: Colour = (235, 80, 70)
_KEYS = "r record   m mirror   h hide\nc recalibrate   q quit"


@dataclass(frozen=True)
class Numbers:
    """What the panel tells besides the face."""

    fps: float
    latency_ms: float
    dropped: int
    recording_secs: float | None
    """How long it has recorded; ``None`` while it does not."""


def in_window(
    image_rgb: Image, faces: Sequence[Face], *, mirror: bool
) -> tuple[UInt8[np.ndarray, "rows columns 3"], list[Face]]:
    """Picture and faces, 480 to 720 px high and at most 1080 wide, mirrored if asked."""
    height, width = image_rgb.shape[:2]
    scale = float(np.clip(height, _LEAST_HIGH, _MOST_HIGH)) / height
    scale = min(scale, _MOST_WIDE / width)
    size = (round(width * scale), round(height * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = cv2.resize(image_rgb, size, interpolation=way) if scale != 1 else image_rgb
    moved = [_scaled(face, np.array([size[0] / width, size[1] / height, scale])) for face in faces]
    if mirror:
        image = cv2.flip(image, 1)
        moved = [_mirrored(face, size[0]) for face in moved]
    return np.asarray(image, np.uint8), moved


def _scaled(face: Face, scale: Float[np.ndarray, " 3"]) -> Face:
    centre = np.array([0.5, 0.5, 0.0])
    points = (face.landmarks.points_image + centre) * scale - centre
    return replace(face, landmarks=Landmarks(points, face.landmarks.confidence))


def _mirrored(face: Face, width: int) -> Face:
    order = list(load_markup(len(face.landmarks.points_image)).mirror)
    points = face.landmarks.points_image[order].copy()
    points[:, 0] = width - 1 - points[:, 0]
    pose = HeadPose(-face.pose.yaw_deg, face.pose.pitch_deg, -face.pose.roll_deg)
    return replace(face, landmarks=Landmarks(points, face.landmarks.confidence[order]), pose=pose)


def compose(
    image_rgb: Image,
    faces: Sequence[Face],
    markup: Markup,
    numbers: Numbers,
    *,
    mirror: bool = False,
    hide: bool = False,
) -> UInt8[np.ndarray, "rows columns 3"]:
    """The whole window: the picture, and right of it pose and openings of the largest
    face that was seen.

    The panel's numbers are those of the face itself, mirrored or not.
    """
    image, moved = in_window(image_rgb, faces, mirror=mirror)
    picture = image if hide else draw_faces(image, moved, markup.parts)
    high = max(_LEAST_HIGH, picture.shape[0])
    canvas = np.empty((high, picture.shape[1] + _PANEL, 3), np.uint8)
    canvas[:] = _PAPER
    top = (high - picture.shape[0]) // 2
    canvas[top : top + picture.shape[0], : picture.shape[1]] = picture
    seen = [one for one in faces if one.is_seen]
    face = max(seen, key=lambda one: one.box.width * one.box.height, default=None)
    _draw_panel(canvas[:, picture.shape[1] :], face, numbers)
    return canvas


def _draw_panel(panel: Image, face: Face | None, numbers: Numbers) -> None:
    left, right = 18, _PANEL - 18
    _text(panel, f"{numbers.fps:.0f}", (left, 16), 26, _INK)
    _text(panel, "frames/s", (left, 46), 12, _SOFT)
    _text(panel, f"{numbers.latency_ms:.0f}", (left + 88, 16), 26, _INK)
    _text(panel, "ms latency", (left + 88, 46), 12, _SOFT)
    _text(panel, f"{numbers.dropped}", (left + 172, 16), 26, _INK)
    _text(panel, "dropped", (left + 172, 46), 12, _SOFT)
    panel[74:75, left:right] = _LINE
    if face is None:
        _text(panel, "no face in this frame", (left, 88), 15, _SOFT)
    else:
        _draw_face_numbers(panel, face, left, right)
    bottom = panel.shape[0]
    if numbers.recording_secs is not None:
        cv2.circle(panel, (left + 6, bottom - 84), 6, _ALARM, cv2.FILLED, cv2.LINE_AA)
        said = f"recording {numbers.recording_secs:.0f} s"
        _text(panel, said, (left + 20, bottom - 93), 14, _INK)
    panel[bottom - 62 : bottom - 61, left:right] = _LINE
    for row, line in enumerate(_KEYS.splitlines()):
        _text(panel, line, (left, bottom - 50 + 19 * row), 13, _SOFT)


def _draw_face_numbers(panel: Image, face: Face, left: int, right: int) -> None:
    colour = track_colour(face.track_id)
    cv2.circle(panel, (left + 5, 99), 5, colour, cv2.FILLED, cv2.LINE_AA)
    sure = float(face.landmarks.confidence.mean())
    _text(panel, f"face {face.track_id}", (left + 18, 90), 15, _INK)
    _text(panel, f"sure {sure:.2f}", (left + 140, 90), 15, _SOFT)
    angles = (face.pose.yaw_deg, face.pose.pitch_deg, face.pose.roll_deg)
    for row, (name, angle) in enumerate(zip(("yaw", "pitch", "roll"), angles, strict=True)):
        y = 122 + 26 * row
        _text(panel, name, (left, y), 14, _SOFT)
        _text(panel, f"{angle:+.0f}°", (right - 44, y), 14, _INK)
        middle = left + 118
        panel[y + 7 : y + 12, left + 58 : left + 178] = _LINE
        end = middle + round(float(np.clip(angle, -90, 90)) / 90 * 60)
        panel[y + 7 : y + 12, min(middle, end) : max(middle, end) + 1] = _BAR
    gauges = face_gauges(face)
    room = (panel.shape[0] - 98 - 206) // _BAR_STEP
    for row, (name, value) in enumerate(list(gauges.items())[: max(room, 0)]):
        y = 206 + _BAR_STEP * row
        _text(panel, name, (left, y), 12, _SOFT)
        share = float(np.clip(value / FULL_SCALE.get(name, 1.0), 0, 1))
        panel[y + 5 : y + 10, left + 108 : right - 36] = _LINE
        panel[y + 5 : y + 10, left + 108 : left + 108 + round(share * (right - 144 - left))] = _BAR
        _text(panel, f"{value:.2f}", (right - 30, y), 12, _INK)


def _text(panel: Image, text: str, at: tuple[int, int], size: int, colour: Colour) -> None:
    """Letters laid over the panel; what would hang over its edge is cut."""
    left, top = at
    letters = _letters(text, size)[: panel.shape[0] - top, : panel.shape[1] - left]
    place = panel[top : top + letters.shape[0], left : left + letters.shape[1]]
    mixed = place + (np.array(colour) - place.astype(np.float32)) * letters[..., None]
    place[:] = np.rint(mixed).astype(np.uint8)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@lru_cache(512)
def _letters(text: str, size: int) -> Float[np.ndarray, "rows columns"]:
    """How much ink lies where, 0 to 1."""
    font = _font(size)
    left, _, right, bottom = font.getbbox(text)
    paper = PillowImage.new("L", (max(1, int(right - min(left, 0)) + 1), int(bottom) + 2))
    ImageDraw.Draw(paper).text((0, 0), text, font=font, fill=255)
    return np.asarray(paper, np.float32) / 255
