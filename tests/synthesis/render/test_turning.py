"""Pictures and labels move together: dots painted on a face are found where the label says."""

from __future__ import annotations

import colorsys
from dataclasses import replace

import cv2
import numpy as np
import pytest

from mien.geometry.pose import rotation_from_angles
from mien.synthesis.fit.anchors import Anchors
from mien.synthesis.fit.residual_warp import FittedPhoto
from mien.synthesis.head.morphable import MorphableHead
from mien.synthesis.render.expression import ExpressionEditor
from mien.synthesis.render.turning import HeadTurner, Turn, TurnedPhoto
from mien.types import HeadPose

SIDE, SCALE = 260, 6.0
PIVOT = np.array([0, 2, 0])


@pytest.fixture(scope="module")
def turner(head: MorphableHead, anchors: Anchors) -> HeadTurner:
    return HeadTurner(head, anchors)


@pytest.fixture(scope="module")
def photo(head: MorphableHead) -> FittedPhoto:
    """The clay head, grey, with dots of their own hues."""
    rotation = rotation_from_angles(HeadPose(5, 0, 0))
    shift = np.array([SIDE / 2, SIDE / 2], np.float32)
    points = head.mean[head.landmarks68]
    image = np.full((SIDE, SIDE, 3), 90, np.uint8)
    cv2.ellipse(image, (SIDE // 2, SIDE // 2), (45, 100), 0, 0, 360, (150, 150, 150), -1)
    for dot, place in enumerate(DOTS_CM):
        placed = rotation @ place * SCALE
        spot = tuple(round(float(v) * 16) for v in placed[:2] + shift)
        cv2.circle(image, spot, 3 * 16, hue(dot), -1, cv2.LINE_AA, 4)
    expression = np.zeros(len(head.expression), np.float32)
    return FittedPhoto(image, rotation, SCALE, shift, head.mean, points, expression)


def hue(dot: int) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(dot / 6, 1, 1)
    return int(blue * 255), int(green * 255), int(red * 255)


# On the cheeks, nose and chin of the ellipsoid, away from eyes and mouth.
DOTS_CM = [
    np.array([x, y, -10 * np.sqrt(1 - (x / 7.5) ** 2 - (y / 17) ** 2)])
    for x, y in [(0, -1), (2.2, 0.5), (-2.2, 0.5), (0, 2), (1.6, 7), (-1.6, 7)]
]


def where(photo: FittedPhoto, turned: TurnedPhoto, rotation: np.ndarray, dot: int) -> np.ndarray:
    """The rigid motion, written out."""
    pivot = photo.scale * photo.rotation @ PIVOT + [*photo.shift, 0]
    placed = rotation @ (DOTS_CM[dot] - PIVOT) * photo.scale + pivot
    return (placed[:2] - turned.window.origin) * turned.window.zoom


def find_dot(image: np.ndarray, dot: int, near: np.ndarray) -> np.ndarray:
    """Centre of the pixels around a place whose colour is a dot's."""
    difference = np.abs(image.astype(int) - hue(dot)).sum(axis=2)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    match = (difference < 200) & (np.hypot(x - near[0], y - near[1]) < 14)
    assert match.any(), f"dot {dot} is gone"
    return np.array([x[match].mean(), y[match].mean()])


def refit(photo: FittedPhoto, turned: TurnedPhoto, rotation: np.ndarray) -> FittedPhoto:
    """The turned picture with the head that is known to be in it."""
    pivot = photo.scale * photo.rotation @ PIVOT + [*photo.shift, 0]
    scale = photo.scale * turned.window.zoom
    placed = turned.window.to_picture(pivot[None].astype(np.float32))[0, :2]
    shift = placed - (scale * rotation @ PIVOT)[:2]
    return replace(photo, image=turned.image, rotation=rotation, scale=scale, shift=shift)


@pytest.mark.parametrize("yaw", [-40.0, 30.0, 45.0])
def test_skin_and_label_move_together(turner: HeadTurner, photo: FittedPhoto, yaw: float) -> None:
    rotation = rotation_from_angles(HeadPose(yaw, 8, 5))
    turned = turner.turn(photo, Turn(rotation, hair_cm=0))
    size = np.sqrt(np.ptp(turned.points_image[:, :2], axis=0).prod())
    for dot in range(len(DOTS_CM)):
        expected = where(photo, turned, rotation, dot)
        assert np.linalg.norm(find_dot(turned.image, dot, expected) - expected) / size < 0.012


def test_there_and_back(turner: HeadTurner, photo: FittedPhoto) -> None:
    rotation = rotation_from_angles(HeadPose(40, 0, 0))
    there = turner.turn(photo, Turn(rotation, hair_cm=0))
    back = turner.turn(refit(photo, there, rotation), Turn(photo.rotation, hair_cm=0))
    again = turner.turn(photo, Turn(photo.rotation, hair_cm=0))
    size = np.sqrt(np.ptp(again.points_image[:, :2], axis=0).prod())
    label = np.linalg.norm(back.points_image[:, :2] - again.points_image[:, :2], axis=1) / size
    assert label.mean() < 0.01
    seen = [
        np.linalg.norm(
            find_dot(back.image, dot, where(photo, again, photo.rotation, dot))
            - find_dot(again.image, dot, where(photo, again, photo.rotation, dot))
        )
        for dot in range(len(DOTS_CM))
    ]
    assert np.mean(seen) / size < 0.01


def test_label_is_the_rigid_motion_of_the_label(turner: HeadTurner, photo: FittedPhoto) -> None:
    rotation = rotation_from_angles(HeadPose(-75, 10, 0))
    turned = turner.turn(photo, Turn(rotation))
    expected = photo.points_cm @ rotation.T * photo.scale * turned.window.zoom
    moved = turned.points_image - expected
    np.testing.assert_allclose(moved - moved.mean(axis=0), 0, atol=1e-2)
    assert turned.yaw_deg == pytest.approx(-75, abs=1e-4)
    assert turned.points_image[:, 2].mean() == pytest.approx(0, abs=1e-3)


def test_the_far_cheek_is_hidden(turner: HeadTurner, photo: FittedPhoto) -> None:
    # Turned to the image's right, the head hides the jaw's image-right half (points 9 to 16).
    turned = turner.turn(photo, Turn(rotation_from_angles(HeadPose(70, 0, 0))))
    assert turned.hidden[11:16].all()
    assert not turned.hidden[2:6].any()


def test_photo_in_its_own_pose_stays_as_it_is(turner: HeadTurner, photo: FittedPhoto) -> None:
    same = turner.turn(photo, Turn(photo.rotation, hair_cm=0))
    low = np.round(same.window.origin).astype(int)
    cut = photo.image[low[1] : low[1] + same.window.side, low[0] : low[0] + same.window.side]
    face = (slice(60, 100), slice(60, 100))
    assert same.window.zoom == pytest.approx(1, abs=0.01)
    assert np.abs(same.image[face].astype(int) - cut[face]).mean() < 12


def test_shut_eyes_have_no_gap(
    head: MorphableHead, anchors: Anchors, turner: HeadTurner, photo: FittedPhoto
) -> None:
    editor = ExpressionEditor(head, anchors)
    change = editor.shut_eyes(photo.vertices_cm, (1.0, 1.0))
    lids = np.array([160, 159, 158]), np.array([144, 145, 153])
    upper, lower = (anchors.mesh468.take(rows) for rows in lids)
    closed = head.vertices(np.zeros(0), change)
    before = (lower.of(head.mean) - upper.of(head.mean))[:, 1].mean()
    after = (lower.of(closed) - upper.of(closed))[:, 1].mean()
    assert before > 1
    assert abs(after) < 0.1 * before
    turned = turner.turn(photo, Turn(photo.rotation, expression_change=change, eyes_shut=True))
    open_eyes = turner.turn(photo, Turn(photo.rotation))
    assert not np.array_equal(turned.image, open_eyes.image)


def test_an_opened_mouth_moves_the_chin_label(
    head: MorphableHead, turner: HeadTurner, photo: FittedPhoto
) -> None:
    change = np.zeros(len(head.expression), np.float32)
    change[head.expression_index("jawOpen")] = 1
    turned = turner.turn(photo, Turn(photo.rotation, expression_change=change))
    shut = turner.turn(photo, Turn(photo.rotation))
    chin, brow = 8, 17
    fall = (turned.points_image - shut.points_image)[:, 1] / turned.window.zoom
    drop_px = head.expression[head.expression_index("jawOpen"), head.landmarks68, 1] * SCALE
    assert fall[chin] - fall[brow] == pytest.approx(drop_px[chin] - drop_px[brow], abs=0.5)
    assert drop_px[chin] > 3


def test_mouths_move_by_one_act_and_never_past_the_whole_shape(
    head: MorphableHead, anchors: Anchors
) -> None:
    editor, rng = ExpressionEditor(head, anchors), np.random.default_rng(3)
    pucker = head.expression_index("mouthPucker")
    pursed = np.zeros(len(head.expression), np.float32)
    pursed[pucker] = 0.9
    seen, uneven = set[str](), 0
    for _ in range(300):
        change = editor.move_mouth(pursed, rng)
        moved = [head.expression_names[column] for column in np.flatnonzero(change)]
        assert {name.removesuffix("_L").removesuffix("_R") for name in moved}.isdisjoint(
            {"jawOpen", "eyeBlink", "browInnerUp"}
        )
        assert len(moved) <= 4
        assert (change >= 0).all()
        assert (pursed + change).max() <= 1
        seen |= set(moved)
        smiles = [change[head.expression_index(f"mouthSmile_{side}")] for side in "LR"]
        uneven += smiles[0] != smiles[1]
    assert {"mouthPucker", "mouthFunnel", "mouthLeft", "mouthFrown_L", "mouthPress_R"} <= seen
    assert 0 < uneven < 30


def test_an_added_lamp_lights_its_side(turner: HeadTurner, photo: FittedPhoto) -> None:
    lamp = np.array([0.7, 0, -0.3], np.float32)
    lit = turner.turn(photo, Turn(photo.rotation, hair_cm=0, light=lamp)).image.astype(float)
    plain = turner.turn(photo, Turn(photo.rotation, hair_cm=0)).image.astype(float)
    middle = lit.shape[1] // 2
    rows, reach = slice(middle - 20, middle + 20), 25
    right = (lit - plain)[rows, middle + 5 : middle + reach].mean()
    left = (lit - plain)[rows, middle - reach : middle - 5].mean()
    assert right > left + 5


@pytest.fixture(scope="module")
def before_a_wall(photo: FittedPhoto) -> FittedPhoto:
    """The clay head, narrower in the photo than its fit, before a loud green wall."""
    image = np.empty((SIDE, SIDE, 3), np.uint8)
    image[:] = (40, 220, 40)
    cv2.ellipse(image, (SIDE // 2, SIDE // 2), (42, 100), 0, 0, 360, (150, 150, 150), -1)
    return replace(photo, image=image)


def green(image: np.ndarray) -> np.ndarray:
    blue, middle, red = (image[..., k].astype(int) for k in range(3))
    return middle - (blue + red) / 2


@pytest.mark.parametrize("yaw", [90.0, -90.0, 60.0])
def test_the_wall_does_not_get_onto_the_head(
    turner: HeadTurner, before_a_wall: FittedPhoto, yaw: float
) -> None:
    turned = turner.turn(before_a_wall, Turn(rotation_from_angles(HeadPose(yaw, 0, 0))))
    rows = np.arange(len(turned.mask))
    jaw = turned.points_image[:17, 1]
    head = cv2.erode(turned.mask.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    face = head & ((rows > jaw.min() - 40) & (rows < jaw.max()))[:, None]
    assert face.sum() > 3000
    assert (green(turned.image)[face] > 40).mean() < 0.005


def test_what_the_picture_leaves_out_does_not_change_it(
    turner: HeadTurner, before_a_wall: FittedPhoto
) -> None:
    turn = Turn(rotation_from_angles(HeadPose(90, 0, 0)))
    whole = turner.turn(before_a_wall, turn)
    # The rim now cuts through the head as it stood in the photo.
    off = 30
    aside = np.array([off / whole.window.zoom, 0], np.float32)
    window = replace(whole.window, origin=whole.window.origin + aside)
    cut = turner.turn(before_a_wall, turn, window)
    head = cv2.erode(cut.mask.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    change = np.abs(whole.image[:, off:].astype(int) - cut.image[:, :-off])[head[:, :-off]]
    assert len(change) > 5000
    assert (change > 20).mean() < 0.01
