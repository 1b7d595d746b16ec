"""The nouns refuse what they cannot mean."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from mien.types import Box, Detection, Face, Frame, HeadPose, Landmarks

REFUSED = (ValueError, TypeError)
"""A TypeError where array types are checked: ``pytest --jaxtyping-packages``."""


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 5), np.uint8),
        np.zeros((4, 5, 4), np.uint8),
        np.zeros((4, 5, 3), np.float32),
        np.zeros((1, 4, 5, 3), np.uint8),
    ],
)
def test_a_frame_is_eight_bit_colour(image: np.ndarray) -> None:
    with pytest.raises(REFUSED, match=r"a frame is|Type-check"):
        Frame(image, 0, 0.0)


@pytest.mark.parametrize(
    "edges",
    [
        (2.0, 0.0, 1.0, 1.0),
        (0.0, 2.0, 1.0, 1.0),
        (math.nan, 0.0, 1.0, 1.0),
        (0.0, 0.0, 1.0, math.nan),
    ],
)
def test_a_box_has_its_edges_in_order(edges: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="left <= right"):
        Box(*edges)


def test_a_box_measures_itself() -> None:
    box = Box(10.0, 20.0, 14.0, 32.0)
    assert (box.width, box.height, box.centre) == (4, 12, (12, 26))
    assert Box.around(np.array([[1.0, 5.0], [3.0, 2.0], [2.0, 2.0]])) == Box(1.0, 2.0, 3.0, 5.0)


@pytest.mark.parametrize(
    ("other", "iou"),
    [
        (Box(0.0, 0.0, 2.0, 2.0), 1.0),
        (Box(1.0, 0.0, 3.0, 2.0), 2 / 6),
        (Box(1.0, 1.0, 3.0, 3.0), 1 / 7),
        (Box(2.0, 0.0, 4.0, 2.0), 0.0),
        (Box(5.0, 5.0, 6.0, 6.0), 0.0),
        (Box(1.0, 1.0, 1.0, 1.0), 0.0),
    ],
)
def test_overlap_of_boxes_counted_by_hand(other: Box, iou: float) -> None:
    box = Box(0.0, 0.0, 2.0, 2.0)
    assert box.iou(other) == pytest.approx(iou)
    assert other.iou(box) == pytest.approx(iou)


def test_two_empty_boxes_do_not_overlap() -> None:
    assert Box(1.0, 1.0, 1.0, 1.0).iou(Box(1.0, 1.0, 1.0, 1.0)) == 0.0


def test_five_points_are_five() -> None:
    box = Box(0.0, 0.0, 1.0, 1.0)
    assert Detection(box, 0.5).five_points is None
    with pytest.raises(REFUSED, match=r"five_points is \(5, 2\)|Type-check"):
        Detection(box, 0.5, np.zeros((4, 2)))


@pytest.mark.parametrize(("points", "confidence"), [((68, 2), 68), ((68, 3), 67)])
def test_landmarks_have_depth_and_a_confidence_each(
    points: tuple[int, int], confidence: int
) -> None:
    with pytest.raises(REFUSED, match=r"landmarks are|Type-check"):
        Landmarks(np.zeros(points), np.zeros(confidence))


def test_a_face_is_frozen_and_knows_its_box() -> None:
    landmarks = Landmarks(np.array([[1.0, 2.0, 9.0], [5.0, 4.0, -9.0]]), np.ones(2))
    face = Face(3, 0.9, landmarks, HeadPose(0.0, 0.0, 0.0))
    assert face.box == Box(1.0, 2.0, 5.0, 4.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        face.score = 1.0  # type: ignore[misc]
