"""Clips: labels lie where the pixels are, times are those of the file, runs go on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from clay import KnownFaces
from typer.testing import CliRunner

from mien.cli.data import data_app
from mien.datasets.ours.pack import read_pack
from mien.errors import ConfigError, DataError, OutputError
from mien.synthesis.fit.anchors import Anchors
from mien.synthesis.fit.fits import fit_photos
from mien.synthesis.head.morphable import MorphableHead
from mien.synthesis.make.actor import Actor
from mien.synthesis.make.clips import ClipRecipe, write_clip
from mien.synthesis.make.motion import HeadMotion, blink_curve, frame_times, smooth_path
from mien.synthesis.make.scenes import FilmFrame, Passer, Way, draw_passer, draw_way, film
from mien.synthesis.make.session import SynthesisSession

SIZE = (160, 120)


@pytest.fixture(scope="module")
def actors(known_faces: KnownFaces, head: MorphableHead, anchors: Anchors) -> list[Actor]:
    photos = read_pack(known_faces.table)
    session = SynthesisSession(head, photos, fit_photos(head, photos, anchors), anchors)
    return [Actor(session, row) for row in (0, 3)]


def still(frames: int, yaw: float = 0.0) -> HeadMotion:
    nothing = np.zeros(frames)
    return HeadMotion(nothing + yaw, nothing, nothing, nothing, nothing)


def way(*centres: tuple[float, float], face_px: float = 30.0) -> Way:
    return Way(np.array(centres, np.float64), np.full(len(centres), face_px))


def play(
    actors: list[Actor], motions: list[HeadMotion], ways: list[Way], *passers: Passer
) -> list[FilmFrame]:
    return list(film(actors, motions, ways, passers, SIZE))


def test_the_label_moves_with_the_face(actors: list[Actor]) -> None:
    here, there = play(actors[:1], [still(2)], [way((60, 60), (85, 52))])
    moved = there.points_image - here.points_image
    np.testing.assert_allclose(moved[0, :, :2], [[25, -8]] * 68, atol=1e-3)
    # So does the picture: the whole plane moved, but for the rim of what was bent.
    before = here.image[45:75, 45:75].astype(int)
    after = there.image[37:67, 70:100].astype(int)
    assert np.abs(before - after).mean() < 4


def test_a_face_out_of_the_frame_has_no_label(actors: list[Actor]) -> None:
    frames = play(actors[:1], [still(3)], [way((80, 60), (159, 60), (260, 60))])
    assert np.isfinite(frames[0].points_image).all()
    half = frames[1].points_image[0, :, 0]
    assert frames[1].hidden[0][half > 159.5].all()
    assert (half > 159.5).any()
    assert np.isnan(frames[2].points_image).all()
    assert frames[2].hidden.all()
    assert np.isnan(frames[2].yaw_deg).all()


def test_the_nearer_face_hides_the_other(actors: list[Actor]) -> None:
    aside, over = play(actors, [still(2)] * 2, [way((50, 60), (80, 60)), way((130, 60), (80, 60))])
    alone, _ = play(actors[:1], [still(2)], [way((50, 60), (80, 60))])
    np.testing.assert_array_equal(aside.hidden[0], alone.hidden[0])
    assert over.hidden[0].all()
    assert not over.hidden[1].all()
    assert over.points_image.shape == (2, 68, 3)
    assert np.isfinite(over.points_image).all()


def test_something_that_passes_hides_what_it_covers(actors: list[Actor]) -> None:
    texture = np.full((2, 2, 3), (0, 0, 255), np.uint8)
    passer = Passer(np.array([[80.0, 60.0]]), (9, 7), 0.0, texture)
    (free,) = play(actors[:1], [still(1)], [way((80, 60))])
    (frame,) = play(actors[:1], [still(1)], [way((80, 60))], passer)
    away = (frame.points_image[0, :, :2] - [80, 60]) / [9, 7]
    inside = np.hypot(*away.T)
    assert frame.hidden[0][inside < 0.85].all()
    assert (inside < 0.85).any()
    clear = inside > 1.15
    np.testing.assert_array_equal(frame.hidden[0][clear], free.hidden[0][clear])
    assert frame.image[60, 80].tolist() == [0, 0, 255]


def test_motion_is_smooth_and_reaches_both_profiles() -> None:
    times = np.arange(750) / 25
    for seed in range(4):
        motion = HeadMotion.draw(times, np.random.default_rng(seed))
        assert motion.yaw_deg.min() < -85
        assert motion.yaw_deg.max() > 85
        assert np.abs(motion.yaw_deg).max() <= 90
        assert np.abs(np.diff(motion.yaw_deg)).max() < 20
        assert motion.blink.max() == 1
        assert (motion.blink == 0).mean() > 0.6
        assert motion.mouth.min() == 0
        assert 0.3 < motion.mouth.max() <= 1


def test_paths_stay_in_their_span_and_ways_leave_and_come_back() -> None:
    rng = np.random.default_rng(1)
    times = np.arange(250) / 25
    path = smooth_path(times, (5, 9), rng)
    assert path.min() >= 5
    assert path.max() <= 9
    alone = draw_way(times, (640, 360), 0, 1, rng).centre[:, 0]
    assert ((alone < -50) | (alone > 690)).any()
    assert 0 < alone[0] < 640
    left, right = (draw_way(times, (640, 360), n, 2, rng).centre[:, 0] for n in range(2))
    assert (np.diff(np.sign(left - right)) != 0).sum() >= 2
    passer = draw_passer(times, draw_way(times, (640, 360), 0, 2, rng), rng)
    assert (passer.centre[0] < -1000).all()
    assert (passer.centre[:, 0] > -1000).any()
    assert blink_curve(np.zeros(1), rng).shape == (1,)


def test_faces_leave_and_come_in_no_faster_than_people_walk() -> None:
    times = np.arange(250) / 25
    for seed in range(20):
        way = draw_way(times, (640, 360), 0, 1, np.random.default_rng(seed))
        speed = np.linalg.norm(np.diff(way.centre, axis=0), axis=1) * 25 / way.face_px[1:]
        assert 3 < speed.max() < 10


def test_the_same_frames_and_times_give_the_same_file(tmp_path: Path) -> None:
    """Uneven times too: five files of which none differs."""
    rng = np.random.default_rng(0)
    ground = cv2.GaussianBlur(rng.integers(0, 255, (240, 360, 3)).astype(np.uint8), (0, 0), 4)
    pictures = [np.ascontiguousarray(ground[n : n + 180, n : n + 320]) for n in range(15)]
    times = np.cumsum(rng.choice([1 / 50, 1 / 30, 1 / 8], 15))
    for number in range(5):
        write_clip(tmp_path / f"{number}.mp4", iter(pictures), times)
    assert len({file.read_bytes() for file in tmp_path.iterdir()}) == 1


@pytest.mark.parametrize("variable", [False, True])
def test_the_file_keeps_the_times(tmp_path: Path, variable: bool) -> None:
    times = frame_times(2.0, variable, np.random.default_rng(3))
    steps = np.diff(times)
    assert bool(np.ptp(steps) > 0.02) is variable
    pictures = [np.full((64, 80, 3), 3 * n, np.uint8) for n in range(len(times))]

    def frames() -> Iterator[np.ndarray]:
        yield from pictures

    write_clip(tmp_path / "clip.mp4", frames(), times)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        decoded = list(container.decode(video=0))
    assert [frame.width for frame in decoded] == [80] * len(times)
    found = np.array([frame.time for frame in decoded])
    np.testing.assert_allclose(found - found[0], times, atol=2e-5)
    tones = [frame.to_ndarray(format="gray").mean() for frame in decoded]
    assert np.corrcoef(tones, np.arange(len(times)))[0, 1] > 0.99


def test_the_command_makes_clips_and_goes_on(
    known_faces: KnownFaces, head_file: Path, anchors_file: Path, tmp_path: Path
) -> None:
    def run(words: str) -> str:
        return CliRunner().invoke(data_app, words, catch_exceptions=False).output

    fits, out = tmp_path / "fits.npz", tmp_path / "clips"
    run(f"fit {known_faces.table.parent} --model {head_file} --out {fits} --anchors {anchors_file}")
    words = f"video {fits} --out {out} --clips 2 --seconds 0.2 --size 96 64 --seed 5 "
    words += f"--several-faces 0.5 --variable-rate 0 --anchors {anchors_file}"
    run(words)
    manifest = json.loads((out / "manifest.json").read_text())
    assert sorted(len(clip["source_path"]) for clip in manifest["clips"])[0] == 1
    assert sorted(clip["faces"] for clip in manifest["clips"])[1] in (2, 3)
    for clip in manifest["clips"]:
        assert all(path.startswith("test-") for path in clip["source_path"])
    with np.load(out / "clip-0001.npz") as label:
        faces = manifest["clips"][1]["faces"]
        assert label["points"].shape == (faces, 5, 68, 3)
        assert label["hidden"].shape == (faces, 5, 68)
        before = label["points"]
    capture = cv2.VideoCapture(str(out / "clip-0000.mp4"))
    assert capture.get(cv2.CAP_PROP_FRAME_WIDTH) == 96
    capture.release()
    whole = (out / "clip-0000.npz").stat().st_mtime_ns
    (out / "clip-0001.npz").unlink()
    assert manifest["timed"]["clips"] == 2
    assert "1: " in run(words)
    assert json.loads((out / "manifest.json").read_text())["timed"]["clips"] == 1
    assert (out / "clip-0000.npz").stat().st_mtime_ns == whole
    with np.load(out / "clip-0001.npz") as label:
        np.testing.assert_array_equal(label["points"], before)
    with pytest.raises(OutputError, match="something else"):
        run(words.replace("--seed 5", "--seed 6"))
    with pytest.raises(DataError, match="split nowhere"):
        run(words + " --split nowhere")


def test_frames_with_odd_sides_are_refused() -> None:
    with pytest.raises(ConfigError, match="even"):
        ClipRecipe(1, width=101)
