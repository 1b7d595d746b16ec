"""Tracks joined into persons: A, B, A is 0, 1, 0; who stand side by side are two."""

from __future__ import annotations

import csv
from pathlib import Path

import av
import numpy as np
import pytest
from command import mien
from scene import Scene, write_clip

import mien.study.persons as persons_module
from mien.errors import InputError
from mien.markup import load_markup
from mien.measures import ClipRows
from mien.study.persons import join_tracks, persons_of, read_persons, with_persons
from mien.study.record import FileRecord, fingerprint

Capture = pytest.CaptureFixture[str]
A, B, C = np.eye(3)
"""Signatures of three people."""


def seen(person: np.ndarray, frames: int = 3) -> np.ndarray:
    """As they vary a little."""
    rng = np.random.default_rng(int(person.argmax()))
    numbers = person + rng.normal(0, 0.1, (frames, 3))
    return numbers / np.linalg.norm(numbers, axis=1, keepdims=True)


def test_who_comes_back_is_the_same() -> None:
    looks = {0: seen(A), 1: seen(B), 2: seen(A, 5), 3: seen(C), 4: seen(A, 1)}
    groups = [group for group, _ in join_tracks(looks, set())]
    assert sorted(groups) == [[0, 2, 4], [1], [3]]


def test_two_in_one_frame_are_two_however_alike() -> None:
    looks = {0: seen(A), 1: seen(A, 5), 2: seen(A, 4)}
    groups = [group for group, _ in join_tracks(looks, {(0, 1)})]
    assert len(groups) == 2
    assert {0, 1} not in map(set, groups)


def test_what_was_not_seen_well_is_joined_with_nobody() -> None:
    looks = {0: seen(A), 1: np.zeros((0, 1)), 2: np.zeros((0, 1))}
    assert [group for group, _ in join_tracks(looks, set())] == [[0], [1], [2]]
    between = {0: seen(A), 1: np.array([[0.6, 0.8, 0.0]])}
    assert len(join_tracks(between, set(), least=0.9)) == 2
    ((_, least),) = join_tracks(between, set(), least=0.5)
    assert least == pytest.approx(0.6, abs=0.1)


class Coloured:
    """A stand-in whose signature is the colour between the points."""

    def signature(self, image_rgb: np.ndarray, points: np.ndarray) -> np.ndarray:
        x, y = points[:, :2].mean(axis=0).astype(int)
        colour = image_rgb[y, x].astype(float)
        return np.asarray(colour / np.linalg.norm(colour))


def write_colours(path: Path, *colours: tuple[int, int, int]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for colour in colours:
            picture = np.full((120, 160, 3), colour, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_persons_are_numbered_as_they_appear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persons_module, "load_appearance", Coloured)
    red, blue = (220, 10, 10), (10, 10, 220)
    path = write_colours(tmp_path / "a.mp4", *[red] * 6, *[blue] * 6, *[red] * 6)
    tracks = np.repeat([0.0, 1.0, 2.0], 6)
    frames = np.arange(18.0)
    zero = np.zeros(18)
    columns = {"frame": frames, "time_secs": frames / 25, "track_id": tracks}
    columns |= dict.fromkeys(("yaw_deg", "pitch_deg", "roll_deg"), zero)
    columns["quality"] = np.full(18, 0.9)
    rows = ClipRows.of("a", columns | {"eye_right_open": zero})
    shape = load_markup(68).mean_shape * 40 + np.array([80, 60, 0])
    points = {(frame, frame // 6): shape for frame in range(18)}
    file = FileRecord("a", str(path), print=fingerprint(str(path)))
    told = persons_of(rows, points, file)
    assert [(one.track_id, one.person_id) for one in told] == [(0, 0), (1, 1), (2, 0)]
    assert told[0].frames_read == 6
    assert told[0].least_likeness > 0.9
    assert np.isnan(told[1].least_likeness)
    assert told[2].first_secs == pytest.approx(12 / 25)
    joined = with_persons(rows, {("a", one.track_id): one.person_id for one in told})
    assert [(one.person, len(one.secs)) for one in joined.persons()] == [(0, 12), (1, 6)]
    with pytest.raises(InputError, match="track 2 is not in the table"):
        with_persons(rows, {("a", 0): 0, ("a", 1): 1})
    with pytest.raises(InputError, match="no points of track 0 in frame"):
        persons_of(rows, {(17, 2): shape}, file)
    path.write_bytes(b"another")
    with pytest.raises(InputError, match="not the file"):
        persons_of(rows, points, file)


@pytest.mark.parametrize("words", [(), ("--points", "inside")])
def test_a_study_has_persons_and_their_sums(
    capsys: Capture, scene: Scene, tmp_path: Path, words: tuple[str, ...]
) -> None:
    table = tmp_path / "out" / "study.csv"
    assert mien(capsys, "track", scene.folder, "--table", table, *words, *scene.options).code == 0
    done = mien(capsys, "persons", table)
    assert (done.code, done.err) == (0, "")
    path = table.with_name("study.persons.csv")
    with path.open(newline="", encoding="utf-8") as file:
        told = [(row["clip"], row["track_id"], row["person_id"]) for row in csv.DictReader(file)]
    assert told == [("a", "0", "0"), ("b", "0", "0"), ("c, d", "0", "0")]
    assert mien(capsys, "measure", table, "--persons", path).code == 0
    assert mien(capsys, "persons", table).code == 0  # its own file is replaced
    wrong = mien(capsys, "measure", table, "--persons", table)
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)


def test_persons_need_points_and_a_record(capsys: Capture, scene: Scene, tmp_path: Path) -> None:
    table = tmp_path / "out" / "study.csv"
    words = ("track", scene.folder, "--table", table, "--points", "none", *scene.options)
    assert mien(capsys, *words).code == 0
    no_points = mien(capsys, "persons", table)
    assert (no_points.code, no_points.err.count("\n")) == (2, 1)
    assert "has no points" in no_points.err
    table.with_name("run.json").unlink()
    no_record = mien(capsys, "persons", table)
    assert (no_record.code, no_record.err.count("\n")) == (2, 1)
    assert not table.with_name("study.persons.csv").exists()


def test_a_clip_without_a_face_has_nobody(capsys: Capture, scene: Scene, tmp_path: Path) -> None:
    write_clip(scene.folder / "aa.mp4", frames=5, dark=5)
    for words in ((), ("--points", "inside")):
        table = tmp_path / f"out{len(words)}" / "study.csv"
        track = ("track", scene.folder, "--table", table, *words, *scene.options)
        assert mien(capsys, *track).code == 0
        done = mien(capsys, "persons", table)
        assert (done.code, done.err) == (0, "")
        told = table.with_name("study.persons.csv").read_text()
        assert [line.split(",")[0] for line in told.splitlines()[1:]] == ["a", "b", '"c']


def test_points_of_other_rows_are_refused(capsys: Capture, scene: Scene, tmp_path: Path) -> None:
    table = tmp_path / "out" / "study.csv"
    assert mien(capsys, "track", scene.folder, "--table", table, *scene.options).code == 0
    points = table.with_name("study.points.csv")
    head, *lines = points.read_text().splitlines(keepends=True)
    points.write_text("".join([head, *(line for line in lines if not line.startswith("b,"))]))
    done = mien(capsys, "persons", table)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "has no points of b" in done.err
    assert not table.with_name("study.persons.csv").exists()


def test_a_table_of_persons_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.persons.csv"
    path.write_text("clip,track_id,person_id\na,0,0\na,1\n")
    with pytest.raises(InputError, match="not a table of mien persons"):
        read_persons(path)
