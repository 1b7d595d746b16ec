"""Cuts of drawn films: found where they are, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from mien.tracking.scenes import SceneWatch

WIDTH, HEIGHT = 320, 180


def scene(seed: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A picture of blurred coloured blots, another for each seed."""
    rng = np.random.default_rng(seed)
    blots = rng.normal(128, 60, (height // 20, width // 20, 3)) + rng.normal(0, 40, 3)
    big = cv2.resize(blots, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(big, 0, 255).astype(np.uint8)


def cuts(film: Sequence[np.ndarray]) -> list[int]:
    watch = SceneWatch()
    return [index for index, picture in enumerate(film) if watch.is_cut(picture)]


@pytest.mark.parametrize("seed", range(10))
def test_a_cut_and_the_cut_back_are_found(seed: int) -> None:
    here, there = scene(2 * seed), scene(2 * seed + 1)
    assert cuts([here] * 8 + [there] * 8 + [here] * 8) == [8, 16]


def test_a_shot_of_one_frame_is_two_cuts() -> None:
    assert cuts([scene(0)] * 8 + [scene(1)] + [scene(0)] * 8) == [8, 9]


def test_a_camera_that_pans_is_no_cut() -> None:
    wide = scene(3, width=3 * WIDTH)
    film = [
        np.ascontiguousarray(wide[:, start : start + WIDTH])
        for start in [0] * 5 + list(range(0, 2 * WIDTH, 20))
    ]
    assert cuts(film) == []


def test_noise_fades_and_dimming_are_no_cuts() -> None:
    rng = np.random.default_rng(0)
    still = [scene(4)] * 5
    noisy = [np.clip(scene(4) + rng.normal(0, 25, (HEIGHT, WIDTH, 3)), 0, 255) for _ in range(5)]
    dim = [scene(4) * share for share in np.linspace(1, 0, 12)]
    risen = [scene(4) * share for share in np.linspace(0, 1, 12)]
    film = [*still, *noisy, *still, *dim, *risen, *[scene(4) * 0.6] * 4, *still]
    assert cuts([np.asarray(picture, np.uint8) for picture in film]) == []


def test_what_comes_out_of_a_long_black_is_another_shot() -> None:
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    assert cuts([scene(6)] * 8 + [black] * 10 + [scene(7)] * 8) == [18]


def test_a_flash_that_blinds_the_camera_is_no_cut() -> None:
    white = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    assert cuts([scene(5)] * 8 + [white] * 2 + [scene(5)] * 8) == []


def test_black_pictures_of_any_size_say_nothing() -> None:
    assert cuts([np.zeros((1, 1, 3), np.uint8)] * 3 + [np.zeros((2000, 16, 3), np.uint8)] * 3) == []
