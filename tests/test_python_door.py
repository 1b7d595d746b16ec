"""What Python code hands over and gets back."""

from __future__ import annotations

import dataclasses
import json
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas
import pytest
from PIL import Image

import mien
from mien.errors import InputError
from mien.evaluation import measured_model
from mien.pipeline import ALL_FACES, TrackerParts, calls
from mien.pipeline import parts as opening
from mien.runtime import LandmarkerPair, load_landmarkers
from mien.tracking import TrackerSettings
from mien.types import Box, Detection, Expression, Frame
from standin import square_picture

PICTURE = square_picture((60, 50, 31))


class SquareDetector:
    """A box around each column of bright pixels."""

    def find(self, frame: Frame) -> list[Detection]:
        bright = frame.image_rgb[..., 0] > 128
        lit = np.flatnonzero(np.diff(np.concatenate([[0], bright.any(axis=0), [0]])))
        found = []
        for left, end in zip(lit[::2], lit[1::2], strict=True):
            rows = np.flatnonzero(bright[:, left])
            box = Box(float(left), float(rows.min()), float(end - 1), float(rows.max()))
            found.append(Detection(box, 1.0))
        return found


@pytest.fixture
def parts(standin_model: Path, monkeypatch: pytest.MonkeyPatch) -> TrackerParts:
    made = TrackerParts(
        load_landmarkers(str(standin_model), threads=1),
        SquareDetector(),
        TrackerSettings(smoothing=None, max_faces=ALL_FACES),
    )
    monkeypatch.setattr(calls, "_default_parts", lambda: made)
    return made


WRONG = {
    'mien.find_faces(picture, "nano")': "tracker is a Tracker",
    "list(mien.track(photo, 3))": "tracker is a Tracker",
    "list(mien.track(None, tracker))": "where is a path",
    "list(mien.track([photo], tracker))": "where is a path",
    "list(mien.track(picture, tracker))": "where is a path",
    'list(mien.track(photo, tracker, focal_px="x"))': "focal_px is a number",
    "list(mien.track(photo, tracker, fov_deg=True))": "fov_deg is a number",
    'tracker.update(picture, "x")': "the picture's time",
    'tracker.update(picture, float("nan"))': "the picture's time",
    "mien.load_tracker(None)": "model is a name",
    'mien.load_tracker("nano", detector=None)': "detector is the words",
    'mien.load_tracker("nano", threads="2")': "threads is a whole number",
    'mien.load_tracker("nano", threads=1.5)': "threads is a whole number",
    'mien.load_tracker("nano", settings={"looks": 0})': "settings is a TrackerSettings",
    "mien.TrackerSettings(max_faces=2.5)": "max_faces is a whole number",
    "mien.TrackerSettings(search_secs=None)": "search_secs is a number",
    'mien.TrackerSettings(keep_score="x")': "keep_score is a number",
    'mien.TrackerSettings(smoothing="off")': "smoothing is a SmoothingSettings",
    "mien.to_dataframe(3)": "tracked is what mien.track gives",
}
TRY_EACH = """
import sys, numpy as np, mien
photo, model, *calls = sys.argv[1:]
picture = np.zeros((64, 64, 3), np.uint8)
tracker = mien.load_tracker(model, threads=1)
for call in calls:
    try:
        eval(call)
    except Exception as error:
        print(isinstance(error, mien.errors.MienError), error)
    else:
        print("taken")
"""


def test_an_argument_of_another_type_is_one_sentence(standin_model: Path, tmp_path: Path) -> None:
    """In a process of its own: under these tests, types are checked at every call."""
    Image.fromarray(PICTURE).save(tmp_path / "a.png")
    words = [sys.executable, "-c", TRY_EACH, str(tmp_path / "a.png"), str(standin_model), *WRONG]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    said = done.stdout.splitlines()
    for line, (call, expected) in zip(said, WRONG.items(), strict=True):
        assert line.startswith("True "), call
        assert expected in line, call


def middles(faces: list[mien.Face]) -> list[list[int]]:
    return [np.rint(face.landmarks.points_image[:, :2].mean(axis=0)).tolist() for face in faces]


