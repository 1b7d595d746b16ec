"""One markup, two conventions: the way there, back, and half of it."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest

from mien.geometry.convention import (
    Convention,
    convention_offset,
    in_convention,
    mean_head_cm,
)
from mien.geometry.jaw import with_dense_jaw
from mien.geometry.pose import rotation_from_angles
from mien.markup import load_markup
from mien.types import HeadPose

CLICKED, W300LP, MIDDLE = Convention.CLICKED, Convention.W300LP, Convention.MIDDLE


@pytest.mark.parametrize("yaw", [0.0, 55.0, -90.0])
@pytest.mark.parametrize(("old", "new"), [(CLICKED, W300LP), (W300LP, CLICKED), (CLICKED, MIDDLE)])
def test_the_mean_head_becomes_the_other_mean_head(
    yaw: float, old: Convention, new: Convention
) -> None:
    rotation = rotation_from_angles(HeadPose(yaw, 10, -20))
    shift = np.array([90.0, 70, 0])
    found = in_convention(mean_head_cm(old) @ rotation.T * 8 + shift, old, new)
    np.testing.assert_allclose(found, mean_head_cm(new) @ rotation.T * 8 + shift, atol=1e-6)


def test_there_and_back_half_way_and_the_jaw_stays() -> None:
    rng = np.random.default_rng(1)
    face = mean_head_cm(CLICKED) * 8 + rng.normal(0, 3, (68, 3))
    there = in_convention(face, CLICKED, W300LP)
    np.testing.assert_array_equal(there[:17], face[:17])
    assert np.abs(in_convention(there, W300LP, CLICKED) - face).max() < 1.0
    moved = np.linalg.norm(there[17:] - face[17:], axis=1)
    assert 0.5 < moved.mean() < 5
    half = in_convention(face, CLICKED, MIDDLE)
    np.testing.assert_allclose(half, (face + there) / 2, atol=1e-9)


def test_from_the_middle_one_way_is_clicked_and_the_other_300w_lp() -> None:
    middle = mean_head_cm(MIDDLE) * 8 + np.array([90.0, 70, 0])
    way = convention_offset(middle, MIDDLE)
    np.testing.assert_allclose(middle + way, in_convention(middle, MIDDLE, CLICKED), atol=1e-9)
    np.testing.assert_allclose(middle - way, in_convention(middle, MIDDLE, W300LP), atol=1e-9)
    assert np.abs(way[17:]).max() > 0.1
    for convention in (CLICKED, W300LP):
        np.testing.assert_array_equal(convention_offset(middle, convention), 0)


def test_84_points_move_as_the_68_among_them() -> None:
    face = (mean_head_cm(CLICKED) * 8).astype(np.float32)
    dense = in_convention(with_dense_jaw(face), CLICKED, W300LP)
    assert dense.dtype == np.float32
    chosen = list(load_markup(84).ibug68)
    np.testing.assert_array_equal(dense[chosen], in_convention(face, CLICKED, W300LP))


def test_the_mean_heads_are_those_of_the_anchors() -> None:
    """What was learned from train photos (`mien data anchors`), made symmetric."""
    file = resources.files("mien.synthesis.fit").joinpath("ict_anchors.npz")
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        published, inner = arrays["points68_mean_cm"], arrays["manual51_mean_cm"]
    mirror = list(load_markup(68).mirror)
    for convention, head in (
        (W300LP, published),
        (CLICKED, np.concatenate([published[:17], inner])),
    ):
        symmetric = (head + head[mirror] * [-1, 1, 1]) / 2
        found = mean_head_cm(convention)
        pairs = np.array(load_markup(68).apertures)
        rest = np.setdiff1d(np.arange(68), pairs)
        np.testing.assert_allclose(found[rest], symmetric[rest], atol=1e-4)
        middles = symmetric[pairs].mean(axis=1)
        np.testing.assert_allclose(found[pairs].mean(axis=1), middles, atol=1e-4)


def test_what_is_shut_stays_shut() -> None:
    face = mean_head_cm(CLICKED).copy()
    upper, lower = np.array(load_markup(68).apertures).T
    face[upper] = face[lower]
    moved = in_convention(face, CLICKED, W300LP)
    np.testing.assert_allclose(moved[upper], moved[lower], atol=1e-3)
