"""Head poses against published angles, by a rotation written out a second time."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mien.datasets.photo import LabelledPhoto
from mien.evaluation.head_pose import euler_300w_lp_deg, score_pose
from mien.markup import load_markup

MEAN = load_markup(68).mean_shape
FLIP = np.diag([1.0, -1.0, -1.0])


def their_rotation(pitch: float, yaw: float, roll: float) -> np.ndarray:
    """Pose_Para's, y up: about x, then y, then z, each turning the other way than scipy's."""
    return Rotation.from_euler("XYZ", [-pitch, -yaw, -roll], degrees=True).as_matrix()


def head(pitch: float, yaw: float, roll: float) -> np.ndarray:
    """The mean head in that published pose, in px of a picture."""
    return 60 * MEAN @ (FLIP @ their_rotation(pitch, yaw, roll) @ FLIP).T + [100, 90, 0]


def photo(*euler: float) -> LabelledPhoto:
    return LabelledPhoto("a", Path("a.jpg"), head(*euler), euler_300w_lp_deg=euler)  # type: ignore[arg-type]


@pytest.mark.parametrize("euler", [(0, 0, 0), (20, -35, 10), (-15, 70, -40), (5, 88, 3)])
def test_a_published_pose_is_read_back(euler: tuple[float, float, float]) -> None:
    ours = FLIP @ their_rotation(*euler) @ FLIP
    assert euler_300w_lp_deg(ours) == pytest.approx(euler, abs=1e-6)


def test_errors_are_means_of_each_angle_over_the_faces_found() -> None:
    photos = [photo(0, 0, 0), photo(10, -40, 5), photo(0, 120, 0), photo(0, 30, 0)]
    seen = np.stack([head(3, 0, 0), head(10, -44, 5), head(0, 0, 0), np.full((68, 3), np.nan)])
    measured = score_pose(photos, seen, MEAN)
    assert measured is not None
    assert (measured.n, measured.excluded, measured.missed) == (3, 1, 1)
    assert measured.pitch_deg == pytest.approx(1.5, abs=0.01)
    assert measured.yaw_deg == pytest.approx(2.0, abs=0.01)
    assert measured.roll_deg == pytest.approx(0.0, abs=0.01)
    assert measured.mean_deg == pytest.approx(3.5 / 3, abs=0.01)


def test_half_a_turn_off_is_not_a_whole_turn_off() -> None:
    measured = score_pose([photo(0, 0, 95)], head(0, 0, -95)[None], MEAN)
    assert measured is not None
    assert measured.roll_deg == pytest.approx(170, abs=0.01)


def test_sets_without_angles_have_no_pose_error() -> None:
    plain = LabelledPhoto("a", Path("a.jpg"), head(0, 0, 0))
    assert score_pose([plain], head(0, 0, 0)[None], MEAN) is None
    nothing = score_pose([photo(0, 0, 0)], np.full((1, 68, 3), np.nan), MEAN)
    assert nothing is not None
    assert nothing.mean_deg is None
    assert math.isfinite(nothing.n)
