"""``mien track`` on what people have: clips, photos, folders."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scene import (
    DARK,
    FRAMES,
    Done,
    Scene,
    count_frames,
    middle,
    read_rows,
    square_at,
    write_photo,
)

from mien.tracking import TrackerSettings
from standin import CARD, write_standin

Mien = Callable[..., Done]


def test_a_clip_becomes_a_table_an_overlay_and_a_summary(
    mien: Mien, scene: Scene, tmp_path: Path
) -> None:
    out = tmp_path / "made" / "for" / "it"
    done = mien("track", scene.clip, "--out", out, "--no-smooth", *scene.options)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"clip: {FRAMES} frames, {FRAMES - DARK} with a face, 1 face, ")
    assert sorted(path.name for path in out.iterdir()) == [
        "clip.csv",
        "clip.json",
        "clip.overlay.mp4",
    ]
    rows = read_rows(out / "clip.csv")
    assert [int(row["frame"]) for row in rows] == list(range(FRAMES))
    assert [row["track_id"] for row in rows] == [""] * DARK + ["0"] * (FRAMES - DARK)
    for index, row in enumerate(rows):
        assert float(row["time_secs"]) == pytest.approx(index / 25)
        if index >= DARK:
            np.testing.assert_allclose(middle(row), square_at(index)[:2], atol=1.0)
            assert abs(float(row["yaw_deg"])) < 2
    assert count_frames(out / "clip.overlay.mp4") == FRAMES
    summary = json.loads((out / "clip.json").read_text())
    assert summary["frames_decoded"] == FRAMES
    assert summary["frames_with_face"] == FRAMES - DARK
    assert summary["tracks"] == 1
    assert summary["model"] == "standin"
    assert summary["fps"] == pytest.approx(FRAMES / summary["seconds"], rel=0.01)
    assert set(summary["stage_seconds"]) == {"decode", "detect", "landmarks", "write"}


def test_a_photo_becomes_a_table_and_a_drawn_photo(
    mien: Mien, scene: Scene, tmp_path: Path
) -> None:
    photo = write_photo(tmp_path / "photo.png", square_at(DARK))
    done = mien("track", photo, "--out", tmp_path / "out", *scene.options)
    assert (done.code, done.err) == (0, "")
    assert (tmp_path / "out" / "photo.overlay.png").stat().st_size > 0
    (row,) = read_rows(tmp_path / "out" / "photo.csv")
    np.testing.assert_allclose(middle(row), square_at(DARK)[:2], atol=0.5)


@pytest.mark.parametrize(("words", "last"), [((), 67), (("--markup", "84"), 83)])
def test_a_model_of_84_points_gives_68_unless_asked(
    mien: Mien, scene: Scene, tmp_path: Path, words: tuple[str, ...], last: int
) -> None:
    photo = write_photo(tmp_path / "photo.png", square_at(DARK))
    model = write_standin(tmp_path / "large.onnx", dataclasses.replace(CARD, markup=84))
    options = [*scene.options, "--model", model]
    done = mien("track", photo, "--out", tmp_path / "out", *words, *options)
    assert (done.code, done.err) == (0, "")
    (row,) = read_rows(tmp_path / "out" / "photo.csv")
    assert list(row)[-1] == f"c_{last}"
    assert json.loads((tmp_path / "out" / "photo.json").read_text())["markup"] == last + 1


def test_each_photo_of_a_folder_stands_for_itself(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_photo(scene.folder / f"{name}.png", square_at(DARK))
    done = mien("track", scene.folder, "--out", tmp_path / "out", *scene.options)
    assert (done.code, done.err) == (0, "")
    assert "3 of 3 files done" in done.out
    assert [read_rows(tmp_path / "out" / f"{name}.csv")[0]["track_id"] for name in "ab"] == [
        "0"
    ] * 2


def test_no_face_is_a_result(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    photo = write_photo(tmp_path / "empty.png")
    done = mien("track", photo, "--out", tmp_path / "out", *scene.options)
    assert (done.code, done.err) == (0, "")
    assert "no face found in 1 frame," in done.out
    (row,) = read_rows(tmp_path / "out" / "empty.csv")
    assert (row["frame"], row["track_id"], row["x_0"]) == ("0", "", "")


def test_one_bad_file_does_not_stop_the_others(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    (scene.folder / "bad.jpg").write_text("no photo")
    write_photo(scene.folder / "good.png", square_at(DARK))
    done = mien("track", scene.folder, "--out", tmp_path / "out", *scene.options)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "bad.jpg" in done.err
    assert "2 of 3 files done" in done.out
    assert len(read_rows(tmp_path / "out" / "clip.csv")) == FRAMES
    assert len(read_rows(tmp_path / "out" / "good.csv")) == 1


def test_a_video_cut_off_in_the_middle_keeps_its_whole_frames(
    mien: Mien, scene: Scene, tmp_path: Path
) -> None:
    from scene import write_clip

    whole = write_clip(tmp_path / "whole.avi", frames=60).read_bytes()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole[: len(whole) // 2])
    out = tmp_path / "out"
    done = mien("track", cut, "--out", out, *scene.options)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "cut off" in done.err
    kept = len(read_rows(out / "cut.csv"))
    assert 5 < kept < 60
    assert json.loads((out / "cut.json").read_text())["frames_decoded"] == kept
    assert count_frames(out / "cut.overlay.mp4") == kept
    assert f"cut: {kept} frames" in done.out


def test_the_overlay_may_be_left_out_and_the_table_be_json(
    mien: Mien, scene: Scene, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = mien(
        "track", scene.clip, "--out", out, "--no-overlay", "--format", "jsonl", *scene.options
    )
    assert done.code == 0
    assert sorted(path.name for path in out.iterdir()) == ["clip.json", "clip.jsonl"]
    rows = [json.loads(line) for line in (out / "clip.jsonl").read_text().splitlines()]
    assert [row["track_id"] for row in rows] == [None] * DARK + [0] * (FRAMES - DARK)


def test_a_table_in_parquet(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "out"
    done = mien(
        "track", scene.clip, "--out", out, "--no-overlay", "--format", "parquet", *scene.options
    )
    assert done.code == 0
    assert parquet.read_table(out / "clip.parquet").num_rows == FRAMES


def test_a_timeline_on_demand(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = mien("track", scene.clip, "--out", out, "--no-overlay", "--timeline", *scene.options)
    assert (done.code, done.err) == (0, "")
    assert (out / "clip.timeline.png").stat().st_size > 0


def test_running_twice_replaces_and_reads_no_output_as_input(
    mien: Mien, scene: Scene, tmp_path: Path
) -> None:
    """Results go where the inputs lie: the first run's overlay is no input of the second."""
    for _ in range(2):
        done = mien("track", scene.folder, "--out", scene.folder, *scene.options)
        assert done.code == 0
    assert len(list(scene.folder.glob("*.csv"))) == 1
    shutil.rmtree(scene.folder)


