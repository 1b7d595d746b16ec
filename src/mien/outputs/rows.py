"""The table of results: one row a face and frame, one empty row for a frame without a face."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from mien.expression import SHAPES, Details
from mien.geometry.metric_head import MetricHead
from mien.types import Face, Frame

__all__ = [
    "LEADING",
    "NO_DETAILS",
    "Value",
    "columns",
    "leading_cells",
    "more_columns",
    "more_values",
    "rows",
]

LEADING = (
    *("frame", "time_secs", "track_id", "score"),
    *("box_left", "box_top", "box_right", "box_bottom"),
    *("yaw_deg", "pitch_deg", "roll_deg"),
)
_METRIC = (
    *(f"head_{axis}_cm" for axis in "xyz"),
    *(f"head_q{axis}" for axis in "xyzw"),
    *(f"head_r{axis}_deg" for axis in "xyz"),
)
"""Position, quaternion and Euler angles of Rx Ry Rz, in OpenCV's axes."""
_PX_DECIMALS, _DEG_DECIMALS, _SHARE_DECIMALS, _SECS_DECIMALS = 3, 3, 4, 6

Value = int | float | None
NO_DETAILS: Final = Details()


def columns(points: int, details: Details = NO_DETAILS) -> tuple[str, ...]:
    """Column names: ``frame`` to ``roll_deg``, then all x, all y, all z, all confidences.

    Blendshapes by ARKit's names and the head in space follow where ``details`` asks for them.
    """
    numbered = (f"{axis}_{point}" for axis in "xyzc" for point in range(points))
    return (*LEADING, *numbered, *more_columns(details))


def more_columns(details: Details) -> tuple[str, ...]:
    """Those that ``details`` asks for, behind the points."""
    return (SHAPES if details.blendshapes else ()) + (_METRIC if details.metric else ())


def rows(
    frame: Frame, faces: Sequence[Face], points: int, details: Details = NO_DETAILS
) -> Iterator[list[Value]]:
    """The rows of one frame, rounded; ``None`` is an empty cell.

    Raises:
        ValueError: a face has another number of points.
    """
    time_secs = round(frame.time_secs, _SECS_DECIMALS)
    if not faces:
        yield [frame.index, time_secs, *[None] * (len(columns(points, details)) - 2)]
    for face in faces:
        landmarks = face.landmarks
        if len(landmarks.points_image) != points:
            raise ValueError(
                f"the table holds {points} points a face, not {len(landmarks.points_image)}"
            )
        xyz = landmarks.points_image.T.astype(np.float64).round(_PX_DECIMALS)
        confidence = landmarks.confidence.astype(np.float64).round(_SHARE_DECIMALS)
        yield [
            *leading_cells(frame, face),
            *xyz.ravel().tolist(),
            *confidence.tolist(),
            *more_values(face, details),
        ]


def more_values(face: Face, details: Details) -> list[Value]:
    """The cells under ``more_columns``, rounded."""
    values: list[Value] = []
    if details.blendshapes:
        read = face.expression.to_dict() if face.expression is not None else {}
        values += [_rounded(read.get(name), _SHARE_DECIMALS) for name in SHAPES]
    if details.metric:
        if face.head_matrix is None:
            return [*values, *[None] * len(_METRIC)]
        head = MetricHead.from_matrix(face.head_matrix)
        numbers = (*head.position_cm, *head.quaternion(), *head.angles_deg())
        decimals = (_PX_DECIMALS,) * 3 + (_SECS_DECIMALS,) * 4 + (_DEG_DECIMALS,) * 3
        values += map(_rounded, map(float, numbers), decimals)
    return values


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(value, decimals)


def leading_cells(frame: Frame, face: Face) -> list[Value]:
    """The cells under ``LEADING`` of a frame with a face, rounded."""
    box, pose = face.box, face.pose
    edges = (box.left, box.top, box.right, box.bottom)
    angles = (pose.yaw_deg, pose.pitch_deg, pose.roll_deg)
    return [
        frame.index,
        round(frame.time_secs, _SECS_DECIMALS),
        int(face.track_id),
        round(float(face.score), _SHARE_DECIMALS),
        *(round(float(edge), _PX_DECIMALS) for edge in edges),
        *(round(float(angle), _DEG_DECIMALS) for angle in angles),
    ]
