"""The table as OpenFace writes it (``frame, face_id, timestamp, ...``), for tools that read that.

Frames count from 1, X, Y, Z and pose_T are millimetres in the camera's frame, pose_R radians of
``R = Rx Ry Rz``. Gaze, action units and shape parameters are not known here: their columns are
left out, not filled with zeros. The openings of the eyes, by which OpenFace's readers would take
AU45, stand last under names of our own. A frame without a face has one row of zeros, as there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float

from mien.geometry.metric_head import Axes, Camera, MetricHead, place_head
from mien.geometry.openings import eye_openings
from mien.markup import load_markup
from mien.outputs.sink import Sink
from mien.outputs.tables import Lines
from mien.types import Face, Frame

__all__ = ["OPENFACE_COLUMNS", "OPENINGS", "OpenFaceTable"]

_POSE = tuple(f"pose_{kind}{axis}" for kind in "TR" for axis in "xyz")
OPENINGS: Final = ("eye_opening_right", "eye_opening_left")
"""Of the person's own eyes: distance of the lids over the width of the eye."""
OPENFACE_COLUMNS: tuple[str, ...] = (
    *("frame", "face_id", "timestamp", "confidence", "success"),
    *_POSE,
    *(f"{axis}_{point}" for axis in "xyXYZ" for point in range(68)),
    *OPENINGS,
)


_NOTHING: Final = "0,0" + ",0" * (len(OPENFACE_COLUMNS) - 5)
"""``confidence`` and what follows of a row without a face."""


class OpenFaceTable(Sink):
    """One row a face and frame; of 84 points the 68 are written.

    A face that comes with its ``head_matrix`` (its expression is then taken out) stands where that
    says; give the table the same camera. Points that are no head's are a row without success.
    """

    def __init__(
        self, path: Path, *, focal_px: float | None = None, fov_deg: float | None = None
    ) -> None:
        """The camera by its focal length or field of view; 63 degrees diagonal if not given."""
        self._lens = {"focal_px": focal_px} | ({"fov_deg": fov_deg} if fov_deg is not None else {})
        self._lines = Lines(path)
        self._lines.append(",".join(OPENFACE_COLUMNS) + "\n")

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        height, width = frame.image_rgb.shape[:2]
        camera = Camera.of_picture(width, height, **self._lens)  # type: ignore[arg-type]
        leading = f"{frame.index + 1},{{}},{frame.time_secs:.3f}"
        rows = [f"{leading.format(face.track_id)},{_row(face, camera)}\n" for face in faces]
        if not rows:
            rows = [f"{leading.format(0)},{_NOTHING}\n"]
        self._lines.append("".join(rows))

    def close(self) -> None:
        self._lines.close()


def _row(face: Face, camera: Camera) -> str:
    points = face.landmarks.points_image.astype(np.float64)
    if len(points) != 68:
        points = points[list(load_markup(len(points)).ibug68)]
    head = _head(face, points, camera)
    if head is None:
        return _NOTHING
    away_cm = head.position_cm[2] * (1 + points[:, 2] / camera.focal_px)
    rays = (points[:, :2] - camera.centre) / camera.focal_px
    space_mm = 10 * np.column_stack([rays * away_cm[:, None], away_cm])
    radians = [math.radians(angle) for angle in head.angles_deg(Axes.OPENCV)]
    numbers = [
        *(10 * head.position_cm).round(2),
        *np.round(radians, 4),
        *points[:, :2].T.ravel().round(2),
        *space_mm.T.ravel().round(2),
        *eye_openings(points).round(4),
    ]
    return f"{face.score:.4f},{int(face.is_seen)}," + ",".join(
        repr(float(number)) for number in numbers
    )


def _head(face: Face, points: Float[np.ndarray, "68 3"], camera: Camera) -> MetricHead | None:
    if face.head_matrix is not None:
        return MetricHead.from_matrix(face.head_matrix)
    try:
        return place_head(points, camera)
    except ValueError:
        return None
