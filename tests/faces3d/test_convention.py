from __future__ import annotations

import numpy as np
import pytest

from mien.faces3d.convention import _mean_faces, as_300w_lp, as_clicked, with_dense_jaw
from mien.geometry.pose import rotation_from_angles
from mien.markup import load_markup
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


def test_a_round_jaw_gets_its_half_angles() -> None:
    face = np.random.default_rng(2).normal(0, 9, (68, 3))
    angle = np.linspace(np.pi, 0, 17)
    face[:17] = np.stack([60 * np.cos(angle), 60 * np.sin(angle), 20 * np.cos(angle)], axis=1)
    dense = with_dense_jaw(face)
    np.testing.assert_array_equal(dense[list(load_markup(84).ibug68)], face)
    angle = np.linspace(np.pi, 0, 33)
    expected = np.stack([60 * np.cos(angle), 60 * np.sin(angle), 20 * np.cos(angle)], axis=1)
    assert np.abs(dense[:33] - expected).max() < 0.4
