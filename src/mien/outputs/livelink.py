"""A take as the app Live Link Face writes it: a CSV of 52 shapes and nine angles.

Columns: ``Timecode`` (hours:minutes:seconds:frames, the frame's fraction behind a point),
``BlendShapeCount`` (61; 0 in a frame that does not show the face), the 52 shapes of ARKit with a
capital, then yaw, pitch and roll of head and eyes in radians. The format has no empty cells: shapes
that landmarks cannot show, and the eyes' angles, stand there as 0.
"""

from __future__ import annotations

import math

import numpy as np

from mien.expression import ARKIT, SHAPES
from mien.geometry import angles_of, matrix_of_quaternion
from mien.outputs.take import Clip, Take

__all__ = ["LIVELINK_COLUMNS", "encode_livelink", "timecode"]

_TURNING = ("Head", "LeftEye", "RightEye")
_ANGLES = tuple(f"{part}{angle}" for part in _TURNING for angle in ("Yaw", "Pitch", "Roll"))
LIVELINK_COLUMNS: tuple[str, ...] = (
    *("Timecode", "BlendShapeCount"),
    *(name[0].upper() + name[1:] for name in ARKIT),
    *_ANGLES,
)
_VALUES = len(ARKIT) + len(_ANGLES)
_PLACES = np.array([ARKIT.index(name) for name in SHAPES])


def encode_livelink(clip: Clip, take: Take) -> bytes:
    """One row a frame of the clip, from its first to its last."""
    values = np.zeros((len(clip.times_secs), _VALUES))
    counts = np.zeros(len(clip.times_secs), int)
    values[np.ix_(take.frames, _PLACES)] = take.strengths
    # About y (up), x (the picture's right) and z (towards the camera), turned in that order.
    angles = angles_of(matrix_of_quaternion(take.quaternion), "YXZ")
    values[take.frames, len(ARKIT) : len(ARKIT) + 3] = angles
    counts[take.frames] = _VALUES
    lines = [",".join(LIVELINK_COLUMNS)]
    for time_secs, count, row in zip(clip.times_secs, counts, values, strict=True):
        cells = ",".join(f"{value:.10f}" for value in row)
        lines.append(f"{timecode(time_secs, clip.rate)},{count},{cells}")
    return ("\n".join(lines) + "\n").encode()


def timecode(time_secs: float, rate: float) -> str:
    """``HH:MM:SS:FF.fff`` at that many frames a second."""
    thousandths = round((time_secs - math.floor(time_secs)) * rate * 1000)
    whole = math.floor(time_secs)
    if thousandths >= math.ceil(rate) * 1000:
        thousandths, whole = 0, whole + 1
    hours, minutes, seconds = whole // 3600, whole // 60 % 60, whole % 60
    frame, fraction = divmod(thousandths, 1000)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}:{frame:02d}.{fraction:03d}"
