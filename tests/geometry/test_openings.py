"""Openings of eyes and mouth on faces whose lids a person can place by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mien.geometry.openings import eye_openings, mouth_opening
from mien.geometry.pose import rotation_from_angles
from mien.markup import load_markup
from mien.types import HeadPose


def face_with(lids: float, lips: float) -> np.ndarray:
    """The mean head with both pairs of lids so far apart, in eye widths, and the lips too."""
    points = load_markup(68).mean_shape.copy()
    for outer, inner, pairs in ((36, 39, ((37, 41), (38, 40))), (42, 45, ((43, 47), (44, 46)))):
        width = np.linalg.norm(points[outer] - points[inner])
        for upper, lower in pairs:
            points[lower] = points[upper] + np.array([0, lids * width, 0])
    across = np.linalg.norm(points[36] - points[45])
    for upper, lower in ((61, 67), (62, 66), (63, 65)):
        points[lower] = points[upper] + np.array([0, lips * across, 0])
    return points


@pytest.mark.parametrize("pose", [HeadPose(0, 0, 0), HeadPose(40, -20, 15)])
def test_openings_are_shares_of_the_face_however_it_is_turned(pose: HeadPose) -> None:
    seen = 87.0 * face_with(0.3, 0.2) @ rotation_from_angles(pose).T + 100
    np.testing.assert_allclose(eye_openings(seen), [0.3, 0.3], rtol=1e-6)
    assert float(mouth_opening(seen)) == pytest.approx(0.2)
    stacked = np.stack([seen, 87.0 * face_with(0.1, 0.5)])
    np.testing.assert_allclose(eye_openings(stacked)[:, 0], [0.3, 0.1], rtol=1e-6)
    np.testing.assert_allclose(mouth_opening(stacked), [0.2, 0.5], rtol=1e-6)


def test_one_eye_can_wink() -> None:
    points = face_with(0.3, 0.0)
    points[[41, 40]] = points[[37, 38]]
    np.testing.assert_allclose(eye_openings(points), [0, 0.3], atol=1e-6)
