"""Training crops: labels stay on their pixels, and everything follows from the generator."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from mien.augmentation.crops import AugmentConfig, TrainingCrop, counter_example, make_crop
from mien.datasets.labelled_face import LabelledFace
from mien.geometry import FACE_SHARE, rotation_from_angles
from mien.markup import load_markup
from mien.types import HeadPose

MARKUP = load_markup(68)
SIDE = 96
PLAIN = AugmentConfig(
    mirror=0.0, spoil=0.0, occlude=0.0, backdrop=0.0, counter_examples=0.0, wild=0.3
)
PATCH = np.full((64, 64, 3), (0, 255, 0), np.uint8)


def points_of(size: float, pose: HeadPose) -> np.ndarray:
    points = size * MARKUP.mean_shape @ rotation_from_angles(pose).T
    return np.asarray(points + np.array([200.3, 190.8, 0.0]), dtype=np.float32)


POINTS = points_of(110.0, HeadPose(25, 10, -20))


def face_with_dot(index: int, points: np.ndarray = POINTS) -> LabelledFace:
    """A black picture with a soft white dot on one landmark, which alone is not trusted."""
    y, x = np.mgrid[:400, :400]
    squared = (x - points[index, 0]) ** 2 + (y - points[index, 1]) ** 2
    dot = (255 * np.exp(-squared / (2 * 4.0**2))).round().astype(np.uint8)
    trusted = np.ones(68, bool)
    trusted[index] = False
    return LabelledFace(np.repeat(dot[..., None], 3, axis=2), points, trusted)


def centroid(image: np.ndarray) -> np.ndarray:
    weight = image.astype(np.float64).sum(axis=2)
    y, x = np.mgrid[: len(image), : len(image)]
    return np.array([(weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()])


def in_pixels(crop: TrainingCrop) -> np.ndarray:
    pixels: np.ndarray = (crop.points[:, :2] + 0.5) * len(crop.crop_rgb) - 0.5
    return pixels


def crop_of(face: LabelledFace, config: AugmentConfig, seed: int, side: int = SIDE) -> TrainingCrop:
    return make_crop(face, PATCH, config, MARKUP, side, np.random.default_rng(seed))


@pytest.mark.parametrize("side", [64, 160])
@pytest.mark.parametrize("index", [30, 36, 51])
def test_a_dot_lies_on_its_label(index: int, side: int) -> None:
    for seed in range(6):
        crop = crop_of(face_with_dot(index), PLAIN, seed, side)
        assert np.abs(centroid(crop.crop_rgb) - in_pixels(crop)[index]).max() < 0.1
        assert crop.weights.tolist() == [float(i != index) for i in range(68)]
        assert crop.is_face


@pytest.mark.parametrize("index", [30, 36, 48])
def test_a_mirrored_dot_lies_on_its_partners_label(index: int) -> None:
    """The person's right eye (36) becomes a left eye (45), with its weight."""
    mirrored = dataclasses.replace(PLAIN, mirror=1.0)
    partner = MARKUP.mirror[index]
    for seed in range(4):
        crop = crop_of(face_with_dot(index), mirrored, seed)
        assert np.abs(centroid(crop.crop_rgb) - in_pixels(crop)[partner]).max() < 0.1
        assert crop.weights.tolist() == [float(i != partner) for i in range(68)]
        plain = crop_of(face_with_dot(index), PLAIN, seed)
        np.testing.assert_array_equal(crop.crop_rgb, plain.crop_rgb[:, ::-1])
        np.testing.assert_allclose(
            crop.points, plain.points[list(MARKUP.mirror)] * [-1, 1, 1], atol=1e-6
        )


def test_an_unstrayed_crop_shows_the_head_at_its_share() -> None:
    still = dataclasses.replace(PLAIN, rotation_deg=0.0, scale=0.0, shift=0.0, wild=0.0)
    crop = crop_of(face_with_dot(30, points_of(80.0, HeadPose(0, 0, 33))), still, 0)
    size = np.sqrt(np.prod(np.ptp(crop.points[:, :2], axis=0)))
    assert size == pytest.approx(FACE_SHARE, rel=1e-3)
    depth = np.ptp(MARKUP.mean_shape[:, 2]) * FACE_SHARE
    assert np.ptp(crop.points[:, 2]) == pytest.approx(depth, rel=1e-3)


def test_crops_stray_as_far_as_the_configuration_says() -> None:
    config = dataclasses.replace(PLAIN, wild=0.0, rotation_deg=8.0, scale=0.1, shift=0.05)
    face = face_with_dot(30, points_of(100.0, HeadPose(0, 0, 0)))
    crops = [crop_of(face, config, seed, 32) for seed in range(200)]
    middles = np.array([c.points[:, :2].mean(axis=0) for c in crops])
    widths = np.array([c.points[16, :2] - c.points[0, :2] for c in crops])
    angles = np.degrees(np.arctan2(widths[:, 1], widths[:, 0]))
    assert np.std(angles) == pytest.approx(8.0, rel=0.2)
    assert np.std(np.log(np.linalg.norm(widths, axis=1))) == pytest.approx(0.1, rel=0.2)
    assert np.std(middles, axis=0) == pytest.approx([0.05 * FACE_SHARE] * 2, rel=0.2)


