"""Every number against one worked out by hand."""

import math

import numpy as np
import pytest

from mien.evaluation.metrics import (
    auc,
    ced,
    face_size,
    failure_rate,
    nme,
    nme_3d,
    nme_inner51,
    yaw_bin,
)


def truth_in_box(width: float, height: float) -> np.ndarray:
    """68 points in a box, its corners touched by jaw points only."""
    points = np.full((68, 2), [10 + width / 2, 20 + height / 2])
    points[0], points[16] = [10, 20], [10 + width, 20 + height]
    return points


def test_face_size_is_the_root_of_width_times_height() -> None:
    assert face_size(truth_in_box(40, 90)) == pytest.approx(60)


def test_eq_5_on_one_displaced_point() -> None:
    truth = truth_in_box(40, 90)
    predicted = truth.copy()
    predicted[30] += [3, 4]  # 5 px of a face of 60 px, on one point of 68
    assert nme(predicted, truth) == pytest.approx(5 / 60 / 68)
    assert nme_inner51(predicted, truth) == pytest.approx(5 / 60 / 51)


def test_eq_5_counts_distances_not_their_squares_nor_their_sum_of_axes() -> None:
    truth = truth_in_box(100, 100)
    assert nme(truth + np.array([6, 8]), truth) == pytest.approx(0.10)


def test_the_jaw_counts_in_all_68_but_not_in_the_inner_51() -> None:
    truth = truth_in_box(40, 90)
    predicted = truth.copy()
    predicted[:17] += [0, 6]
    assert nme(predicted, truth) == pytest.approx(6 / 60 * 17 / 68)
    assert nme_inner51(predicted, truth) == 0


def test_inner_51_is_a_share_of_the_whole_face() -> None:
    truth = truth_in_box(40, 90)  # all inner points in one place: their own box has no area
    assert nme_inner51(truth + np.array([6, 0]), truth) == pytest.approx(0.1)


def test_a_truth_without_jaw_has_an_nme_over_its_own_points_and_no_inner_51() -> None:
    truth = np.full((68, 2), np.nan)
    truth[17:] = 5
    truth[17], truth[67] = [0, 0], [10, 40]
    predicted = np.zeros((68, 3))
    predicted[17:, :2] = truth[17:] + np.array([2, 0])
    assert nme(predicted, truth) == pytest.approx(2 / 20)
    assert nme_inner51(predicted, truth) is None


def test_3d_error_ignores_a_common_depth_and_sees_a_depth_of_one_point() -> None:
    truth = np.column_stack([truth_in_box(40, 90), np.linspace(-30, 30, 68)])
    assert nme_3d(truth + np.array([0, 0, 1000]), truth) == pytest.approx(0, abs=1e-12)
    predicted = truth.copy()
    predicted[5, 2] += 68  # the mean moves by 1: one point is off by 67, 67 points by 1
    assert nme_3d(predicted, truth) == pytest.approx((67 + 67 * 1) / 68 / 60)
    assert nme_3d(predicted, truth[:, :2]) is None
    assert nme(predicted, truth) == 0


def test_3d_error_joins_the_three_axes() -> None:
    truth = np.column_stack([truth_in_box(100, 100), np.zeros(68)])
    depth = np.where(np.arange(68) % 2, 6.0, -6.0)  # mean 0
    predicted = truth + np.column_stack([np.full(68, 2.0), np.full(68, 3.0), depth])
    assert nme_3d(predicted, truth) == pytest.approx(0.07)  # 2, 3, 6 -> 7


@pytest.mark.parametrize("flat", [truth_in_box(0, 90), truth_in_box(40, 0), np.ones((68, 2))])
def test_a_face_without_area_is_refused(flat: np.ndarray) -> None:
    with pytest.raises(ValueError, match="span no area"):
        nme(flat, flat)


@pytest.mark.parametrize(
    ("yaw_deg", "expected"),
    [(0, 0), (30, 0), (-30, 0), (30.001, 1), (-60, 1), (60.001, 2), (-89, 2), (99, 2)],
)
def test_yaw_bins_hold_their_upper_edge(yaw_deg: float, expected: int) -> None:
    assert yaw_bin(yaw_deg) == expected


ERRORS = [0.01, 0.02, 0.02, 0.10, math.inf]
"""Four faces found, one of them badly, and one missed."""


def test_ced_by_counting() -> None:
    thresholds = np.array([0.0, 0.01, 0.015, 0.02, 0.07, 1.0])
    np.testing.assert_allclose(ced(ERRORS, thresholds), [0, 0.2, 0.2, 0.6, 0.6, 0.8])


def test_auc_by_hand_and_against_the_integral_of_the_curve() -> None:
    by_hand = (6 / 7 + 5 / 7 + 5 / 7 + 0 + 0) / 5
    assert auc(ERRORS) == pytest.approx(by_hand)
    middles = (np.arange(70_000) + 0.5) / 1_000_000
    assert auc(ERRORS) == pytest.approx(ced(ERRORS, middles).mean(), abs=1e-5)


def test_missed_faces_fail() -> None:
    assert failure_rate(ERRORS) == pytest.approx(2 / 5)
    assert failure_rate([0.07, 0.0701]) == pytest.approx(1 / 2)
    assert auc([math.inf]) == 0
    assert auc([0.0]) == 1
