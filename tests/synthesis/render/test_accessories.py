"""Glasses and masks are things in space: the head hides them from behind, they hide it in front."""

from __future__ import annotations

import numpy as np
import pytest

from mien.geometry.pose import rotation_from_angles
from mien.synthesis.fit.anchors import Anchors
from mien.synthesis.fit.residual_warp import FittedPhoto
from mien.synthesis.head.morphable import MorphableHead
from mien.synthesis.head.raster import rasterise
from mien.synthesis.render.accessories import build_worn
from mien.synthesis.render.compositing import dress, light_on
from mien.synthesis.render.face_mask import FaceMask, draw_mask
from mien.synthesis.render.glasses import Glasses, draw_glasses
from mien.synthesis.render.turning import HeadTurner, Turn
from mien.types import HeadPose

SIDE, SCALE = 240, 6.0
DARK = Glasses(2.6, 2.0, 3.0, 0.2, (20, 20, 20), (10, 10, 10), 0.95, 0.0, 0.03)
CLEAR = Glasses(2.6, 2.0, 3.0, 0.2, (20, 20, 20), (200, 200, 200), 0.05, 0.0, 0.03)
CLOTH = FaceMask((230, 230, 230), -1.5, True)
EYE, MOUTH, BROW = (-3.2, -3.5), (0.0, 4.0), (0.0, -9.0)


def cover_at(
    head: MorphableHead, thing: Glasses | FaceMask, yaw: float, *places: tuple[float, float]
) -> list[float]:
    """How far the thing hides places of the picture, given in cm from the head's origin."""
    rotation = rotation_from_angles(HeadPose(yaw, 0, 0))

    def placed(vertices: np.ndarray) -> np.ndarray:
        return (vertices @ rotation.T * SCALE + [SIDE / 2, SIDE / 2, 0]).astype(np.float32)

    worn = build_worn(thing, head, head.mean)
    raster = rasterise(placed(head.mean), head.triangles, SIDE, SIDE)
    grey, light = np.full((SIDE, SIDE, 3), 120, np.uint8), np.array([1, 0, 0, 0], np.float32)
    dressed = dress(grey, raster, worn, placed(worn.vertices_cm), light, SCALE)
    spots = [(round(x * SCALE + SIDE / 2), round(y * SCALE + SIDE / 2)) for x, y in places]
    return [float(dressed.cover[y, x]) for x, y in spots]


def test_dark_lenses_hide_eyes_and_clear_ones_do_not(head: MorphableHead) -> None:
    assert cover_at(head, DARK, 0, EYE, MOUTH, BROW) == [pytest.approx(0.95, abs=0.13), 0, 0]
    assert cover_at(head, CLEAR, 0, EYE, MOUTH) == [pytest.approx(0.05, abs=0.03), 0]


def test_a_mask_hides_the_mouth_only(head: MorphableHead) -> None:
    assert cover_at(head, CLOTH, 0, MOUTH, EYE, BROW) == [1, 0, 0]


@pytest.mark.parametrize("thing", [DARK, CLOTH])
def test_from_behind_the_head_hides_what_it_wears(
    head: MorphableHead, thing: Glasses | FaceMask
) -> None:
    assert cover_at(head, thing, 180, EYE, (3.2, -3.5), MOUTH) == [0, 0, 0]


def test_points_below_a_mask_are_covered(head: MorphableHead, anchors: Anchors) -> None:
    rotation = rotation_from_angles(HeadPose(20, 0, 0))
    points = head.mean[head.landmarks68]
    photo = FittedPhoto(
        np.full((SIDE, SIDE, 3), 120, np.uint8),
        rotation,
        SCALE,
        np.full(2, SIDE / 2, np.float32),
        head.mean,
        points,
        np.zeros(len(head.expression), np.float32),
    )
    turner = HeadTurner(head, anchors)
    masked = turner.turn(photo, Turn(rotation, worn=CLOTH))
    bare = turner.turn(photo, Turn(rotation))
    under = (points[:, 1] > 1.5) & (points[:, 1] < 6) & (np.abs(points[:, 0]) < 3)
    above = points[:, 1] < -3
    assert under.sum() > 3
    assert above.sum() > 3
    assert masked.covered[under].all()
    assert not masked.covered[above].any()
    assert not bare.covered.any()
    assert not bare.covered84.any()
    # What is worn changes neither the label nor what the head itself hides.
    np.testing.assert_array_equal(masked.points_image, bare.points_image)
    np.testing.assert_array_equal(masked.hidden, bare.hidden)
    np.testing.assert_array_equal(masked.covered84[33:], masked.covered[17:])


def test_things_are_lit_like_the_skin(head: MorphableHead) -> None:
    placed = (head.mean * SCALE + [SIDE / 2, SIDE / 2, 0]).astype(np.float32)
    raster = rasterise(placed, head.triangles, SIDE, SIDE)
    ramp = np.repeat(np.linspace(20, 220, SIDE)[None, :, None], SIDE, axis=0).repeat(3, axis=2)
    face = np.arange(len(head.mean)) < head.face_vertices
    light = light_on(ramp.astype(np.uint8), raster, placed, head.triangles, face)
    assert light[1] > 0.2
    assert abs(light[2]) < 0.1


def test_anything_drawn_can_be_built(head: MorphableHead) -> None:
    rng = np.random.default_rng(3)
    for thing in [*(draw_glasses(rng) for _ in range(8)), *(draw_mask(rng) for _ in range(8))]:
        worn = build_worn(thing, head, head.mean)
        assert np.isfinite(worn.vertices_cm).all()
        assert worn.triangles.max() < len(worn.vertices_cm)
        assert ((worn.cover >= 0) & (worn.cover <= 1)).all()
