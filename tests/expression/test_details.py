"""What was asked for is there; what was not, and what cannot be, is not, and is no zero."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from mien.errors import ConfigError
from mien.expression import ABSENT, SHAPES, DetailReader, Details
from mien.expression.basis import load_basis
from mien.geometry.convention import Convention, mean_head_cm
from mien.geometry.metric_head import Axes, Camera, MetricHead, place_head
from mien.outputs.rows import columns
from mien.types import Face, Frame, HeadPose, Landmarks

PICTURE = np.zeros((480, 640, 3), np.uint8)
PLACE_CM = np.array([6.0, -4.0, 70.0])


def face_at(camera: Camera) -> Face:
    """The mean head, unturned, at a known place."""
    head_cm = mean_head_cm(Convention.MIDDLE)
    space_cm = head_cm - head_cm.mean(axis=0) + PLACE_CM
    ray = PLACE_CM / np.linalg.norm(PLACE_CM)
    depth = (space_cm - PLACE_CM) @ ray * camera.focal_px / PLACE_CM[2]
    points = np.column_stack([camera.project(space_cm), depth])
    return Face(1, 0.9, Landmarks(points, np.full(68, 0.9)), HeadPose(0, 0, 0))


def test_nothing_is_read_unasked() -> None:
    (face,) = DetailReader(Details()).update(
        Frame(PICTURE, 0, 0.0), [face_at(Camera.of_picture(640, 480))]
    )
    assert face.expression is face.head_matrix is face.iris is face.head_position_cm is None


@pytest.mark.parametrize("lens", [{}, {"focal_px": 900.0}, {"fov_deg": 90.0}])
def test_the_head_is_where_its_camera_saw_it(lens: dict[str, float]) -> None:
    asked = Details(metric=True, **lens)
    (face,) = DetailReader(asked).update(Frame(PICTURE, 0, 0.0), [face_at(asked.camera(640, 480))])
    assert face.head_position_cm == pytest.approx(PLACE_CM, abs=1.2)
    assert face.head_matrix is not None
    head = MetricHead.from_matrix(face.head_matrix)
    assert np.abs(head.angles_deg(Axes.ARKIT)).max() < 2
    assert asked.assumes_camera == (not lens)
    read = json.loads(json.dumps(face.to_dict()))
    np.testing.assert_allclose(read["head_matrix"], face.head_matrix)
    assert read["iris"] is None


def test_shapes_that_points_cannot_show_are_absent() -> None:
    reader = DetailReader(Details(blendshapes=True))
    face = face_at(Camera.of_picture(640, 480))
    (read,) = reader.update(Frame(PICTURE, 0, 0.0), [face])
    assert read.expression is not None
    assert read.expression.names == SHAPES
    assert not set(ABSENT) & set(read.expression.to_dict())
    for name in ("tongueOut", "cheekPuff", "eyeLookUpLeft"):
        with pytest.raises(KeyError):
            read.expression[name]
    asked = Details(blendshapes=True, metric=True)
    assert not set(ABSENT) & set(columns(68, asked))
    assert asked.absent() == ABSENT
    gaze = {name: why for name, why in ABSENT.items() if name.startswith("eyeLook")}
    assert len(gaze) == 8
    assert set(gaze.values()) == {"needs the irises, which this model does not have"}
    assert read.iris is None
    assert Details().absent() == {}


def test_points_that_are_no_head_have_no_place() -> None:
    flat = Face(0, 0.9, Landmarks(np.zeros((68, 3)), np.ones(68)), HeadPose(0, 0, 0))
    (read,) = DetailReader(Details(metric=True)).update(Frame(PICTURE, 0, 0.0), [flat])
    assert read.head_matrix is None


@pytest.mark.parametrize(
    "wrong", [{"fov_deg": 0.0}, {"fov_deg": 171.0}, {"focal_px": -1.0}, {"focal_px": float("nan")}]
)
def test_a_camera_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        Details(metric=True, **wrong)
    with pytest.raises(ConfigError, match="not both"):
        Details(focal_px=500.0, fov_deg=63.0)


def test_an_open_mouth_is_no_nearer_face() -> None:
    """Its points alone would put the head nearer by a twentieth."""
    asked = Details(metric=True)
    camera, reader = asked.camera(640, 480), DetailReader(asked)
    rest = face_at(camera)
    opened = dataclasses.replace(rest, landmarks=_opened(camera, rest.landmarks))
    for index in range(40):
        (seen,) = reader.update(Frame(PICTURE, index, index / 25), [rest])
    for index in range(40, 44):
        (moved,) = reader.update(Frame(PICTURE, index, index / 25), [opened])
    assert moved.expression is None
    alone = place_head(opened.landmarks.points_image, camera).position_cm
    assert seen.head_position_cm is not None
    assert moved.head_position_cm is not None
    bare = abs(alone[2] - seen.head_position_cm[2])
    assert bare > 0.02 * PLACE_CM[2]
    assert abs(moved.head_position_cm[2] - seen.head_position_cm[2]) < 0.45 * bare


def _opened(camera: Camera, landmarks: Landmarks) -> Landmarks:
    """The same face with its jaw open, seen by the same camera at the same place."""
    jaw = load_basis().expression_cm[SHAPES.index("jawOpen")]
    scale = camera.focal_px / PLACE_CM[2]
    return Landmarks(landmarks.points_image + scale * jaw, landmarks.confidence)
