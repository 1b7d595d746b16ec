"""Rotations against scipy's, in every order and where angles lock."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from mien.geometry import (
    angle_between,
    angles_of,
    matrix_of_quaternion,
    matrix_of_vector,
    quaternion_of,
)

TURNS = Rotation.random(200, random_state=0)
ORDERS = ["".join(order) for order in itertools.permutations("XYZ")]


def test_quaternions_there_and_back() -> None:
    matrices = matrix_of_quaternion(TURNS.as_quat() * 3)
    np.testing.assert_allclose(matrices, TURNS.as_matrix(), atol=1e-12)
    ours = np.stack([quaternion_of(matrix) for matrix in TURNS.as_matrix()])
    np.testing.assert_allclose(ours, TURNS.as_quat(canonical=True), atol=1e-12)


@pytest.mark.parametrize("axis", range(3))
def test_half_turns_have_a_quaternion(axis: int) -> None:
    matrix = -np.eye(3)
    matrix[axis, axis] = 1
    expected = np.zeros(4)
    expected[axis] = 1
    np.testing.assert_allclose(np.abs(quaternion_of(matrix)), expected, atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.tuples(*[st.floats(-4, 4)] * 3))
def test_a_vector_turns_by_its_length(turn: tuple[float, float, float]) -> None:
    expected = Rotation.from_rotvec(turn).as_matrix()
    np.testing.assert_allclose(matrix_of_vector(np.array(turn)), expected, atol=1e-12)


def test_the_angle_between_two_rotations() -> None:
    others = Rotation.random(200, random_state=1)
    told = [angle_between(a, b) for a, b in zip(TURNS.as_matrix(), others.as_matrix(), strict=True)]
    np.testing.assert_allclose(told, (TURNS.inv() * others).magnitude(), atol=1e-9)
    for one in TURNS.as_matrix():  # never NaN, though a cosine is rounded to above 1
        assert angle_between(one, one) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("order", ORDERS)
def test_angles_in_every_order(order: str) -> None:
    expected = TURNS.as_euler(order)
    np.testing.assert_allclose(angles_of(TURNS.as_matrix(), order), expected, atol=1e-9)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("second", [-math.pi / 2, math.pi / 2])
def test_where_angles_lock_the_rotation_is_kept(order: str, second: float) -> None:
    matrix = Rotation.from_euler(order, [0.7, second, -0.3]).as_matrix()
    angles = angles_of(matrix, order)
    assert angles[2] == 0
    np.testing.assert_allclose(Rotation.from_euler(order, angles).as_matrix(), matrix, atol=1e-6)
