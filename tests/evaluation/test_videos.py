"""Tracked faces against true ones, frame by frame, with figures one can count by hand."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from mien.cli import evaluate as command
from mien.datasets.ours.clips import LabelledClip
from mien.errors import ConfigError, DataError
from mien.evaluation import evaluate_videos as measuring
from mien.evaluation.video_score import VideoScore
from mien.evaluation.videos import VideoTruth, moved_faces, score_video
from mien.geometry.convention import Convention, in_convention
from mien.markup import load_markup
from mien.types import Box, Detection, Face, HeadPose, Landmarks
from standin import CARD, square_picture, write_standin

MEAN = load_markup(68).mean_shape
SIZE = 50.0


def points_at(x: float, *, opening: float | None = None) -> np.ndarray:
    """The mean head there, both eyes opened by so many px if that is said."""
    points = MEAN * SIZE + [x, 90, 0]
    if opening is not None:
        for start in (36, 42):
            points[start + 1 : start + 3, 1] = 80 - opening / 2
            points[start + 4 : start + 6, 1] = 80 + opening / 2
            points[[start + 5, start + 4], 0] = points[[start + 1, start + 2], 0]
    return points


def clip_of(truths: Sequence[Sequence[np.ndarray | None]]) -> VideoTruth:
    """Of each face its points in each frame; ``None`` while it is out of the frame."""
    nothing = np.full((68, 3), np.nan)
    points = np.stack([[nothing if one is None else one for one in face] for face in truths])
    yaw = np.where(np.isfinite(points[:, :, 0, 0]), 0.0, np.nan)
    faces, frames = yaw.shape
    hidden = np.zeros((faces, frames, 68), bool)
    clip = LabelledClip("c", Path("c.mp4"), np.arange(frames) / 25, points, hidden, yaw, False)
    return VideoTruth.of_clip(clip)


def face(track_id: int, points: np.ndarray) -> Face:
    return Face(track_id, 0.9, Landmarks(points, np.ones(68)), HeadPose(0, 0, 0))


def test_a_face_that_is_followed_is_measured() -> None:
    truths = [points_at(100 + 10 * t) for t in range(4)]
    tracked = [[face(7, points + np.array([1.0, 0, 0]))] for points in truths]
    score = score_video(clip_of([truths]), tracked)
    assert (score.frames, score.face_frames, score.missed, score.tracks) == (4, 4, 0, 1)
    assert (score.id_switches, score.false_tracks, score.false_face_frames) == (0, 0, 0)
    np.testing.assert_allclose(score.errors, 1 / SIZE, rtol=1e-4)
    assert score.nme_by_yaw == [pytest.approx(0.02, rel=1e-4), None, None]
    assert score.jitter == pytest.approx(0, abs=1e-9)  # a steady error does not tremble


def test_jitter_is_the_second_difference_of_the_error() -> None:
    truths = [points_at(100 + 10 * t) for t in range(5)]
    steps = [0.0, 1.0, 0.0, 0.0, 2.0]  # px to the right of the truth
    tracked = [
        [face(0, points + np.array([step, 0, 0]))]
        for points, step in zip(truths, steps, strict=True)
    ]
    score = score_video(clip_of([truths]), tracked)
    np.testing.assert_allclose(score.jitters, np.array([2, 1, 2]) / SIZE, rtol=1e-4)
    tracked[2] = []  # no three frames running are left
    assert score_video(clip_of([truths]), tracked).jitter is None


def test_missed_faces_switched_numbers_and_ghosts_are_counted() -> None:
    here, there, nowhere = points_at(100), points_at(250), points_at(400)
    first = [here] * 6
    second = [there, there, None, None, there, there]  # leaves the frame and comes back
    tracked = [
        [face(0, here), face(1, there)],
        [face(0, here), face(1, there)],
        [],  # the first is missed
        [face(0, here), face(2, nowhere)],
        [face(3, here), face(4, there), face(2, nowhere)],  # found under new numbers
        [face(3, here), face(4, there)],
    ]
    score = score_video(clip_of([first, second]), tracked)
    assert score.face_frames == 10
    assert score.missed == 1
    assert score.id_switches == 1  # the second had left: its new number is no switch
    assert score.tracks == 5
    assert (score.false_tracks, score.false_face_frames) == (1, 2)
    assert np.isfinite(score.errors).sum() == 9
    assert score.failure_rate_07 == pytest.approx(0.1)


def test_a_number_handed_over_after_a_gap_is_a_switch() -> None:
    truths = [points_at(100)] * 4
    tracked = [[face(0, truths[0])], [], [], [face(1, truths[0])]]
    score = score_video(clip_of([truths]), tracked)
    assert (score.id_switches, score.missed) == (1, 2)


def test_where_faces_cross_a_number_stays_on_its_face() -> None:
    """The face behind is not found; for a frame the track in front lies nearer to it."""
    front, behind = [points_at(100)] * 3, [points_at(150), points_at(103), points_at(60)]
    tracked = [
        [face(0, front[0]), face(1, behind[0])],
        [face(0, points_at(103))],
        [face(0, front[2]), face(1, behind[2])],
    ]
    score = score_video(clip_of([front, behind]), tracked)
    assert (score.id_switches, score.missed) == (0, 1)
    tracked[2] = [face(1, front[2]), face(0, behind[2])]  # they do change numbers
    assert score_video(clip_of([front, behind]), tracked).id_switches == 2


def test_faces_that_nobody_can_see_are_counted_apart() -> None:
    truths = [points_at(100)] * 3
    clip = clip_of([truths])
    hidden = np.zeros((1, 3, 68), bool)
    hidden[0, 1, :51] = True  # a quarter is in sight
    hidden[0, 2, :52] = True
    clip = dataclasses.replace(clip, hidden=hidden)
    score = score_video(clip, [[], [], []])
    assert (score.face_frames, score.missed) == (3, 3)
    assert (score.seen.tolist(), score.missed_seen) == ([True, True, False], 2)
    assert score_video(dataclasses.replace(clip, hidden=None), [[], [], []]).missed_seen == 3


def test_each_true_face_has_one_tracked_face() -> None:
    """Two tracks on one face: the nearer counts, the other is on no face."""
    truths = [points_at(100)] * 2
    tracked = [[face(0, points_at(103)), face(1, points_at(100))]] * 2
    score = score_video(clip_of([truths]), tracked)
    np.testing.assert_allclose(score.errors, 0, atol=1e-9)
    assert (score.false_tracks, score.false_face_frames, score.id_switches) == (1, 2, 0)


def test_blinks_are_measured_where_eyes_are_seen() -> None:
    truths = [points_at(100, opening=0), points_at(100, opening=4)]
    clip = clip_of([truths])
    clip.hidden[0, 0, 42:48] = True  # the left eye of the first frame
    tracked = [[face(0, points_at(100, opening=1))], [face(0, points_at(100, opening=1))]]
    score = score_video(clip, tracked)
    corners = truths[0][[36, 39, 42, 45]]
    right, left = np.linalg.norm(corners[::2] - corners[1::2], axis=1)
    np.testing.assert_allclose(score.eye_errors_shut, [1 / right])
    np.testing.assert_allclose(score.eye_errors_open, [3 / right, 3 / left])


def test_faces_are_moved_to_where_the_clips_have_their_points() -> None:
    truth = points_at(100)
    elsewhere = in_convention(truth, Convention.CLICKED, Convention.MIDDLE)
    tracked = [[face(3, elsewhere)], []]
    moved = moved_faces(tracked, Convention.MIDDLE, Convention.CLICKED)
    assert [[one.track_id for one in faces] for faces in moved] == [[3], []]
    clip = clip_of([[truth] * 2])
    assert score_video(clip, tracked).errors[0] > 0.004
    assert score_video(clip, moved).errors[0] < 0.001  # but for what the rigid fit sees otherwise


def test_clips_are_joined_by_their_face_frames() -> None:
    short = score_video(clip_of([[points_at(100)]]), [[face(0, points_at(101))]])
    truths = [points_at(100)] * 3
    long = score_video(clip_of([truths]), [[face(0, points_at(105))]] * 3)
    whole = VideoScore.joined("all", [short, long])
    assert (whole.frames, whole.face_frames, whole.tracks) == (4, 4, 2)
    assert whole.nme == pytest.approx((1 + 3 * 5) / 4 / SIZE, rel=1e-4)
    assert whole.nme_by_yaw[1:] == [None, None]


def test_a_label_of_another_length_is_refused() -> None:
    with pytest.raises(DataError, match="has 0 frames, its label 1"):
        score_video(clip_of([[points_at(100)]]), [])


class SquareDetector:
    def find(self, frame: Frame) -> list[Detection]:
        rows, columns = np.nonzero(frame.image_rgb[..., 0] > 128)
        edges = columns.min(), rows.min(), columns.max(), rows.max()
        return [Detection(Box(*map(float, edges)), 1.0)]


def write_clip(folder: Path, frames: int) -> None:
    """A square that walks; the truth lies 2 px beside what the stand-in sees in it."""
    folder.mkdir()
    squares = [(50.0 + 2 * index, 60.0, 41) for index in range(frames)]
    with av.open(str(folder / "clip-0000.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.bit_rate = 4_000_000
        for square in squares:
            picture = av.VideoFrame.from_ndarray(square_picture(square), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    points = np.stack([MEAN * 41 + np.array([x + 2, y, 0]) for x, y, _ in squares])
    np.savez(
        folder / "clip-0000.npz",
        time_secs=np.arange(frames) / 25,
        points=points[None],
        hidden=np.zeros((1, frames, 68), bool),
        yaw_deg=np.zeros((1, frames)),
        variable_rate=False,
    )


def run(*words: object) -> str:
    app = typer.Typer()
    app.command()(command.evaluate)
    ran = CliRunner().invoke(app, [str(word) for word in words])
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return ran.output


def test_the_command_follows_a_folder_of_clips(
    tmp_path: Path, standin_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_clip(tmp_path / "clips", frames=8)
    monkeypatch.setattr(measuring, "open_detector", lambda words, threads: SquareDetector())
    file = tmp_path / "r.json"
    shown = run("clips", tmp_path / "clips", "--model", standin_model, "--json", file,
                "--threads", 1)  # fmt: skip
    result = json.loads(file.read_text())
    assert (result["clips"], result["frames"], result["missed"]) == (1, 8, 0)
    assert result["nme"] == pytest.approx(2 / 41, abs=0.01)
    assert result["per_clip"][0]["name"] == "clip-0000"
    assert (result["init"], result["model"]) == ("video", "standin")
    assert result["command"].startswith("mien evaluate clips clips --model ")
    assert "jitter" in shown
    assert "as_clicked" not in result
    middle = write_standin(tmp_path / "m.onnx", dataclasses.replace(CARD, convention="middle"))
    run("clips", tmp_path / "clips", "--model", middle, "--json", file, "--threads", 1)
    moved = json.loads(file.read_text())["as_clicked"]
    assert (moved["frames"], moved["missed"], moved["clips"]) == (8, 0, 1)
    assert moved["nme"] != pytest.approx(result["nme"], abs=1e-4)
    with pytest.raises(ConfigError, match="leave them out"):
        run("clips", tmp_path / "clips", "--json", file, "--mirror")


def write_300vw(root: Path) -> None:
    """The clip of ``write_clip`` as video 410, labelled in every third frame, pixels from 1."""
    write_clip(root / "clips", frames=8)
    (root / "410" / "annot").mkdir(parents=True)
    (root / "clips" / "clip-0000.mp4").rename(root / "410" / "vid.avi")
    with np.load(root / "clips" / "clip-0000.npz") as label:
        points = label["points"][0, :, :, :2]
    for index in (0, 3, 6):
        rows = "\n".join(f"{x + 1:.4f} {y + 1:.4f}" for x, y in points[index])
        text = f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n"
        (root / "410" / "annot" / f"{index + 1:06}.pts").write_text(text)


def test_300vw_is_measured_between_its_labels(
    tmp_path: Path, standin_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_300vw(tmp_path)
    monkeypatch.setattr(measuring, "open_detector", lambda words, threads: SquareDetector())
    file = tmp_path / "r.json"
    words = ("300vw", tmp_path, "--model", standin_model, "--json", file, "--threads", 1)
    shown = run(*words)
    result = json.loads(file.read_text())
    # Frames 0 to 6: the last of the eight lies behind the last label.
    assert (result["clips"], result["frames"], result["missed"]) == (1, 7, 0)
    assert result["nme"] == pytest.approx(2 / 41, abs=0.01)
    assert set(result["bins"].values()) == {None}  # nobody knows the yaw
    assert "yaw" not in shown
    assert result["failure_rate_07"] == 0
    with pytest.raises(ConfigError, match="category-1"):
        run(*words, "--split", "category-4")
    with pytest.raises(ConfigError, match="--videos"):
        run("menpo3d-videos", tmp_path, "--json", file)


def test_a_sparse_label_counts_only_where_it_is() -> None:
    points = np.stack([points_at(100 + 10 * t) for t in range(6)])
    nowhere = face(5, points_at(400))
    tracked = [[face(1, each)] for each in points]
    tracked[2].append(nowhere)
    truth = VideoTruth("v", Path("v.mp4"), np.array([0, 1, 3, 4, 5]), points[[0, 1, 3, 4, 5]][None],
                       np.full((1, 5), np.nan), None, None, False)  # fmt: skip
    score = score_video(truth, tracked)
    assert (score.frames, score.face_frames, score.missed, score.false_face_frames) == (5, 5, 0, 0)
    assert len(score.jitters) == 1  # frames 3, 4 and 5 alone run on
    assert score.nme_by_yaw == [None, None, None]
    with pytest.raises(DataError, match="5 frames"):
        score_video(truth, tracked[:5])


def test_of_84_points_the_68_among_them_are_measured() -> None:
    jaw = load_markup(84).mean_shape * SIZE
    truth = VideoTruth("v", Path("v.mp4"), np.array([0]), jaw[None, None], np.full((1, 1), np.nan),
                       np.ones((1, 1, 84), bool), None, False).to_68()  # fmt: skip
    assert truth.points_image.shape == (1, 1, 68, 3)
    assert truth.hidden is not None
    np.testing.assert_array_equal(truth.points_image[0, 0, 8], jaw[16])  # the chin
    assert truth.to_68() is truth