def test_a_picture_of_every_kind_gives_the_same_faces(parts: TrackerParts, tmp_path: Path) -> None:
    Image.fromarray(PICTURE).save(tmp_path / "a.png")
    alpha = np.dstack([PICTURE, np.full(PICTURE.shape[:2], 255, np.uint8)])
    kinds = [
        *(PICTURE, PICTURE[..., 0], PICTURE[..., :1], alpha, PICTURE[:, ::-1][:, ::-1]),
        *(Image.fromarray(PICTURE), Image.fromarray(PICTURE).convert("L")),
        *(tmp_path / "a.png", str(tmp_path / "a.png")),
    ]
    for kind in kinds:
        assert middles(mien.find_faces(kind)) == [[60, 50]]
        assert middles(parts.tracker().update(kind, 0.0)) == [[60, 50]]


@pytest.mark.parametrize(
    "wrong",
    [
        *(None, np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 2), np.uint8), 7, [[1, 2]]),
        *(np.zeros((4, 4, 3)), np.zeros(5, np.uint8), "no_such_file.png"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_sentence(parts: TrackerParts, wrong: object) -> None:
    for call in (mien.find_faces, parts.tracker().update):
        with pytest.raises(InputError) as told:
            call(wrong)
        assert "\n" not in str(told.value)


def test_pictures_follow_each_other_by_their_times(parts: TrackerParts) -> None:
    tracker = parts.tracker()
    for step in range(5):
        (face,) = tracker.update(square_picture((40 + 2 * step, 60, 31)), step / 10)
        assert face.track_id == 0


@pytest.mark.parametrize("time_secs", ["x", "0.5", [1.0], np.zeros(2), 1j])
def test_a_time_that_is_no_number_is_refused_in_one_sentence(
    parts: TrackerParts, time_secs: object
) -> None:
    tracker = parts.tracker()
    with pytest.raises(InputError, match="time in seconds") as told:
        tracker.update(PICTURE, time_secs)
    assert "\n" not in str(told.value)
    assert len(tracker.update(PICTURE, np.float32(0.5))) == 1


def test_a_photo_of_twenty_faces_has_them_all(parts: TrackerParts) -> None:
    wide = square_picture(*((30 + 50 * i, 60, 31) for i in range(20)), width=1040)
    assert len(mien.find_faces(wide)) == 20


@pytest.mark.parametrize("as_folder", [False, True])
def test_track_gives_all_faces_of_a_photo_unless_a_tracker_says_otherwise(
    parts: TrackerParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_folder: bool
) -> None:
    file = tmp_path / "wide.png"
    wide = square_picture(*((30 + 50 * i, 60, 31) for i in range(20)), width=1040)
    Image.fromarray(wide).save(file)
    where = tmp_path if as_folder else file
    usual = dataclasses.replace(parts, settings=TrackerSettings(smoothing=None))
    monkeypatch.setattr(calls, "load_tracker", usual.tracker)
    assert [len(faces) for _, faces in mien.track(where)] == [20]
    assert [len(faces) for _, faces in mien.track(where, usual.tracker())] == [8]


def test_all_that_is_opened_has_the_threads_that_were_asked_for(
    monkeypatch: pytest.MonkeyPatch, parts: TrackerParts
) -> None:
    told = []

    def landmarkers(model: str, *, points: int, threads: int | None) -> LandmarkerPair:
        told.append((model, points, threads))
        return parts.pair

    def detector(words: str, threads: int | None) -> SquareDetector:
        told.append((words, threads))
        return SquareDetector()

    for module in (opening, measured_model):
        monkeypatch.setattr(module, "load_landmarkers", landmarkers)
        monkeypatch.setattr(module, "open_detector", detector)
    TrackerParts.open("nano", detector="finder", threads=3)
    mien.load_tracker(threads=2)
    measured_model.open_measured_model("nano", "centerface", 1)
    assert told == [
        *(("nano", 68, 3), ("finder", 3), ("fast", 68, 2), ("centerface", 2)),
        *(("nano", 68, 1), ("centerface", 1)),
    ]


def test_six_threads_find_what_one_finds(parts: TrackerParts) -> None:
    pictures = [square_picture((30 + i, 50, 21 + i % 10)) for i in range(60)]
    serial = [[face.to_dict() for face in mien.find_faces(one)] for one in pictures]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(mien.find_faces, pictures))
    assert [[face.to_dict() for face in faces] for faces in found] == serial


