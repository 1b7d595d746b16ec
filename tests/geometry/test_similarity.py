"""Similarities against explicit matrices, and the least-squares one against known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.geometry import Similarity, umeyama

numbers = st.floats(-500, 500)
similarities = st.builds(
    Similarity, st.floats(0.05, 20), st.floats(-7, 7), st.tuples(numbers, numbers)
)
POINTS = np.array([[0.0, 0.0], [3.0, -1.0], [250.5, 17.25], [-40.0, 90.0]])


def homogeneous(similarity: Similarity) -> np.ndarray:
    """The 3x3 matrix, written out anew."""
    s, a = similarity.scale, similarity.angle_rad
    x, y = similarity.translation
    return np.array(
        [[s * math.cos(a), -s * math.sin(a), x], [s * math.sin(a), s * math.cos(a), y], [0, 0, 1]]
    )


def by_matrix(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.asarray(np.column_stack([points, np.ones(len(points))]) @ matrix.T)[:, :2]


def test_a_quarter_turn_is_clockwise_in_the_picture() -> None:
    turn = Similarity(2.0, math.pi / 2, (10.0, 20.0))
    np.testing.assert_allclose(turn.apply(np.array([1.0, 0.0])), [10, 22], atol=1e-12)
    np.testing.assert_allclose(turn.apply(np.array([0.0, 1.0])), [8, 20], atol=1e-12)


@settings(max_examples=50)
@given(similarities, similarities)
def test_products_and_inverses_are_those_of_the_matrices(a: Similarity, b: Similarity) -> None:
    first, second = homogeneous(a), homogeneous(b)
    for ours, theirs in [
        (a.matrix, first[:2]),
        (a.apply(POINTS), by_matrix(first, POINTS)),
        ((a @ b).matrix, (first @ second)[:2]),
        (a.inverse().matrix, np.linalg.inv(first)[:2]),
        (a.inverse().apply(a.apply(POINTS)), POINTS),
    ]:
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-6)


def test_depth_takes_the_scale_alone() -> None:
    move = Similarity(3.0, 1.2, (50.0, -9.0))
    points = np.column_stack([POINTS, [0.0, 1.0, -2.0, 5.0]])
    moved = move.apply(points)
    np.testing.assert_allclose(moved[:, 2], [0, 3, -6, 15])
    np.testing.assert_allclose(moved[:, :2], move.apply(POINTS))
    batch = np.stack([points, 2 * points])
    np.testing.assert_allclose(move.apply(batch)[1], move.apply(2 * points))


def test_about_keeps_its_centre_but_for_the_shift() -> None:
    turn = Similarity.about((12.0, -7.0), scale=1.7, angle_rad=0.8, shift=(4.0, 5.0))
    np.testing.assert_allclose(turn.apply(np.array([12.0, -7.0])), [16, -2])
    assert (turn.scale, turn.angle_rad) == (1.7, 0.8)


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf])
def test_a_similarity_without_a_size_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="positive scale and finite"):
        Similarity(scale, 0.0, (0.0, 0.0))


def random_rotation(rng: np.random.Generator, dims: int) -> np.ndarray:
    rotation, _ = np.linalg.qr(rng.normal(size=(dims, dims)))
    rotation[:, 0] *= np.linalg.det(rotation)
    return rotation


@pytest.mark.parametrize("dims", [2, 3, 5])
def test_umeyama_finds_a_known_transform(dims: int) -> None:
    rng = np.random.default_rng(dims)
    for _ in range(20):
        source = rng.normal(size=(9, dims))
        scale, rotation = float(rng.uniform(0.1, 30)), random_rotation(rng, dims)
        translation = rng.normal(size=dims) * 100
        target = scale * source @ rotation.T + translation
        found = umeyama(source, target)
        assert found[0] == pytest.approx(scale)
        np.testing.assert_allclose(found[1], rotation, atol=1e-9)
        np.testing.assert_allclose(found[2], translation, atol=1e-8)


@pytest.mark.parametrize("dims", [2, 3])
def test_a_mirrored_target_still_gets_a_rotation(dims: int) -> None:
    rng = np.random.default_rng(1)
    source = rng.normal(size=(12, dims))
    target = source * np.array([-1.0, *[1.0] * (dims - 1)])
    scale, rotation, _ = umeyama(source, target)
    assert scale > 0
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(dims), atol=1e-12)


def test_noise_is_met_with_least_squares() -> None:
    """No neighbouring similarity fits better, and complex regression in the plane agrees."""
    rng = np.random.default_rng(2)
    source = rng.normal(size=(30, 2))
    target = Similarity(4.0, 0.3, (5.0, 6.0)).apply(source) + rng.normal(0, 0.5, (30, 2))
    scale, rotation, _ = umeyama(source, target)
    z, w = source @ [1, 1j], target @ [1, 1j]
    z, w = z - z.mean(), w - w.mean()
    factor = (np.conj(z) @ w) / (np.conj(z) @ z)  # w = factor z: the similarities of the plane
    assert scale == pytest.approx(abs(factor))
    assert math.atan2(rotation[1, 0], rotation[0, 0]) == pytest.approx(np.angle(factor))


@pytest.mark.parametrize("place", [0.0, 100.1, 1e6 / 3])
def test_coinciding_points_are_refused(place: float) -> None:
    points = np.full((68, 2), place)
    with pytest.raises(ValueError, match="coincide"):
        umeyama(points, np.random.default_rng(0).normal(size=(68, 2)))
