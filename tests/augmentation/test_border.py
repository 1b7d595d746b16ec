"""A cut face: the picture ends where it is said to, and the points do not move on the head."""

from __future__ import annotations

import numpy as np

from mien.augmentation.border import cut_by_border
from mien.augmentation.crops import AugmentConfig, make_crop
from mien.datasets.labelled_face import LabelledFace
from mien.markup import load_markup
from mien.types import Box

MARKUP = load_markup(68)
POINTS = (MARKUP.mean_shape * 100 + [150, 160, 0]).astype(np.float32)


def gradient() -> np.ndarray:
    """Every pixel says where it is: red its column, green its row."""
    y, x = np.mgrid[:320, :300]
    return np.stack([x % 256, y % 256, np.zeros_like(x)], axis=2).astype(np.uint8)


def test_the_picture_ends_inside_the_face_at_one_side_and_points_stay_on_their_pixels() -> None:
    whole = Box.around(POINTS)
    sides = set()
    for seed in range(40):
        face = LabelledFace(gradient(), POINTS, np.ones(68, bool))
        cut = cut_by_border(face, np.random.default_rng(seed))
        height, width = cut.image_rgb.shape[:2]
        box = Box.around(cut.points)
        beyond = {
            "left": -box.left / box.width,
            "top": -box.top / box.height,
            "right": (box.right - width) / box.width,
            "bottom": (box.bottom - height) / box.height,
        }
        outside = {side: share for side, share in beyond.items() if share > 0.04}
        assert len(outside) == 1
        ((side, share),) = outside.items()
        assert 0.04 < share < 0.52
        sides.add(side)
        assert np.isclose([box.width, box.height], [whole.width, whole.height]).all()
        inside = [
            index
            for index, (x, y) in enumerate(cut.points[:, :2])
            if 0 <= x < width - 1 and 0 <= y < height - 1
        ]
        assert inside
        for index in inside:
            x, y = np.round(cut.points[index, :2]).astype(int)
            red, green = cut.image_rgb[y, x, :2].astype(float)
            assert abs(red - POINTS[index, 0]) <= 1
            assert abs(green - POINTS[index, 1]) <= 1
    assert sides == {"left", "top", "right", "bottom"}


def test_a_face_beyond_its_picture_is_left_as_it_is() -> None:
    far = LabelledFace(gradient(), POINTS + np.float32([900, 900, 0]), np.ones(68, bool))
    assert cut_by_border(far, np.random.default_rng(1)).image_rgb.shape == (320, 300, 3)


def test_the_crop_of_a_cut_face_is_black_beyond_the_border() -> None:
    white = LabelledFace(np.full((320, 300, 3), 255, np.uint8), POINTS, np.ones(68, bool))
    config = AugmentConfig(
        *(0.0, 0.0, 0.0), wild=0, mirror=0, spoil=0, occlude=0, backdrop=0, counter_examples=0
    )
    rng = np.random.default_rng(2)
    whole = make_crop(white, gradient(), config, MARKUP, 64, rng)
    cut_config = AugmentConfig(**{**vars(config), "border_cut": 1.0})
    cut = make_crop(white, gradient(), cut_config, MARKUP, 64, rng)
    assert (whole.crop_rgb == 255).mean() > 0.95
    assert 0.2 < (cut.crop_rgb == 0).mean() < 0.8
    np.testing.assert_allclose(cut.points, whole.points, atol=1e-5)
