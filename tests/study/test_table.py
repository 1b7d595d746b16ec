"""One table of many files, and what run.json says of it."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from command import mien
from scene import DARK, Scene, write_boxes, write_clip, write_photo

Capture = pytest.CaptureFixture[str]
FRAMES = {"a": 20, "b": 12, "c, d": 16}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_one_table_has_a_row_a_face_and_frame_of_every_file(
    capsys: Capture, scene: Scene, tmp_path: Path
) -> None:
    path = tmp_path / "out" / "study.csv"
    done = mien(capsys, "track", scene.folder, "--table", path, *scene.options)
    assert (done.code, done.err) == (0, "")
    assert sorted(one.name for one in path.parent.iterdir()) == [
        "run.json",
        "study.csv",
        "study.points.csv",
    ]
    rows = table(path)
    for clip, frames in FRAMES.items():
        own = [row for row in rows if row["clip"] == clip]
        assert [int(row["frame"]) for row in own] == list(range(frames))
        assert [row["track_id"] for row in own] == [""] * DARK + ["0"] * (frames - DARK)
        assert own[0]["yaw_deg"] == own[0]["eye_right_open"] == ""
        for row in own[DARK:]:
            assert float(row["time_secs"]) == pytest.approx(int(row["frame"]) / 25)
            width, height = (
                float(row[f"box_{one}"]) - float(row[f"box_{other}"])
                for one, other in (("right", "left"), ("bottom", "top"))
            )
            assert float(row["size_px"]) == pytest.approx(np.sqrt(width * height), rel=1e-3)
        # The square goes 2 px a frame, 25 frames a second.
        speeds = [float(row["head_speed_sizes_per_sec"]) for row in own[DARK + 5 :]]
        size = float(own[-1]["size_px"])
        assert np.median(speeds) == pytest.approx(50 / size, rel=0.15)
        assert own[DARK]["head_speed_sizes_per_sec"] == ""
    points = table(path.parent / "study.points.csv")
    assert len(points) == sum(FRAMES.values()) - 3 * DARK
    assert list(points[0])[:4] == ["clip", "frame", "track_id", "x_0"]
    assert list(points[0])[-1] == "v_67"
    assert all(0 <= float(row["v_30"]) <= 1 for row in points)


def test_csv_and_parquet_hold_the_same(capsys: Capture, scene: Scene, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    words = ("track", scene.folder, "--points", "inside", *scene.options)
    for ending in ("csv", "parquet"):
        path = tmp_path / ending / f"study.{ending}"
        assert mien(capsys, *words, "--table", path).code == 0
        assert not (path.parent / f"study.points.{ending}").exists()
    read = pandas.read_parquet(tmp_path / "parquet" / "study.parquet")
    assert str(read["track_id"].dtype) == "Int64"
    assert read["track_id"].isna().sum() == 3 * DARK
    assert str(read["frame"].dtype) == "int64"
    text = pandas.read_csv(tmp_path / "csv" / "study.csv", dtype={"track_id": "Int64"})
    assert list(text.columns) == list(read.columns)
    assert "x_67" in text.columns
    for name in text.columns:
        if name == "clip":
            assert text[name].tolist() == read[name].tolist()
        else:
            np.testing.assert_array_equal(
                text[name].to_numpy(float, na_value=np.nan),
                read[name].to_numpy(float, na_value=np.nan),
            )


def test_run_json_says_what_made_it(capsys: Capture, scene: Scene, tmp_path: Path) -> None:
    (scene.folder / "notes.txt").write_text("hello")
    inside = scene.folder / "second day"
    inside.mkdir()
    (inside / "e.mp4").write_bytes(b"not looked at")
    path = tmp_path / "out" / "study.csv"
    words = ("track", scene.folder, "--table", path, "--points", "none", *scene.options)
    done = mien(capsys, *words)
    assert done.code == 0
    assert "; 1 folder inside (--recursive reads them)" in done.out
    told = json.loads((path.parent / "run.json").read_text())
    assert told["complete"] is True
    assert [one["clip"] for one in told["files"]] == list(FRAMES)
    for one in told["files"]:
        video = scene.folder / f"{one['clip']}.mp4"
        assert one["sha256"] == hashlib.sha256(video.read_bytes()).hexdigest()
        assert one["bytes"] == video.stat().st_size
        assert (one["state"], one["frame_rate"], one["frames"]) == (
            "done",
            25.0,
            FRAMES[one["clip"]],
        )
        assert (one["width"], one["height"], one["tracks"]) == (160, 120, 1)
    assert told["left_out"] == [str(scene.folder / "notes.txt"), f"{inside}/"]
    model = Path(scene.options[1])
    assert told["model"]["sha256"] == {model.name: hashlib.sha256(model.read_bytes()).hexdigest()}
    assert {"mien", "numpy", "onnxruntime"} <= told["versions"].keys()
    (only,) = told["tables"]
    assert only["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_bad_file_is_told_and_tried_again(capsys: Capture, scene: Scene, tmp_path: Path) -> None:
    whole = (scene.folder / "b.mp4").read_bytes()
    path = tmp_path / "out" / "study.csv"
    words = ("track", scene.folder, "--table", path, *scene.options)
    assert mien(capsys, *words).code == 0
    unbroken = path.read_bytes(), (path.parent / "study.points.csv").read_bytes()
    (scene.folder / "b.mp4").write_text("no video")
    again = mien(capsys, *words)
    assert again.code == 2
    assert "b: the file has changed since" in again.err
    assert "2 of 3 files done" in again.out
    assert {row["clip"] for row in table(path)} == {"a", "c, d"}
    told = json.loads((path.parent / "run.json").read_text())
    assert told["complete"] is False
    assert [one["state"] for one in told["files"]] == ["done", "failed", "done"]
    (scene.folder / "b.mp4").write_bytes(whole)
    mended = mien(capsys, *words)
    assert mended.code == 0
    assert "2 of 3 files were done before" in mended.err
    assert mended.out.startswith("b: 12 frames")
    assert (path.read_bytes(), (path.parent / "study.points.csv").read_bytes()) == unbroken


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_files_come_and_go(capsys: Capture, scene: Scene, tmp_path: Path, ending: str) -> None:
    """A finished study takes one more file without the others being tracked again."""
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / "out" / f"study.{ending}"
    words = ("track", scene.folder, "--table", path, *scene.options)
    assert mien(capsys, *words).code == 0
    before = path.read_bytes()
    again = mien(capsys, *words)
    assert (again.code, again.out) == (0, f"all 3 files are done already, in {path}\n")
    (tmp_path / "no.mp4").write_text("no video")
    refused = mien(capsys, *words[:2], tmp_path / "none.mp4", *words[2:])
    assert refused.code == 2
    assert "none.mp4" in refused.err
    refused = mien(capsys, *words[:2], tmp_path / "none.mp4", *words[2:])
    assert (refused.code, "none.mp4" in refused.err) == (2, True), "told again"
    write_clip(scene.folder / "bb.mp4", frames=9)
    more = mien(capsys, *words)
    assert (more.code, more.out.count("bb: 9 frames"), more.out.count("a: 20")) == (0, 1, 0)
    assert "1 file more than in the run before" in more.err
    assert path.read_bytes() != before
    (scene.folder / "bb.mp4").unlink()
    less = mien(capsys, *words)
    assert (less.code, less.out) == (0, f"3 of 3 files done, results in {path}\n")
    assert "no longer among the files" in less.err
    assert path.read_bytes() == before
    assert not (tmp_path / "out" / "study.parts").exists()


def test_other_options_are_noticed(capsys: Capture, scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "out" / "study.csv"
    words = ("track", scene.folder, "--table", path, *scene.options)
    assert mien(capsys, *words).code == 0
    other = mien(capsys, *words, "--no-smooth")
    assert other.code == 2
    assert other.err.count("\n") == 1
    assert "settings.tracker.smoothing" in other.err
    assert mien(capsys, *words, "--no-smooth", "--no-resume").code == 0
    assert (
        json.loads((path.parent / "run.json").read_text())["settings"]["tracker"]["smoothing"]
        is None
    )


def test_one_folder_holds_one_study(capsys: Capture, scene: Scene, tmp_path: Path) -> None:
    words = ("track", scene.folder, *scene.options)
    assert mien(capsys, *words, "--table", tmp_path / "out" / "one.csv").code == 0
    record = (tmp_path / "out" / "run.json").read_bytes()
    for more in ((), ("--no-resume",), ("--overwrite",)):
        other = mien(capsys, *words, "--table", tmp_path / "out" / "two.csv", *more)
        assert (other.code, other.err.count("\n")) == (2, 1)
        assert "into another folder" in other.err
    assert (tmp_path / "out" / "run.json").read_bytes() == record


def test_a_table_that_was_altered_is_made_anew(
    capsys: Capture, scene: Scene, tmp_path: Path
) -> None:
    path = tmp_path / "out" / "study.csv"
    words = ("track", scene.folder, "--table", path, *scene.options)
    assert mien(capsys, *words).code == 0
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    again = mien(capsys, *words)
    assert again.code == 0
    assert "is not as the run before left it" in again.err
    assert path.read_bytes() == whole


def test_what_cannot_be_is_refused_before_any_work(
    capsys: Capture, scene: Scene, tmp_path: Path
) -> None:
    foreign = tmp_path / "study.csv"
    foreign.write_text("my,own\n1,2\n")
    for words, said in (
        (("--table", foreign), "mien did not write"),
        (("--table", tmp_path / "study.xlsx"), ".csv or .parquet"),
        ((), "--out FOLDER"),
        (("--table", tmp_path / "t.csv", "--format", "glb"), "--format glb"),
        (("--table", tmp_path / "t.csv", "--timeline"), "--timeline"),
        (("--out", tmp_path / "o", "--points", "inside"), "--points"),
    ):
        done = mien(capsys, "track", scene.folder, *words, *scene.options)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert said in done.err
    assert foreign.read_text() == "my,own\n1,2\n"
    camera = mien(capsys, "track", "0", "--table", tmp_path / "t.csv", *scene.options)
    assert camera.code == 2
    assert "made of files" in camera.err


def test_photos_and_sequences_are_clips_too(capsys: Capture, scene: Scene, tmp_path: Path) -> None:
    from scene import square_at

    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(5):
        write_photo(frames / f"f_{number:03d}.png", square_at(DARK + number))
    photo = write_photo(tmp_path / "photo.png", square_at(DARK))
    boxes = write_boxes(tmp_path / "all.csv", frames=5)
    options = [*scene.options[:2], "--detector", f"boxes:{boxes}", "--threads", "1"]
    path = tmp_path / "out" / "study.csv"
    done = mien(capsys, "track", photo, frames / "f_%03d.png", "--table", path, *options)
    assert (done.code, done.err) == (0, "")
    assert [row["clip"] for row in table(path)] == ["photo", *["f"] * 5]


def test_files_a_clip_and_the_table_at_once(capsys: Capture, scene: Scene, tmp_path: Path) -> None:
    path, out = tmp_path / "study.csv", tmp_path / "out"
    words = ("track", scene.folder, "--table", path, "--out", out, "--no-overlay", *scene.options)
    assert mien(capsys, *words).code == 0
    with (out / "a.csv").open(newline="") as file:
        single = list(csv.DictReader(file))
    study = [row for row in table(path) if row["clip"] == "a"]
    assert [row["yaw_deg"] for row in study] == [row["yaw_deg"] for row in single]


def test_details_are_columns_of_the_study(capsys: Capture, scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "out" / "study.csv"
    words = ("track", scene.folder, "--table", path, "--blendshapes", "--metric", *scene.options)
    assert mien(capsys, *words).code == 0
    row = table(path)[DARK]
    assert 0 <= float(row["jawOpen"]) <= 1
    assert float(row["head_z_cm"]) > 0
    assert list(row)[-1] == "head_rz_deg"


def test_names_that_clash_are_told_or_kept_apart(
    capsys: Capture, scene: Scene, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ("track", scene.folder, "--out", out, "--no-overlay", *scene.options)
    clash = mien(capsys, *words, "--table", out / "a.csv")
    assert (clash.code, clash.err.count("\n")) == (2, 1)
    assert "a clip's own file" in clash.err
    (scene.folder / "b.mp4").rename(scene.folder / "run.mp4")
    assert mien(capsys, *words).code == 0
    assert "frames_decoded" in json.loads((out / "run.json").read_text())
    assert json.loads((out / "all.run.json").read_text())["complete"] is True
