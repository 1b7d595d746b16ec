"""Each sign rises with what it stands for, on the bundled photo; quality falls with each."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.markup import load_markup
from mien.media import open_source
from mien.quality import (
    SIGNS,
    Calibration,
    Quality,
    QualityJudge,
    features,
    look_at,
    signs_of,
    visible,
)
from mien.types import Face, HeadPose, Landmarks

SURE = np.full(68, 0.95)


@pytest.fixture(scope="module")
def portrait() -> tuple[np.ndarray, np.ndarray]:
    """The bundled clip's first frame and its true points."""
    folder = Path(str(resources.files("mien"))) / "demo"
    with open_source(folder / "clip.mp4") as source:
        image = next(iter(source)).image_rgb
    points = np.load(folder / "landmarks.npz")["points_image"][0].astype(np.float64)
    return image, points[list(load_markup(len(points)).ibug68)]


def signs(
    image: np.ndarray,
    points: np.ndarray,
    confidence: np.ndarray = SURE,
    yaw_deg: float = 0.0,
) -> dict[str, float]:
    told = signs_of(look_at(image, points), confidence, yaw_deg, 0.0)
    return dict(zip(SIGNS, told.tolist(), strict=True))


def test_nothing_speaks_against_a_good_portrait(portrait: tuple[np.ndarray, np.ndarray]) -> None:
    assert max(signs(*portrait).values()) < 0.1


def test_each_sign_says_what_was_done(portrait: tuple[np.ndarray, np.ndarray]) -> None:
    image, points = portrait
    size = float(np.sqrt(np.ptp(points[:, :2], axis=0).prod()))
    dark = (image * 0.08).astype(np.uint8)
    assert signs(dark, points)["dark"] > 0.8
    blurred = cv2.GaussianBlur(image, (0, 0), 0.08 * size)
    assert signs(blurred, points)["blurred"] > 0.8
    scale = 14 / size
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    assert signs(small, points * scale)["small"] > 0.8
    middle = int(points[:, 0].mean())
    cut = signs(np.ascontiguousarray(image[:, :middle]), points)["cut"]
    assert cut == pytest.approx((points[:, 0] > middle - 0.5).mean())
    assert signs(image, points, yaw_deg=-85)["profile"] == 1.0
    covered = SURE.copy()
    covered[48:68] = 0.3
    told = signs(image, points, covered)
    assert max(told, key=lambda name: told[name]) == "covered"
    assert signs(dark, points, covered)["covered"] < told["covered"]


def test_a_face_that_changes_at_once_has_jumped(portrait: tuple[np.ndarray, np.ndarray]) -> None:
    image, points = portrait
    judge, calm = QualityJudge(), QualityJudge()
    jumped = SIGNS.index("jumped")

    def judged(one: QualityJudge, at: np.ndarray, time_secs: float) -> Quality:
        face = Face(0, 0.99, Landmarks(at, SURE), HeadPose(0, 0, 0))
        (told,) = one.judge(image, time_secs, [face], range(68))
        return told

    slid = points.copy()
    slid[:, 1] = points[:, 1].mean() + 0.5 * (points[:, 1] - points[:, 1].mean())
    for one in (judge, calm):
        assert judged(one, points, 0.0).signs[jumped] == 0
    restored = QualityJudge()
    restored.restore(json.loads(json.dumps(judge.state())))
    bad, good = judged(judge, slid, 0.04), judged(calm, points + 2, 0.04)
    assert bad.signs[jumped] > 0.5
    assert good.signs[jumped] == 0
    assert bad.quality < good.quality
    np.testing.assert_array_equal(judged(restored, slid, 0.04).signs, bad.signs)
    assert judged(calm, slid, 5.0).signs[jumped] == 0  # in five seconds a face may change


def test_nobody_jumps_from_where_a_guess_was(portrait: tuple[np.ndarray, np.ndarray]) -> None:
    """A face behind another is told where its motion leads, and comes out elsewhere."""
    image, points = portrait
    judge = QualityJudge()
    guess = Face(0, 0.0, Landmarks(points + 80, np.zeros(68)), HeadPose(0, 0, 0))
    seen = Face(0, 0.99, Landmarks(points, SURE), HeadPose(0, 0, 0))
    (unseen,) = judge.judge(image, 0.0, [guess], range(68))
    (told,) = judge.judge(image, 0.04, [seen], range(68))
    assert unseen.quality < 0.1
    assert told.signs[SIGNS.index("jumped")] == 0


def test_quality_falls_with_every_sign_and_rises_with_certainty() -> None:
    calibration = Calibration.shipped()
    none = np.zeros(len(SIGNS))
    best = float(calibration.quality(features(none, SURE, 0.99)))
    assert best > 0.9
    for at in range(len(SIGNS)):
        one = none.copy()
        one[at] = 1.0
        assert float(calibration.quality(features(one, SURE, 0.99))) <= best
    doubted = float(calibration.quality(features(none, np.full(68, 0.3), 0.6)))
    assert doubted < 0.5


@pytest.mark.parametrize("count", [68, 84])
def test_the_far_side_of_a_profile_is_not_visible(count: int) -> None:
    markup = load_markup(count)
    points = 100 * markup.mean_shape + np.array([200, 200, 0])
    far, near = markup.ibug68[0], markup.ibug68[16]
    turned = visible(points, np.full(count, 0.8), HeadPose(-80, 0, 0), 400, 400)
    # A face turned to the image's left shows its left side, whose jaw begins at point 16.
    assert turned[far] < 0.2 < 0.5 < turned[near]
    front = visible(points, np.full(count, 0.8), HeadPose(0, 0, 0), 400, 400)
    assert front[list(markup.ibug68[17:])].min() > 0.8
    cut = visible(points, np.full(count, 0.8), HeadPose(0, 0, 0), 200, 400)
    assert (cut[points[:, 0] > 199.5] == 0).all()
    np.testing.assert_array_equal(cut[points[:, 0] <= 199], front[points[:, 0] <= 199])
