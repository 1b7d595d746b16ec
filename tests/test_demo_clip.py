"""The bundled clip and its truth fit together, and the truth moves as a head does."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import av
import numpy as np
import pytest

from mien.geometry import umeyama

SIDE, FRAMES = 480, 150
RIGID = [*range(17), *range(27, 36)]
"""Jaw and nose: no blink moves them."""


@pytest.fixture(scope="module")
def folder() -> Path:
    return Path(str(resources.files("mien").joinpath("demo")))


@pytest.fixture(scope="module")
def truth(folder: Path) -> np.ndarray:
    with np.load(folder / "landmarks.npz") as data:
        return np.asarray(data["points_image"])


def test_the_clip_decodes_to_as_many_frames_as_it_has_labels(
    folder: Path, truth: np.ndarray
) -> None:
    with av.open(str(folder / "clip.mp4")) as container:
        frames = [(frame.width, frame.height, frame.time) for frame in container.decode(video=0)]
    assert truth.shape == (FRAMES, 68, 3)
    assert truth.dtype == np.float32
    assert len(frames) == FRAMES
    assert {size[:2] for size in frames} == {(SIDE, SIDE)}
    np.testing.assert_allclose([time for *_, time in frames], np.arange(FRAMES) / 25, atol=1e-6)


def test_clip_and_labels_are_small(folder: Path) -> None:
    assert sum(file.stat().st_size for file in folder.iterdir()) < 1_000_000
    assert "public domain" in (folder / "SOURCE.md").read_text()


def test_the_labels_lie_in_the_picture_with_their_mean_depth_at_zero(truth: np.ndarray) -> None:
    assert np.isfinite(truth).all()
    assert truth[..., :2].min() > 0
    assert truth[..., :2].max() < SIDE - 1
    np.testing.assert_allclose(truth[..., 2].mean(axis=1), 0, atol=1e-3)


def test_the_skull_is_rigid_and_turns_to_both_sides(truth: np.ndarray) -> None:
    """A similarity in space takes the first frame's jaw and nose to every other frame's."""
    first = truth[0, RIGID].astype(np.float64)
    yaws = []
    for points in truth[:, RIGID].astype(np.float64):
        scale, rotation, translation = umeyama(first, points)
        error = np.abs(scale * first @ rotation.T + translation - points).max()
        assert error < 0.01
        forward = rotation @ [0, 0, -1]
        yaws.append(np.degrees(np.arctan2(forward[0], -forward[2])))
    assert max(yaws) > 45
    assert min(yaws) < -45
    assert np.abs(np.diff(yaws)).max() < 5  # a head, not a jump


def test_the_eyes_shut_twice(truth: np.ndarray) -> None:
    gap = np.linalg.norm(truth[:, 37] - truth[:, 41], axis=1)
    width = np.linalg.norm(truth[:, 36] - truth[:, 39], axis=1)
    shut = (gap / width < 0.08).astype(int)
    assert (np.diff(shut) == 1).sum() == 2


def test_the_photos_points_are_68_in_space() -> None:
    file = Path(__file__).parents[1] / "benchmarks" / "astronaut_points.json"
    points = np.array(json.loads(file.read_text())["points_image"])
    assert points.shape == (68, 3)
    assert 0 <= points[:, :2].min() <= points[:, :2].max() < 512
