"""A finder's targets against a loop over cells, and against their decoding."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mien.datasets.ours.finder_set import PictureFaces
from mien.losses.finder_targets import LevelSpec, level_target
from mien.runtime.detectors.finder_maps import decode_maps, strongest

SHARES = np.array([[-0.2, -0.1], [0.25, -0.15], [0.0, 0.1], [-0.15, 0.3], [0.2, 0.3]])


def faces_at(*places: tuple[float, float, float], sure: bool = True) -> PictureFaces:
    centre = np.array([place[:2] for place in places])
    size = np.array([place[2] for place in places])
    points = centre[:, None] + SHARES * size[:, None, None]
    return PictureFaces(centre, size, points, np.full(len(size), sure))


LEVEL = LevelSpec(8, 1.0, 4.5)


def test_heat_is_a_gaussian_about_each_face_counted_cell_by_cell() -> None:
    faces = faces_at((30.0, 21.0, 20.0), (70.0, 50.0, 12.0))
    target = level_target(faces, LEVEL, 8, 12)
    for row in range(8):
        for col in range(12):
            middle_x, middle_y = (col + 0.5) * 8 - 0.5, (row + 0.5) * 8 - 0.5
            best = 0.0
            for (x, y), size in zip(faces.centre, faces.size, strict=True):
                away = math.hypot(middle_x - x, middle_y - y) / 8
                spread = min(max(0.15 * size / 8, 0.55), 1.6)
                heat = math.exp(-(away**2) / (2 * spread**2))
                if abs(middle_x - x) <= 4 and abs(middle_y - y) <= 4:
                    heat = 1.0
                best = max(best, heat)
            assert target[0, row, col] == pytest.approx(best, abs=1e-5)
    assert (target[0] == 1).sum() == 2
    assert (target[1] == 1).all()


def test_decoding_is_the_inverse_of_the_targets() -> None:
    faces = faces_at((30.3, 21.6, 20.0), (70.9, 50.2, 12.0), (77.0, 20.0, 33.0))
    target = level_target(faces, LEVEL, 8, 12)
    maps = np.concatenate([target[:1], target[3:16]])
    finds = strongest(decode_maps([maps], (8,), 0.9), 0.4)
    order = np.lexsort((finds.centre[:, 0],))
    wanted = np.argsort(faces.centre[:, 0])
    np.testing.assert_allclose(finds.centre[order], faces.centre[wanted], atol=1e-4)
    np.testing.assert_allclose(finds.size[order], faces.size[wanted], rtol=1e-5)
    np.testing.assert_allclose(finds.points[order], faces.points[wanted], atol=1e-3)


def test_what_is_not_sure_has_no_weight_and_no_heat() -> None:
    target = level_target(faces_at((30.0, 21.0, 20.0), sure=False), LEVEL, 8, 12)
    assert target[0].max() == 0
    assert target[2].max() == 0
    assert target[1, 2, 3] == 0
    assert target[1, 7, 11] == 1


@pytest.mark.parametrize(("size", "weight"), [(40.0, 0), (90.0, 1), (6.5, 0), (4.0, 1)])
def test_a_face_just_out_of_a_map_s_range_is_not_held_against_it(
    size: float, weight: float
) -> None:
    target = level_target(faces_at((27.5, 19.5, size)), LEVEL, 8, 12)
    assert target[0].max() == 0
    assert target[1, 2, 3] == weight


def test_unknown_points_teach_nothing() -> None:
    face = faces_at((30.0, 21.0, 20.0))
    bare = PictureFaces(face.centre, face.size, np.full((1, 5, 2), np.nan), face.sure)
    target = level_target(bare, LEVEL, 8, 12)
    assert np.isfinite(target).all()
    assert target[16].max() == 0
    assert target[2].max() == 1
