"""What is drawn lies where the points say."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mien.markup import load_markup
from mien.outputs import draw_faces
from mien.types import Face, HeadPose, Landmarks
from patience import least_ms

SURE, UNSURE = (50, 225, 190), (235, 50, 40)
NOSE_ARM = (90, 150, 255)


def near(image: np.ndarray, colour: tuple[int, int, int], within: int = 12) -> np.ndarray:
    return np.abs(image.astype(int) - colour).max(axis=2) <= within


def canvas(width: int = 640, height: int = 360) -> np.ndarray:
    return np.full((height, width, 3), 128, dtype=np.uint8)


@pytest.mark.parametrize("offset", [(0.0, 0.0), (0.5, 0.0), (0.25, 0.75), (0.5, 0.5)])
def test_a_point_is_drawn_below_the_pixel(offset):
    at = np.array([200.0, 150.0]) + offset
    points = np.array([[*at, 0.0], [20, 20, 0], [620, 340, 0]])
    face = Face(1, 1.0, Landmarks(points, np.array([1.0, 0, 0])), HeadPose(0, 0, 0))
    drawn = draw_faces(canvas(), [face], [])
    # Weigh each pixel by how far it has gone from the grey ground to the point's green.
    weight = np.clip((drawn[140:161, 190:211, 1].astype(float) - 128) / (225 - 128), 0, 1)
    rows, columns = np.mgrid[140:161, 190:211]
    centre = [(weight * columns).sum() / weight.sum(), (weight * rows).sum() / weight.sum()]
    np.testing.assert_allclose(centre, at, atol=0.15)


@pytest.mark.parametrize(
    ("size", "picture"), [(110, (640, 360)), (700, (3840, 2160)), (200, (3840, 2160))]
)
@pytest.mark.parametrize("points", [68, 84])
def test_points_stay_apart(make_face, size, picture, points):
    face = make_face(points, (picture[0] / 2, picture[1] / 2), size, track_id=1)
    drawn = draw_faces(canvas(*picture), [face], load_markup(points).parts)
    blobs = cv2.connectedComponents(near(drawn, SURE, 40).astype(np.uint8), connectivity=4)[0] - 1
    # The four inner lip corners lie within two pixels of the outer ones and may run together.
    assert points - 6 <= blobs <= points


def test_colour_tells_confidence(make_face):
    for confidence, colour in ((0.0, UNSURE), (1.0, SURE)):
        face = make_face(confidence=confidence, size=150, centre=(320, 180))
        drawn = draw_faces(canvas(), [face], [])
        x, y = np.rint(face.landmarks.points_image[8, :2]).astype(int)
        assert near(drawn, colour)[y, x]


def test_lines_join_the_parts(make_face):
    face = make_face(size=200, centre=(320, 180))
    parts = load_markup(68).parts
    bare, joined = draw_faces(canvas(), [face], []), draw_faces(canvas(), [face], parts)
    points = face.landmarks.points_image
    middle = (points[7, :2] + points[8, :2]) / 2  # of the jaw, next to the chin
    x, y = np.rint(middle).astype(int)
    assert near(joined, (236, 240, 244), 40)[y - 1 : y + 2, x].any()
    assert not near(bare, (236, 240, 244), 40)[y - 1 : y + 2, x].any()


def test_the_nose_arm_points_where_the_head_looks(make_face):
    def arm(pose: HeadPose) -> np.ndarray:
        face = make_face(size=150, centre=(320, 180))
        posed = Face(0, 1.0, face.landmarks, pose)
        rows, columns = np.nonzero(near(draw_faces(canvas(), [posed], []), NOSE_ARM, 8))
        return np.array([columns.mean(), rows.mean()])

    assert arm(HeadPose(60, 0, 0))[0] > arm(HeadPose(-60, 0, 0))[0] + 5  # the image's right
    assert arm(HeadPose(0, 60, 0))[1] > arm(HeadPose(0, -60, 0))[1] + 5  # down


def test_the_picture_handed_in_is_left_alone(make_face):
    image = canvas()
    draw_faces(image, [make_face()], [])
    assert (image == 128).all()
    assert draw_faces(image, [], []) is not image


@pytest.mark.parametrize("points", [np.nan, 1e9, -1e9])
def test_wild_points_do_not_crash(make_face, points):
    face = make_face()
    image = face.landmarks.points_image.copy()
    image[5] = points
    if np.isnan(points):
        image[5, :2] = 40.0
    wild = Face(0, 0.5, Landmarks(image, face.landmarks.confidence), face.pose)
    drawn = draw_faces(canvas(), [wild], load_markup(68).parts)
    assert drawn.shape == (360, 640, 3)


@pytest.mark.parametrize("size", [(16, 16), (17, 400)])
def test_tiny_pictures(make_face, size):
    drawn = draw_faces(canvas(*size), [make_face(centre=(8, 8), size=10)], [])
    assert drawn.shape == (size[1], size[0], 3)


@pytest.fixture
def one_thread():
    """OpenCV computes in the caller's thread, whose time is counted."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(threads)


def test_it_is_fast(make_face, one_thread):
    """By this thread's processor time, six times what it takes where this was written."""
    face, parts, image = make_face(size=110, centre=(320, 180)), load_markup(68).parts, canvas()
    assert least_ms(lambda: draw_faces(image, [face], parts), times=40) < 8.0


def test_a_large_picture_is_copied_once_not_once_a_point(make_face, one_thread):
    """What a large picture costs more than a small one is its copy; 2 copies, where measured."""
    face, parts = make_face(size=110, centre=(320, 180)), load_markup(68).parts
    small, large = canvas(), canvas(3840, 2160)
    took_ms = [
        least_ms(lambda image=image: draw_faces(image, [face], parts), times=20)
        for image in (small, large)
    ]
    assert took_ms[1] - took_ms[0] < 6 * least_ms(large.copy, times=20)


@pytest.mark.parametrize("y", [10.0, 90.0, 350.0])
def test_a_label_covers_no_face_and_no_other_label(make_face, y):
    faces = [make_face(centre=(60.0 + 40 * i, y), size=22, track_id=i) for i in range(8)]
    bare = draw_faces(canvas(), faces[:0], [])
    drawn = draw_faces(canvas(), faces, [])
    for face in faces:
        alone = draw_faces(bare, [face], [])
        left, top, right, bottom = (
            round(v) for v in (face.box.left, face.box.top, face.box.right, face.box.bottom)
        )
        inside = (slice(max(top, 0), bottom), slice(left, right))
        np.testing.assert_array_equal(drawn[inside], alone[inside])


def test_what_the_head_hides_is_faint(make_face):
    """At 60 degrees to the image's right, the right half of the jaw lies behind the cheek."""
    face = make_face(size=220, centre=(320, 180), pose=HeadPose(60, 0, 0))
    drawn = draw_faces(canvas(), [face], load_markup(68).parts)
    x, y = np.rint(face.landmarks.points_image[:, :2]).astype(int).T
    is_bright = near(drawn, SURE, 40)[y, x]
    assert is_bright[:8].all()
    assert not is_bright[13:17].any()
    frontal = make_face(size=220, centre=(320, 180))
    x, y = np.rint(frontal.landmarks.points_image[:, :2]).astype(int).T
    assert near(draw_faces(canvas(), [frontal], []), SURE, 40)[y, x].all()
