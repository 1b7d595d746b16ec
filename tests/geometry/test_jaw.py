"""The denser jaw: against circles, SciPy's spline and the similarities it must commute with."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline

from mien.geometry.jaw import with_dense_jaw, with_dense_jaw_flags
from mien.geometry.pose import rotation_from_angles
from mien.markup import load_markup
from mien.types import HeadPose


def test_a_round_jaw_gets_its_half_angles() -> None:
    face = np.random.default_rng(2).normal(0, 9, (68, 3))
    angle = np.linspace(np.pi, 0, 17)
    face[:17] = np.stack([60 * np.cos(angle), 60 * np.sin(angle), 20 * np.cos(angle)], axis=1)
    dense = with_dense_jaw(face)
    np.testing.assert_array_equal(dense[list(load_markup(84).ibug68)], face)
    angle = np.linspace(np.pi, 0, 33)
    expected = np.stack([60 * np.cos(angle), 60 * np.sin(angle), 20 * np.cos(angle)], axis=1)
    assert np.abs(dense[:33] - expected).max() < 0.4


def test_it_is_the_natural_cubic_spline() -> None:
    faces = np.random.default_rng(3).normal(0, 9, (2, 68, 3))
    spline = CubicSpline(np.arange(17), faces[:, :17], axis=1, bc_type="natural")
    dense = with_dense_jaw(faces)
    np.testing.assert_allclose(dense[:, 1:32:2], spline(np.arange(16) + 0.5), atol=1e-9)


def test_turning_and_adding_points_commute() -> None:
    face = np.random.default_rng(4).normal(0, 9, (68, 3))
    rotation, shift = rotation_from_angles(HeadPose(70, -20, 30)), np.array([5.0, -7, 2])
    moved_first = with_dense_jaw(3 * face @ rotation.T + shift)
    np.testing.assert_allclose(moved_first, 3 * with_dense_jaw(face) @ rotation.T + shift)


def test_a_new_point_has_a_flag_where_both_neighbours_have_it() -> None:
    flags = np.zeros(68, bool)
    flags[[0, 1, 5, 20]] = True
    assert np.flatnonzero(with_dense_jaw_flags(flags)).tolist() == [0, 1, 2, 10, 36]
