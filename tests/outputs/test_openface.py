"""pandas reads the table as it reads OpenFace's, and the numbers mean what they mean there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mien.geometry.convention import Convention, mean_head_cm
from mien.geometry.metric_head import Camera, MetricHead, place_head
from mien.geometry.openings import eye_openings
from mien.geometry.rotations import matrix_of_vector
from mien.markup import load_markup
from mien.outputs import is_ours
from mien.outputs.openface import OPENFACE_COLUMNS, OPENINGS, OpenFaceTable
from mien.types import Face, Frame, HeadPose, Landmarks


def test_a_head_80_cm_away_is_800_mm_away(tmp_path: Path) -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    camera = Camera.of_picture(640, 480)
    head_cm = mean_head_cm(Convention.MIDDLE)
    space_cm = head_cm - head_cm.mean(axis=0) + [10, -5, 80]
    place_cm = np.array([10.0, -5.0, 80.0])
    ray = place_cm / np.linalg.norm(place_cm)  # a network tells depth along the line of sight
    depth = (space_cm - place_cm) @ ray * camera.focal_px / 80
    points = np.column_stack([camera.project(space_cm), depth])
    face = Face(4, 0.9, Landmarks(points, np.full(68, 0.8)), HeadPose(0, 0, 0))
    path = tmp_path / "clip.csv"
    with OpenFaceTable(path) as table:
        table.write(Frame(image, 0, 0.0), [face])
        table.write(Frame(image, 1, 0.04), [])
    read = pd.read_csv(path)
    assert tuple(read.columns) == OPENFACE_COLUMNS
    assert read.frame.tolist() == [1, 2]
    assert read.success.tolist() == [1, 0]
    row = read.iloc[0]
    assert row.face_id == 4
    assert [row.pose_Tx, row.pose_Ty, row.pose_Tz] == pytest.approx([100, -50, 800], abs=16)
    assert [row.pose_Rx, row.pose_Ry, row.pose_Rz] == pytest.approx([0, 0, 0], abs=0.03)
    seen = np.stack([[row[f"{axis}_{n}"] for n in range(68)] for axis in "XYZ"], axis=1)
    assert np.abs(seen - 10 * space_cm).max() < 25
    assert row.x_30 == pytest.approx(points[30, 0], abs=0.01)


def test_a_face_that_is_handed_out_unseen_is_no_success(tmp_path: Path) -> None:
    points = load_markup(68).mean_shape * 100 + np.array([200.0, 200.0, 0.0])
    behind = Face(0, 0.0, Landmarks(points, np.zeros(68)), HeadPose(0, 0, 0))
    path = tmp_path / "clip.csv"
    with OpenFaceTable(path) as table:
        table.write(Frame(np.zeros((400, 400, 3), np.uint8), 0, 0.0), [behind])
    assert pd.read_csv(path).success.tolist() == [0]


def _table(path: Path, *faces: Face) -> pd.DataFrame:
    with OpenFaceTable(path) as table:
        table.write(Frame(np.zeros((400, 400, 3), np.uint8), 0, 0.0), list(faces))
    return pd.read_csv(path)


def test_the_openings_of_the_eyes_stand_last_the_persons_right_one_first(tmp_path: Path) -> None:
    points = load_markup(68).mean_shape * 100 + np.array([200.0, 200.0, 0.0])
    right_upper, right_lower = [37, 38], [41, 40]
    points[right_upper] = points[right_lower]  # the person's right eye is shut
    winking = Face(0, 0.9, Landmarks(points, np.ones(68)), HeadPose(0, 0, 0))
    read = _table(tmp_path / "clip.csv", winking)
    assert tuple(read.columns[-2:]) == OPENINGS == ("eye_opening_right", "eye_opening_left")
    assert read.eye_opening_right[0] == pytest.approx(0, abs=1e-4)
    assert read.eye_opening_left[0] == pytest.approx(float(eye_openings(points)[1]), abs=1e-4)
    assert read.eye_opening_left[0] > 0.2


def test_a_head_that_was_placed_already_stands_there(tmp_path: Path) -> None:
    """With the expression taken out, as ``--metric`` has it."""
    points = load_markup(68).mean_shape * 100 + np.array([200.0, 200.0, 0.0])
    placed = MetricHead(matrix_of_vector(np.array([0.1, 0.2, 0.3])), np.array([1.0, 2.0, 70.0]))
    pose, landmarks = HeadPose(0, 0, 0), Landmarks(points, np.ones(68))
    read = _table(
        tmp_path / "clip.csv",
        Face(0, 0.9, landmarks, pose, head_matrix=placed.matrix()),
        Face(1, 0.9, landmarks, pose),
    )
    names = ["pose_Tx", "pose_Ty", "pose_Tz"]
    assert read.loc[0, names].tolist() == pytest.approx([10, 20, 700])
    alone = place_head(points, Camera.of_picture(400, 400)).position_cm
    assert read.loc[1, names].tolist() == pytest.approx(10 * alone, abs=0.01)
    turns = np.radians(placed.angles_deg())
    assert read.loc[0, ["pose_Rx", "pose_Ry", "pose_Rz"]].tolist() == pytest.approx(turns, abs=1e-4)


def test_points_that_are_no_head_are_no_success(tmp_path: Path) -> None:
    flat = Face(0, 0.9, Landmarks(np.zeros((68, 3)), np.ones(68)), HeadPose(0, 0, 0))
    read = _table(tmp_path / "clip.csv", flat)
    assert (read.iloc[0, 3:] == 0).all()


def test_a_table_of_before_the_openings_is_ours_too(tmp_path: Path) -> None:
    path = tmp_path / "clip.openface.csv"
    for columns, ours in (
        (OPENFACE_COLUMNS, True),
        (OPENFACE_COLUMNS[:-2], True),
        (OPENFACE_COLUMNS[:-1], False),
        ((*OPENFACE_COLUMNS[:-2], "AU45_r"), False),
    ):
        path.write_text(",".join(columns) + "\n")
        assert is_ours(path) == ours
