"""Pictures for a finder: faces lie where the table says; what cannot be seen is not asked for."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from finderset import draw_face, grey_noise, write_finder_set
from mien.augmentation.composing import ComposeConfig, Composer
from mien.augmentation.pasting import Canvas, Piece, mirrored_picture, moved_faces
from mien.datasets.ours.finder_set import FinderSet, LabelledPicture, PictureFaces
from mien.errors import ConfigError
from mien.geometry import Similarity

CALM = ComposeConfig(side=128, covered=0.0, decoys=0.0, most_face=120.0, photo_share=0.0)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> FinderSet:
    return FinderSet(write_finder_set(tmp_path_factory.mktemp("set")), "train")


def crop() -> LabelledPicture:
    image = grey_noise(96, 96, np.random.default_rng(0))
    return LabelledPicture(image, draw_face(image, (50.0, 45.0), 40.0), 0)


def redness(image: np.ndarray) -> np.ndarray:
    """The drawn faces are skin-coloured, all else is grey."""
    values = image.astype(int)
    return values[..., 0] - values[..., 2]


def test_what_is_made_follows_from_the_generator(pictures: FinderSet) -> None:
    composer = Composer(pictures, ComposeConfig(side=128, most_face=120.0))
    for seed in range(6):
        one, other = (composer.make(np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1].centre, other[1].centre)
    assert one[0].shape == (128, 128, 3)


def test_sure_faces_are_where_the_table_says(pictures: FinderSet) -> None:
    """Light may change all colours, so a face is told by standing out of its surroundings."""
    composer = Composer(pictures, CALM)
    seen = 0
    for seed in range(30):
        image, faces = composer.make(np.random.default_rng(seed))
        for row in np.flatnonzero(faces.sure & (faces.size > 25)):
            x, y = faces.centre[row].round().astype(int)
            if not (8 <= x < 120 and 8 <= y < 120):
                continue
            patch = redness(image)[y - 4 : y + 5, x - 4 : x + 5]
            if np.ptp(redness(image)) > 30:  # not a grey picture
                seen += 1
                assert np.median(patch) > np.percentile(redness(image), 20)
    assert seen > 10


@pytest.mark.parametrize("angle", [0.0, 0.7, math.pi])
def test_a_pasted_face_lies_under_its_points(angle: float) -> None:
    canvas = Canvas(np.zeros((128, 128, 3), np.uint8))
    piece = Piece.of(crop(), np.array([60.0, 70.0]), 50.0, angle)
    whole = np.full((24, 24), 255, np.uint8)
    rng = np.random.default_rng(3)
    canvas.paste(piece, whole, rng, None)
    table = canvas.table()
    np.testing.assert_allclose(table.centre, [[60.0, 70.0]], atol=1e-9)
    np.testing.assert_allclose(table.size, [50.0])
    for x, y in table.points[0, :2].round().astype(int):  # the eyes are dark, the rest is not
        around = canvas.image[y - 8 : y + 9, x - 8 : x + 9].mean()
        assert canvas.image[y, x].mean() < around - 30
    # The mouth's side of the face is where the roll says.
    down = table.points[0, 3:].mean(axis=0) - table.points[0, :2].mean(axis=0)
    np.testing.assert_allclose(math.atan2(-down[0], down[1]), angle, atol=0.06) if angle < 3 else (
        np.testing.assert_allclose(abs(math.atan2(-down[0], down[1])), math.pi, atol=0.06)
    )


def test_a_face_that_another_hides_is_not_asked_for() -> None:
    canvas = Canvas(np.zeros((128, 128, 3), np.uint8))
    whole = np.full((24, 24), 255, np.uint8)
    rng = np.random.default_rng(0)
    canvas.paste(Piece.of(crop(), np.array([64.0, 64.0]), 30.0, 0.0), whole, rng, None)
    canvas.paste(Piece.of(crop(), np.array([70.0, 64.0]), 60.0, 0.0), whole, rng, None)
    assert canvas.table().size.tolist() == [60.0]


def test_faces_beyond_the_border_fade_from_sure_to_gone() -> None:
    whole = np.full((24, 24), 255, np.uint8)
    for x, wanted in ((20.0, [True]), (-4.5, [False]), (-25.0, [])):
        canvas = Canvas(np.zeros((128, 128, 3), np.uint8))
        piece = Piece.of(crop(), np.array([x, 64.0]), 40.0, 0.0)
        canvas.paste(piece, whole, np.random.default_rng(0), None)
        assert canvas.table().sure.tolist() == wanted


def test_a_mirrored_picture_has_the_eyes_exchanged() -> None:
    picture = crop()
    twice = mirrored_picture(mirrored_picture(picture))
    np.testing.assert_array_equal(twice.image_rgb, picture.image_rgb)
    np.testing.assert_allclose(twice.faces.points, picture.faces.points)
    points = mirrored_picture(picture).faces.points[0]
    assert points[0, 0] < points[1, 0]  # the person's right eye is on the image's left again
    np.testing.assert_allclose(points[0], [95 - picture.faces.points[0, 1, 0], points[0, 1]])


def test_moved_faces_go_where_points_go() -> None:
    faces = crop().faces
    place = Similarity(2.0, 0.5, (3.0, -4.0))
    moved = moved_faces(faces, place)
    np.testing.assert_allclose(moved.points, place.apply(faces.points))
    np.testing.assert_allclose(moved.size, 2 * faces.size)


def test_shares_and_sizes_that_make_no_sense_are_refused(pictures: FinderSet) -> None:
    for wrong in ({"side": 100}, {"least_face": 400.0}, {"photo_share": 0.9}):
        with pytest.raises(ConfigError):
            dataclasses.replace(ComposeConfig(), **wrong)


def test_faces_alone_are_not_enough(tmp_path: Path) -> None:
    from mien.datasets.ours.finder_set import CROP, FinderSetWriter

    writer = FinderSetWriter(tmp_path)
    writer.add(crop(), kind=CROP, source="drawn", split="train")
    writer.close()
    with pytest.raises(ConfigError):
        Composer(FinderSet(tmp_path, "train"), CALM)
    assert len(PictureFaces.empty()) == 0
