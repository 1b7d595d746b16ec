"""The timeline shows where a face was, where none was, and how it turned."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.errors import OutputError
from mien.outputs import Timeline
from mien.outputs.drawing import track_colour
from mien.types import HeadPose

LOST = (250, 222, 216)
LEFT, RIGHT = 116, 1176
"""Where the first frame begins and the last one ends, px."""


def read(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB).astype(int)


def is_colour(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.abs(image - colour).max(axis=-1) <= 6


def test_frames_without_a_face_are_shaded(tmp_path, make_frame, make_face):
    with Timeline(tmp_path / "t.png", "clip") as sink:
        for index in range(100):
            sink.write(make_frame(index), [] if 40 <= index < 60 else [make_face()])
    image = read(tmp_path / "t.png")
    shaded = is_colour(image[100], LOST)  # below the bars, between two levels
    first, last = np.flatnonzero(shaded)[[0, -1]]
    per_frame = (RIGHT - LEFT) / 100
    assert first == pytest.approx(LEFT + 40 * per_frame, abs=2)
    assert last == pytest.approx(LEFT + 60 * per_frame, abs=2)
    assert not is_colour(image[:, LEFT + 5], LOST).any()


def test_yaw_to_the_right_goes_up(tmp_path, make_frame, make_face):
    with Timeline(tmp_path / "t.png") as sink:
        for index in range(50):
            pose = HeadPose(yaw_deg=float(index - 25), pitch_deg=0.0, roll_deg=0.0)
            sink.write(make_frame(index), [make_face(pose=pose)])
    yaw_curve = is_colour(read(tmp_path / "t.png")[80:190], track_colour(0))
    early, late = yaw_curve[:, LEFT + 60], yaw_curve[:, RIGHT - 60]
    assert np.flatnonzero(late).mean() < np.flatnonzero(early).mean() - 20


def test_a_low_score_is_red_and_a_high_one_green(tmp_path, make_frame, make_face):
    with Timeline(tmp_path / "t.png") as sink:
        for index in range(100):
            sink.write(make_frame(index), [make_face(score=1.0 if index < 50 else 0.0)])
    bar = read(tmp_path / "t.png")[44]
    assert is_colour(bar[LEFT + 100], (60, 175, 140))
    assert is_colour(bar[RIGHT - 100], (225, 70, 50))


def test_many_tracks_stay_one_page(tmp_path, make_frame, make_face):
    with Timeline(tmp_path / "t.png") as sink:
        for index in range(60):
            sink.write(make_frame(index), [make_face(track_id=number) for number in range(40)])
    assert read(tmp_path / "t.png").shape[0] < 900


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize("with_face", [True, False])
def test_very_short_videos(tmp_path, make_frame, make_face, frames, with_face):
    with Timeline(tmp_path / "t.png", "Übung") as sink:
        for index in range(frames):
            sink.write(make_frame(index), [make_face()] if with_face else [])
    assert read(tmp_path / "t.png").shape[1] == 1200


def test_without_frames_there_is_no_picture(tmp_path):
    with Timeline(tmp_path / "t.png"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_bad_place_is_refused_at_once(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="a file stands"):
        Timeline(tmp_path / "file" / "t.png")