def test_a_folder_is_tracked_file_by_file(parts: TrackerParts, tmp_path: Path) -> None:
    for name in "ba":
        Image.fromarray(PICTURE).save(tmp_path / f"{name}.png")
    (tmp_path / "c.png").write_text("no picture")
    seen = []

    def run() -> None:
        for frame, faces in mien.track(tmp_path, parts.tracker()):
            seen.append((Path(frame.source).name, frame.index, [face.track_id for face in faces]))

    with pytest.raises(InputError, match=r"c\.png"):
        run()
    assert seen == [("a.png", 0, [0]), ("b.png", 0, [0])]


def test_what_of_a_folder_is_left_out_is_logged(
    parts: TrackerParts, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)  # a command that ran before may have set another
    (tmp_path / "in").mkdir()
    for name in ("a.png", "in/b.png"):
        Image.fromarray(PICTURE).save(tmp_path / name)
    seen = [Path(frame.source).name for frame, _ in mien.track(tmp_path, parts.tracker())]
    assert seen == ["a.png"]
    (record,) = caplog.records
    assert record.name.startswith("mien.")
    assert record.getMessage().endswith("left out 1 folder inside (recursive=True reads them)")
    caplog.clear()
    every = mien.track(tmp_path, parts.tracker(), recursive=True)
    assert [Path(frame.source).name for frame, _ in every] == ["a.png", "b.png"]
    assert not caplog.records


def test_a_face_is_json(parts: TrackerParts) -> None:
    (face,) = mien.find_faces(PICTURE)
    read = json.loads(json.dumps(face.to_dict()))
    keys = {"track_id", "score", "box", "pose", "points", "confidence", "expression"}
    keys |= {"head_matrix", "iris"}
    assert set(read) == keys
    assert read["expression"] is read["head_matrix"] is read["iris"] is None
    smiling = dataclasses.replace(face, expression=Expression(("jawOpen",), np.array([0.25])))
    assert smiling.to_dict()["expression"] == {"jawOpen": 0.25}
    np.testing.assert_array_equal(read["points"], face.landmarks.points_image)
    assert read["box"]["right"] == face.box.right
    assert read["pose"]["yaw_deg"] == face.pose.yaw_deg


def test_a_data_frame_holds_what_the_table_holds(parts: TrackerParts, tmp_path: Path) -> None:
    Image.fromarray(PICTURE).save(tmp_path / "a.png")
    Image.fromarray(square_picture()).save(tmp_path / "b.png")
    table = mien.to_dataframe(mien.track(tmp_path, parts.tracker()))
    assert list(table.columns[:5]) == ["clip", "frame", "time_secs", "track_id", "score"]
    assert str(table.dtypes["track_id"]) == "Int64"
    assert table.track_id.tolist() == [0, pandas.NA]
    assert table.loc[0, [f"x_{i}" for i in range(68)]].mean() == pytest.approx(60, abs=0.6)


def test_details_are_there_when_asked_for(parts: TrackerParts, tmp_path: Path) -> None:
    Image.fromarray(PICTURE).save(tmp_path / "a.png")
    where = tmp_path / "a.png"
    ((_, (plain,)),) = mien.track(where, parts.tracker())
    assert plain.expression is plain.head_matrix is None
    tracked = list(mien.track(where, parts.tracker(), blendshapes=True, fov_deg=70))
    face = tracked[0][1][0]
    assert 0 <= face.expression["jawOpen"] <= 1
    table = mien.to_dataframe(tracked)
    assert table.head_z_cm[0] == pytest.approx(face.head_position_cm[2], abs=1e-3)
    assert table.jawOpen[0] == pytest.approx(face.expression["jawOpen"], abs=1e-4)
    assert "tongueOut" not in table
