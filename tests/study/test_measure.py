"""``mien measure`` on tables of ``mien track``, and on what is none."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from command import mien
from scene import DARK, Scene

Capture = pytest.CaptureFixture[str]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_study_is_summed_up(capsys: Capture, scene: Scene, tmp_path: Path, ending: str) -> None:
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / "out" / f"study.{ending}"
    assert mien(capsys, "track", scene.folder, "--table", path, *scene.options).code == 0
    done = mien(capsys, "measure", path)
    assert (done.code, done.err) == (0, "")
    clips = {row["clip"]: row for row in read(path.parent / "study.per-clip.csv")}
    assert {name: int(row["frames"]) for name, row in clips.items()} == {
        "a": 20,
        "b": 12,
        "c, d": 16,
    }
    assert float(clips["a"]["face_share"]) == pytest.approx(1 - DARK / 20, abs=1e-4)
    persons = read(path.parent / "study.per-person.csv")
    assert [(row["clip"], row["person"]) for row in persons] == [
        ("a", "0"),
        ("b", "0"),
        ("c, d", "0"),
    ]
    assert float(persons[0]["at_camera_share"]) == 1.0
    assert read(path.parent / "study.events.csv") == []
    assert mien(capsys, "measure", path).code == 0


def test_a_clips_own_table_is_measured_from_its_points(
    capsys: Capture, scene: Scene, tmp_path: Path
) -> None:
    words = ("--out", tmp_path / "o", "--table", tmp_path / "t.csv", "--no-overlay", *scene.options)
    assert mien(capsys, "track", scene.folder, *words).code == 0
    assert mien(capsys, "measure", tmp_path / "o" / "a.csv", "--out", tmp_path / "m").code == 0
    assert mien(capsys, "measure", tmp_path / "t.csv", "--out", tmp_path / "m").code == 0
    (single,) = read(tmp_path / "m" / "a.per-person.csv")
    study = read(tmp_path / "m" / "t.per-person.csv")[0]
    for name in ("eye_right_open", "mouth_width", "brow_left_height", "size_px"):
        assert float(single[name]) == pytest.approx(float(study[name]), rel=2e-3)


def test_what_is_no_table_is_one_line(capsys: Capture, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("clip,age\na,3\n")
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    ragged = tmp_path / "ragged.csv"
    ragged.write_text("clip,frame,time_secs,track_id\na,0,0.0\n")
    endless = tmp_path / "endless.csv"
    endless.write_bytes(bytes(200_000))
    timeless = tmp_path / "timeless.csv"
    head = "frame,time_secs,track_id,yaw_deg,pitch_deg,roll_deg\n"
    timeless.write_text(f"{head}0,0,0,1,2,3\n1,,0,1,2,3\n")
    for path in (
        other,
        empty,
        ragged,
        endless,
        timeless,
        tmp_path / "none.csv",
        tmp_path / "table.xlsx",
    ):
        done = mien(capsys, "measure", path)
        assert (done.code, done.err.count("\n")) == (2, 1), path
    own = tmp_path / "study.events.csv"
    own.write_text("mine\n")
    (tmp_path / "study.csv").write_text("clip,frame,time_secs,track_id\n")
    done = mien(capsys, "measure", tmp_path / "study.csv")
    assert done.code == 2
    assert "mien did not write" in done.err
    assert own.read_text() == "mine\n"