def test_everything_follows_from_the_generator() -> None:
    config = AugmentConfig(spoil=1.0, occlude=1.0, backdrop=1.0)
    face = face_with_dot(36)
    for seed in range(5):
        first, second = crop_of(face, config, seed), crop_of(face, config, seed)
        for one, other in zip(vars(first).values(), vars(second).values(), strict=True):
            np.testing.assert_array_equal(one, other)
    assert not np.array_equal(crop_of(face, config, 0).points, crop_of(face, config, 1).points)


def test_the_face_is_left_as_it_was() -> None:
    face = face_with_dot(36)
    image, points = face.image_rgb.copy(), face.points.copy()
    for seed in range(8):
        crop_of(face, AugmentConfig(spoil=1.0, occlude=1.0, backdrop=1.0, mirror=0.5), seed)
    np.testing.assert_array_equal(face.image_rgb, image)
    np.testing.assert_array_equal(face.points, points)
    assert (PATCH == (0, 255, 0)).all()


def test_counter_examples_are_marked_and_drawn_at_their_share() -> None:
    config = dataclasses.replace(PLAIN, counter_examples=0.25)
    face = face_with_dot(30)
    faces = [crop_of(face, config, seed, 16).is_face for seed in range(200)]
    assert 0.65 < np.mean(faces) < 0.85
    always = dataclasses.replace(PLAIN, counter_examples=1.0)
    assert not crop_of(face_with_dot(30), always, 0).is_face


def test_no_honest_stray_is_as_far_off_as_a_counter_example() -> None:
    """By the distance of points, in face sizes, from where an aligned crop has them."""
    still = dataclasses.replace(PLAIN, rotation_deg=0.0, scale=0.0, shift=0.0, wild=0.0)
    face = face_with_dot(30)
    aligned = crop_of(face, still, 0).points[:, :2]

    def off(config: AugmentConfig, seed: int) -> float:
        points = crop_of(face, config, seed, 16).points[:, :2]
        return float(np.linalg.norm(points - aligned, axis=1).mean() / FACE_SHARE)

    honest = [off(dataclasses.replace(AugmentConfig(), counter_examples=0, wild=0, mirror=0), seed)
              for seed in range(100)]  # fmt: skip
    wrong = [off(dataclasses.replace(PLAIN, counter_examples=1.0), seed) for seed in range(100)]
    assert max(honest) < np.quantile(wrong, 0.02)


def test_counter_examples_are_of_three_kinds() -> None:
    rng = np.random.default_rng(0)
    strays = [counter_example(100, rng) for _ in range(300)]
    middle = np.full(2, 49.5)
    beside = np.array([np.linalg.norm(s.apply(middle) - middle) > 0.5 * FACE_SHARE * 100 for s in strays])  # fmt: skip  # noqa: E501
    turned = np.array([abs(np.degrees(s.angle_rad)) >= 90 for s in strays])
    sized = np.array([abs(np.log(s.scale)) >= 0.7 for s in strays])
    assert (beside | turned | sized).all()
    for kind in (beside, turned, sized):
        assert kind.mean() > 0.2


def test_the_backdrop_fills_only_what_the_picture_does_not_reach() -> None:
    """A white picture with its face in the corner: no black is left, and white stays white."""
    points = points_of(90.0, HeadPose(0, 0, 0)) - np.array([175, 165, 0], np.float32)
    face = LabelledFace(np.full((300, 300, 3), 255, np.uint8), points, np.ones(68, bool))
    bare = crop_of(face, PLAIN, 3).crop_rgb
    filled = crop_of(face, dataclasses.replace(PLAIN, backdrop=1.0), 3).crop_rgb
    outside = (bare == 0).all(axis=2)
    inside = (bare == 255).all(axis=2)
    assert outside.mean() > 0.1
    assert (filled[outside] == (0, 255, 0)).all()
    assert (filled[inside] == 255).all()
    assert cv2.countNonZero((~(outside | inside)).astype(np.uint8)) < 3 * SIDE


def test_a_boxed_crop_is_that_of_the_points_box() -> None:
    """Upright, the geometric mean of the box's sides ``FACE_SHARE``, its centre in the middle."""
    profile = points_of(110.0, HeadPose(70, 0, 30))
    still = {"rotation_deg": 0.0, "scale": 0.0, "shift": 0.0, "wild": 0.0}
    config = dataclasses.replace(PLAIN, boxed=1.0, **still)
    crop = crop_of(face_with_dot(30, profile), config, seed=1)
    low, high = crop.points[:, :2].min(axis=0), crop.points[:, :2].max(axis=0)
    assert np.allclose((low + high) / 2, 0, atol=1e-3)
    assert np.isclose(np.sqrt(np.prod(high - low)), FACE_SHARE, atol=1e-3)
    aligned = crop_of(face_with_dot(30, profile), dataclasses.replace(config, boxed=0.0), seed=1)
    assert abs(aligned.points[:, 0].min() + aligned.points[:, 0].max()) / 2 > 0.05
