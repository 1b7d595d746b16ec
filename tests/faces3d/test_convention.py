from __future__ import annotations

import numpy as np
import pytest

from mien.faces3d.convention import _mean_faces, as_300w_lp, as_clicked
from mien.geometry.pose import rotation_from_angles
from mien.types import HeadPose


@pytest.mark.parametrize("yaw", [0.0, 55.0, -90.0])
def test_the_mean_face_becomes_the_other_mean_face(yaw: float) -> None:
    clicked, published = _mean_faces()
    rotation = rotation_from_angles(HeadPose(yaw, 10, -20))
    shift = np.array([90.0, 70, 0])
    found = as_300w_lp(clicked @ rotation.T * 8 + shift)
    np.testing.assert_allclose(found, published @ rotation.T * 8 + shift, atol=1e-6)


def test_there_and_back_and_the_jaw_stays() -> None:
    rng = np.random.default_rng(1)
    face = _mean_faces()[0] * 8 + rng.normal(0, 3, (68, 3))
    there = as_300w_lp(face)
    np.testing.assert_array_equal(there[:17], face[:17])
    assert np.abs(as_clicked(there) - face).max() < 1.0
    moved = np.linalg.norm(there[17:] - face[17:], axis=1)
    assert 0.5 < moved.mean() < 5
