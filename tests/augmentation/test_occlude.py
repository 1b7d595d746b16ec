"""Things before a face: how much they hide, and of what they are made."""

from __future__ import annotations

import numpy as np

from mien.augmentation.occlude import cover_mouth, occlude

WHITE = np.full((128, 128, 3), 255, np.uint8)
PATCH = np.random.default_rng(1).integers(0, 100, (40, 60, 3), dtype=np.uint8)


def test_something_is_hidden_and_never_most() -> None:
    hidden = []
    for seed in range(200):
        crop = occlude(WHITE, PATCH, np.random.default_rng(seed))
        assert (crop.shape, crop.dtype) == (WHITE.shape, WHITE.dtype)
        hidden.append((crop != 255).any(axis=2).mean())
    assert WHITE.min() == 255
    assert max(hidden) < 0.55
    assert np.mean(np.array(hidden) > 0.01) > 0.9
    assert 0.05 < np.mean(hidden) < 0.3


def test_the_same_generator_hides_the_same() -> None:
    for seed in range(10):
        first, second = (occlude(WHITE, PATCH, np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(first, second)


def test_pieces_of_another_picture_and_plain_colours() -> None:
    plain = 0
    for seed in range(40):
        crop = occlude(np.zeros_like(WHITE), PATCH, np.random.default_rng(seed))
        colours = np.unique(crop.reshape(-1, 3) @ [65536, 256, 1])
        bright = crop.max() > 99  # the other picture is darker than that
        plain += int(bright or len(colours) < 30)
    assert 6 < plain < 34


def test_a_patch_smaller_than_the_crop_is_enough() -> None:
    tiny = np.full((8, 9, 3), 7, np.uint8)
    for seed in range(20):
        occlude(WHITE, tiny, np.random.default_rng(seed))


def test_a_hand_or_a_microphone_covers_the_mouth_and_little_else() -> None:
    crop = np.full((128, 128, 3), 200, np.uint8)
    mouth, changed = np.array([64.0, 90.0]), []
    for seed in range(30):
        covered = cover_mouth(crop, mouth, np.random.default_rng(seed))
        different = (covered != crop).any(axis=2)
        near = different[78:110, 50:78].mean()
        changed.append(near)
        assert different[:30].mean() < 0.05
        assert different.mean() < 0.5
    assert np.mean(changed) > 0.5
    assert min(changed) > 0.05