@pytest.mark.parametrize(
    ("words", "secs"), [([], TrackerSettings.held_secs), (["--seen-only"], 0.0)]
)
def test_faces_behind_others_are_left_out_if_asked(
    mien: Mien, scene: Scene, tmp_path: Path, words: list[str], secs: float
) -> None:
    table = tmp_path / "study.csv"
    done = mien("track", scene.clip, "--table", table, *words, *scene.options)
    assert (done.code, done.err) == (0, "")
    record = json.loads((tmp_path / "run.json").read_text("utf-8"))
    assert record["settings"]["tracker"]["held_secs"] == secs


def test_offline_smoothing_of_a_file(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    """A row a frame, overlay too, and the walking square where it was in each of them."""
    out = tmp_path / "out"
    done = mien("track", scene.clip, "--out", out, "--offline", *scene.options)
    assert (done.code, done.err) == (0, "")
    rows = read_rows(out / "clip.csv")
    assert [int(row["frame"]) for row in rows] == list(range(FRAMES))
    for index, row in enumerate(rows[DARK:], start=DARK):
        np.testing.assert_allclose(middle(row), square_at(index)[:2], atol=1.0)
    assert count_frames(out / "clip.overlay.mp4") == FRAMES


@pytest.mark.parametrize("words", [("clip.mp4", "--offline", "--no-smooth"), ("0", "--offline")])
def test_offline_smoothing_where_it_makes_no_sense(
    mien: Mien, scene: Scene, tmp_path: Path, words: tuple[str, ...]
) -> None:
    where, *options = words
    path = scene.folder / where if where != "0" else where
    done = mien("track", path, "--out", tmp_path / "out", *options, *scene.options)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "--offline" in done.err
