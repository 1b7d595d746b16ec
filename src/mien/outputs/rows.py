"""The table of results: one row a face and frame, one empty row for a frame without a face."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from mien.types import Face, Frame

__all__ = ["Value", "columns", "rows"]

_LEADING = (
    *("frame", "time_secs", "track_id", "score"),
    *("box_left", "box_top", "box_right", "box_bottom"),
    *("yaw_deg", "pitch_deg", "roll_deg"),
)
_PX_DECIMALS, _DEG_DECIMALS, _SHARE_DECIMALS, _SECS_DECIMALS = 3, 3, 4, 6

Value = int | float | None


def columns(points: int) -> tuple[str, ...]:
    """Column names: ``frame`` to ``roll_deg``, then all x, all y, all z, all confidences."""
    return (*_LEADING, *(f"{axis}_{point}" for axis in "xyzc" for point in range(points)))


def rows(frame: Frame, faces: Sequence[Face], points: int) -> Iterator[list[Value]]:
    """The rows of one frame, rounded; ``None`` is an empty cell.

    Raises:
        ValueError: a face has another number of points.
    """
    time_secs = round(frame.time_secs, _SECS_DECIMALS)
    if not faces:
        yield [frame.index, time_secs, *[None] * (len(_LEADING) - 2 + 4 * points)]
    for face in faces:
        landmarks, box, pose = face.landmarks, face.box, face.pose
        if len(landmarks.points_image) != points:
            raise ValueError(
                f"the table holds {points} points a face, not {len(landmarks.points_image)}"
            )
        edges = (box.left, box.top, box.right, box.bottom)
        angles = (pose.yaw_deg, pose.pitch_deg, pose.roll_deg)
        xyz = landmarks.points_image.T.astype(np.float64).round(_PX_DECIMALS)
        confidence = landmarks.confidence.astype(np.float64).round(_SHARE_DECIMALS)
        yield [
            *(
                frame.index,
                time_secs,
                int(face.track_id),
                round(float(face.score), _SHARE_DECIMALS),
            ),
            *(round(float(edge), _PX_DECIMALS) for edge in edges),
            *(round(float(angle), _DEG_DECIMALS) for angle in angles),
            *xyz.ravel().tolist(),
            *confidence.tolist(),
        ]
