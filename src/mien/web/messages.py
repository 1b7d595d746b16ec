"""What page and server say to each other."""

from __future__ import annotations

import io
import json
import math
import struct
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image as PillowImage
from PIL import UnidentifiedImageError
from scipy.spatial import Delaunay

from mien.errors import InputError
from mien.expression import ABSENT
from mien.markup import Markup
from mien.outputs.drawing import track_colour
from mien.outputs.gauges import FULL_SCALE, face_gauges
from mien.types import Face, Frame

__all__ = ["face_message", "markup_message", "picture_of", "preview_of"]

_LONGEST_SIDE = 1920
_PREVIEW_SIDE = 640
_HEAD = struct.Struct("<d")


def face_message(frame: Frame, faces: Sequence[Face], more: tuple[str, float | None]) -> str:
    """One frame's faces as JSON, in pixels of the frame, rounded as tables are; ``more`` is a name
    and its value."""
    return json.dumps(
        {
            "frame": frame.index,
            "time_secs": frame.time_secs,
            "size": [frame.image_rgb.shape[1], frame.image_rgb.shape[0]],
            "faces": [_face(face) for face in faces],
            more[0]: more[1],
        },
        separators=(",", ":"),
    )


def _face(face: Face) -> dict[str, object]:
    box, pose = face.box, face.pose
    return {
        "track_id": face.track_id,
        "colour": "rgb({}, {}, {})".format(*track_colour(face.track_id)),
        "score": round(face.score, 4),
        "box": [round(edge, 3) for edge in (box.left, box.top, box.right, box.bottom)],
        "pose_deg": [round(angle, 3) for angle in (pose.yaw_deg, pose.pitch_deg, pose.roll_deg)],
        "points": face.landmarks.points_image.astype(np.float64).round(3).ravel().tolist(),
        "confidence": face.landmarks.confidence.astype(np.float64).round(4).tolist(),
        "gauges": {name: round(value, 4) for name, value in face_gauges(face).items()},
    }


def markup_message(markup: Markup) -> dict[str, object]:
    """Runs of points, and triangles of the mean head that leave eyes and mouth open."""
    holes = [set(part.indices) for part in markup.parts if part.closed and "outer" not in part.name]
    triangles = [
        triangle
        for triangle in Delaunay(markup.mean_shape[:, :2]).simplices.tolist()
        if not any(hole.issuperset(triangle) for hole in holes)
    ]
    return {
        "points": len(markup),
        "parts": [{"indices": part.indices, "closed": part.closed} for part in markup.parts],
        "triangles": triangles,
        "full_scale": FULL_SCALE,
        "absent": ABSENT,
    }


def picture_of(message: bytes, index: int) -> Frame:
    """A frame of the browser's camera: its time in seconds (a little-endian double), then a JPEG.

    Raises:
        InputError: another message, or a picture too large; it is then not decoded.
    """
    try:
        (time_secs,) = _HEAD.unpack_from(message)
        data = message[_HEAD.size :]
        with PillowImage.open(io.BytesIO(data), formats=("JPEG", "PNG")) as head:
            sides = head.size
    except (struct.error, UnidentifiedImageError, OSError, ValueError) as error:
        raise InputError("expected a time and a JPEG picture from the page") from error
    if not (min(sides) >= 16 and max(sides) <= _LONGEST_SIDE and math.isfinite(time_secs)):
        raise InputError(f"expected a picture of 16 to {_LONGEST_SIDE} px a side, got {sides}")
    image_bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image_bgr is None:
        raise InputError("the page sent a picture that cannot be decoded")
    return Frame(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB), index, time_secs)


def preview_of(image_rgb: UInt8[np.ndarray, "height width 3"]) -> bytes:
    """A small JPEG of a video's frame for the page."""
    scale = min(1.0, _PREVIEW_SIDE / max(image_rgb.shape[:2]))
    size = (max(1, round(image_rgb.shape[1] * scale)), max(1, round(image_rgb.shape[0] * scale)))
    small = cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 80]
    )
    return data.tobytes()
