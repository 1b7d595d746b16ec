"""What is measured of one face, against distances a person can set by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mien.geometry.pose import rotation_from_angles
from mien.markup import load_markup
from mien.measures import FACE_MEASURES, HeadAt, HeadSpeed, measure_face
from mien.types import HeadPose


def face(mouth: float, right_brow: float, left_brow: float) -> np.ndarray:
    """The mean head, its mouth so wide and its brows so high, in outer eye distances."""
    points = load_markup(68).mean_shape.copy()
    apart = np.linalg.norm(points[36] - points[45])
    middle = (points[48] + points[54]) / 2
    points[48], points[54] = (
        middle + np.array([side * mouth * apart / 2, 0, 0]) for side in (-1, 1)
    )
    for brow, eye, height in (
        (slice(17, 22), [36, 39], right_brow),
        (slice(22, 27), [42, 45], left_brow),
    ):
        target = points[eye].mean(axis=0) - np.array([0, height * apart, 0])
        points[brow] += target - points[brow].mean(axis=0)
    return points


@pytest.mark.parametrize("pose", [HeadPose(0, 0, 0), HeadPose(-50, 20, 30)])
def test_mouth_and_brows_are_shares_however_the_head_is_turned(pose: HeadPose) -> None:
    turned = 140.0 * face(0.6, 0.3, 0.2) @ rotation_from_angles(pose).T + 50
    told = dict(zip(FACE_MEASURES, measure_face(turned).tolist(), strict=True))
    assert told["mouth_width"] == pytest.approx(0.6)
    assert told["brow_right_height"] == pytest.approx(0.3)
    assert told["brow_left_height"] == pytest.approx(0.2)
    width, height = np.ptp(turned[:, :2], axis=0)
    assert told["size_px"] == pytest.approx(np.sqrt(width * height))


def at(x: float, yaw: float, track_id: int = 0) -> HeadAt:
    return HeadAt(track_id, np.array([x, 10.0]), 50.0, HeadPose(yaw, 0, 0))


def test_speeds_are_by_time_and_size_and_begin_with_the_second_frame() -> None:
    speed = HeadSpeed()
    assert speed.step(0.0, [at(100, 0)]) == [(None, None)]
    ((moved, turned),) = speed.step(0.1, [at(105, 6)])
    assert (moved, turned) == (pytest.approx(1.0), pytest.approx(60.0))
    other = HeadSpeed()
    other.restore(speed.state())
    assert other.step(0.2, [at(105, 6)]) == [(pytest.approx(0), pytest.approx(0))]
    assert speed.step(0.2, []) == []
    assert speed.step(0.3, [at(105, 6)]) == [(None, None)]
    assert speed.step(0.3, [at(105, 6)]) == [(None, None)]
