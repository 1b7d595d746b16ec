"""Jitter and lag of trackers that jitter and lag by what we tell them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from mien.evaluation.steadiness import fitted_lag, measure_steadiness
from mien.types import Face, Frame, HeadPose, Landmarks

if TYPE_CHECKING:
    from conftest import World

SIZE = 40.0


class DotFollower:
    """Finds the dark dot at the middle of the head; answers so many frames late, with jitter."""

    def __init__(self, world: World, late: int = 0, jitter_px: float = 0.0) -> None:
        self.world, self.late, self.jitter_px = world, late, jitter_px
        self.reset()

    def reset(self) -> None:
        self.seen: deque[np.ndarray] = deque(maxlen=self.late + 1)
        self.rng = np.random.default_rng(0)

    def update(self, frame: Frame) -> list[Face]:
        dark = np.clip(190.0 - frame.image_rgb.mean(axis=2), 0, None) ** 2
        rows, columns = np.indices(dark.shape)
        centre = np.array([(columns * dark).sum(), (rows * dark).sum()]) / dark.sum()
        self.seen.append(centre)
        off = self.rng.normal(0, self.jitter_px, 2)
        points = np.column_stack(
            [self.world.mean_shape[:, :2] * SIZE + self.seen[0] + off, np.zeros(68)]
        )
        return [Face(1, 0.9, Landmarks(points, np.ones(68)), HeadPose(0, 0, 0))]


def photo_with_dot(world: World):
    photo = world.photo("dot", world.face_at(100, 80, SIZE))
    picture = np.full((world.height, world.width, 3), 200, np.uint8)
    cv2.circle(picture, (100, 80), 12, (20, 20, 20), -1, cv2.LINE_AA)
    cv2.imwrite(str(photo.image_path), picture)
    return photo


@pytest.mark.parametrize("late", [0, 1, 3])
def test_the_lag_is_what_the_tracker_is_late(world: World, late: int) -> None:
    measured = measure_steadiness([photo_with_dot(world)], DotFollower(world, late))
    assert (measured.photos, measured.lost) == (1, 0)
    assert measured.lag_frames == pytest.approx(late, abs=0.1)


def test_jitter_is_in_face_sizes(world: World) -> None:
    def jitter(px: float) -> float:
        measured = measure_steadiness([photo_with_dot(world)], DotFollower(world, jitter_px=px))
        assert measured.jitter is not None
        return measured.jitter

    # Mean length of a Gaussian step in the plane: sqrt(pi / 2) sigma, the shake of 0.25 px in it.
    expected = np.sqrt(np.pi / 2) * np.hypot(2.0, 0.25) / SIZE
    assert jitter(2.0) == pytest.approx(expected, rel=0.25)
    assert jitter(0.0) < 0.015


def test_a_face_that_is_lost_is_counted(world: World) -> None:
    class Blind(DotFollower):
        def update(self, frame: Frame) -> list[Face]:
            return []

    measured = measure_steadiness([photo_with_dot(world)], Blind(world))
    assert (measured.lost, measured.jitter, measured.lag_frames) == (1, None, None)


def test_a_lag_between_frames_is_found() -> None:
    frames = np.arange(80.0)
    truth = 10 * np.sin(frames / 9)
    assert fitted_lag(10 * np.sin((frames - 0.4) / 9) + 7, truth) == pytest.approx(0.4, abs=0.02)
