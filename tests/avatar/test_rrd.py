"""A recording for Rerun, read back by Rerun's own reader of files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from played import FRAMES, HIDDEN, RATE, Played

from mien.avatar import open_format
from mien.errors import ConfigError, OutputError
from mien.expression import SHAPES, Details
from mien.outputs import is_ours

pytest.importorskip("rerun")


def written(folder: Path, played: Played, details: Details) -> Path:
    sink = open_format("rrd", folder, "clip", points=68, rate=RATE, details=details)
    with sink:
        for frame, faces in played.frames:
            sink.write(frame, faces)
    (path,) = folder.iterdir()
    assert path.name == "clip.rrd"
    return path


def read(path: Path) -> dict[str, dict[str, list[Any]]]:
    """Columns of every entity, as long as each other: ``None`` where a chunk lacks one."""
    from rerun.chunk import RrdReader

    found: dict[str, dict[str, list[Any]]] = {}
    lengths: dict[str, int] = {}
    for chunk in RrdReader(str(path)).stream():
        batch, place = chunk.to_record_batch(), chunk.entity_path
        told, before = found.setdefault(place, {}), lengths.get(place, 0)
        for name in set(batch.schema.names) | set(told):
            cells = told.setdefault(name, [None] * before)
            if name not in batch.schema.names:
                cells.extend([None] * batch.num_rows)
            elif name in ("time", "log_time"):
                cells.extend(batch.column(name).cast("int64").to_pylist())
            else:
                cells.extend(batch.column(name).to_pylist())
        lengths[place] = before + batch.num_rows
    return found


def values(entity: dict[str, list[Any]], ending: str) -> np.ndarray:
    (name,) = (name for name in entity if name.endswith(ending))
    return np.array([one for one in entity[name] if one is not None])


@pytest.fixture
def recording(tmp_path: Path, played: Played) -> dict[str, dict[str, list[Any]]]:
    return read(written(tmp_path, played, Details(True, True)))


def test_points_box_and_numbers_of_each_face(
    recording: dict[str, dict[str, list[Any]]], played: Played
) -> None:
    shown = [index for index in range(FRAMES) if index not in HIDDEN]
    points = [played.frames[index][1][0].landmarks.points_image for index in shown]
    flat = values(recording["/picture/face-3"], "positions")
    np.testing.assert_allclose(flat, np.array(points)[..., :2], atol=1e-3)
    deep = values(recording["/space/face-3"], "positions")
    np.testing.assert_allclose(deep, np.array(points), atol=1e-3)
    boxes = [played.frames[index][1][0].box for index in shown]
    halves = values(recording["/picture/face-3/box"], "half_sizes")[:, 0]
    np.testing.assert_allclose(halves[:, 0] * 2, [box.width for box in boxes], rtol=1e-5)
    pose = values(recording["/numbers/face-3/pose"], "scalars")
    np.testing.assert_allclose(pose[:, 0], 30)
    np.testing.assert_allclose(pose[:, 1], [-10 + index / 2 for index in shown])
    assert values(recording["/numbers/face-5/score"], "scalars").ravel().tolist() == [0.8, 0.8]


def test_times_are_those_of_the_frames(recording: dict[str, dict[str, list[Any]]]) -> None:
    told = recording["/numbers/face-3/score"]
    assert told["frame"] == [index for index in range(FRAMES) if index not in HIDDEN]
    secs = np.array(told["time"]) / 1e9
    np.testing.assert_allclose(secs, np.array(told["frame"]) / RATE, atol=1e-6)


def test_shapes_have_their_names(
    recording: dict[str, dict[str, list[Any]]], played: Played
) -> None:
    told = recording["/numbers/face-3/blendshapes"]
    assert values(told, "names").tolist() == [list(SHAPES)]
    strengths = values(told, "scalars")
    assert strengths.shape == (FRAMES - len(HIDDEN), len(SHAPES))
    np.testing.assert_allclose(strengths[-1], played.strengths(FRAMES - 1))


def test_the_head_in_space(recording: dict[str, dict[str, list[Any]]], played: Played) -> None:
    told = recording["/head/face-3"]
    np.testing.assert_allclose(values(told, "translation")[0, 0], played.place_cm(0), rtol=1e-6)
    turn = values(told, "mat3x3")[0, 0].reshape(3, 3).T  # by columns
    np.testing.assert_allclose(turn, played.rotation(0), atol=1e-6)


def test_a_face_that_is_gone_is_taken_from_the_picture(
    recording: dict[str, dict[str, list[Any]]],
) -> None:
    told = recording["/picture/face-3"]
    (name,) = (name for name in told if "is_recursive" in name)
    cleared = [frame for frame, clear in zip(told["frame"], told[name], strict=True) if clear]
    assert cleared == [HIDDEN[0]]


def test_what_was_not_asked_for_is_not_there(tmp_path: Path, played: Played) -> None:
    names = read(written(tmp_path, played, Details()))
    assert not [name for name in names if "blendshapes" in name or name.startswith("/head/")]


def test_it_is_known_as_ours_and_others_are_not(tmp_path: Path, played: Played) -> None:
    path = written(tmp_path, played, Details())
    assert is_ours(path)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\n\x04mien", b"\n\x04mine"))
    assert not is_ours(path)
    path.write_bytes(b"RRF2")
    assert not is_ours(path)


def test_an_interruption_keeps_what_was_seen(tmp_path: Path, played: Played) -> None:
    sink = open_format("rrd", tmp_path, "clip", points=68, rate=RATE, details=Details())

    def run() -> None:
        with sink:
            for frame, faces in played.frames[:8]:
                sink.write(frame, faces)
            assert [path.name for path in tmp_path.iterdir()] == ["clip.rrd.part"]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert read(tmp_path / "clip.rrd")["/numbers/face-3/score"]["frame"] == list(range(8))


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "clip.rrd").mkdir()
    with pytest.raises(OutputError, match="a folder has this name"):
        open_format("rrd", tmp_path, "clip", points=68, rate=RATE, details=Details())


def test_a_disk_that_is_full_is_one_line_and_leaves_nothing(
    tmp_path: Path, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    import rerun

    def full(recording: Any) -> None:
        raise RuntimeError("File-writer thread shut down prematurely")

    monkeypatch.setattr(rerun.RecordingStream, "flush", full)
    with pytest.raises(OutputError, match=r"clip\.rrd: cannot be written"):
        written(tmp_path, played, Details())
    assert not list(tmp_path.iterdir())


def test_without_the_extra_it_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rerun", None)
    monkeypatch.delitem(sys.modules, "mien.avatar.rrd", raising=False)
    with pytest.raises(ConfigError, match=r"pip install 'mien\[rerun\]'"):
        open_format("rrd", tmp_path, "clip", points=68, rate=RATE, details=Details())
    assert not list(tmp_path.iterdir())
