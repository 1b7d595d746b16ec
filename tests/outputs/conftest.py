"""Faces of known points, and a disk that fills up."""

from __future__ import annotations

import contextlib
import resource
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from mien.geometry.pose import rotation_from_angles
from mien.markup import load_markup
from mien.types import Face, Frame, HeadPose, Landmarks


@pytest.fixture
def make_face() -> Callable[..., Face]:
    """The mean head, ``size`` px large, at ``centre``."""

    def make(
        points: int = 68,
        centre: tuple[float, float] = (160.0, 90.0),
        size: float = 80.0,
        track_id: int = 0,
        score: float = 0.9,
        pose: HeadPose = HeadPose(0.0, 0.0, 0.0),  # noqa: B008
        confidence: float = 1.0,
    ) -> Face:
        turned = load_markup(points).mean_shape @ rotation_from_angles(pose).T
        image = size * turned + np.array([*centre, 0.0])
        return Face(track_id, score, Landmarks(image, np.full(points, confidence)), pose)

    return make


@pytest.fixture
def make_frame() -> Callable[..., Frame]:
    def make(index: int = 0, time_secs: float | None = None, size: tuple[int, int] = (320, 180)):
        image = np.full((size[1], size[0], 3), 90, dtype=np.uint8)
        image[:, : size[0] // 2] = (index * 7 % 256, 60, 120)
        return Frame(image, index, index / 25 if time_secs is None else time_secs)

    return make


@pytest.fixture
def disk_of() -> Callable[[int], contextlib.AbstractContextManager[None]]:
    """``with disk_of(5000):`` no file grows beyond that many bytes, as on a full disk."""

    @contextlib.contextmanager
    def limit(largest: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        writes_none, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # cut short, too
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            sys.dont_write_bytecode = writes_none

    return limit
