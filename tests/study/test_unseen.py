"""A face that passes behind another is a row of the table, and no measurement."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from mien.markup import load_markup
from mien.pipeline import Tally
from mien.study.tables import PointsIn, ShardPaths, StudyTable, study_columns
from mien.types import Face, Frame, HeadPose, Landmarks

MARKUP = load_markup(68)


def face_at(x: float, *, seen: bool = True) -> Face:
    points = MARKUP.mean_shape * 40 + [x, 60, 0]
    sure = np.full(68, 0.9 * seen)
    return Face(0, 0.9 * seen, Landmarks(points, sure), HeadPose(0, 0, 0))


def test_from_a_guess_and_to_one_nobody_moves(tmp_path: Path) -> None:
    faces = [face_at(50), face_at(51), face_at(90, seen=False), face_at(60), face_at(61)]
    paths = ShardPaths.of(tmp_path, "a", PointsIn.NOWHERE)
    table = StudyTable("a", MARKUP, paths, PointsIn.NOWHERE)
    for index, face in enumerate(faces):
        table.write(Frame(np.zeros((120, 160, 3), np.uint8), index, index / 25), [face])
    table.close()
    lines = csv.reader(table.shards[0].part.read_text("utf-8").splitlines())
    rows = [dict(zip(study_columns(None), line, strict=True)) for line in lines]
    assert [row["score"] for row in rows] == ["0.9", "0.9", "0.0", "0.9", "0.9"]
    for speed in ("head_speed_sizes_per_sec", "turn_speed_deg_per_sec"):
        assert [row[speed] != "" for row in rows] == [False, True, False, False, True]
    assert [row["sign_jumped"] for row in rows][3] == "0.0"


def test_a_guess_takes_nobodys_place() -> None:
    tally = Tally()
    tally.count([face_at(50), face_at(90, seen=False)])
    assert not tally.note_on_limit(2)
    tally.count([face_at(50), face_at(90)])
    assert tally.note_on_limit(2)
