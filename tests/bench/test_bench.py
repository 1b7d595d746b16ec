"""Made crowds hold as many faces as they say, and a run's figures agree with each other."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mien.bench import Case, measure_case, write_crowd
from mien.cli import app
from mien.media import open_source


def test_a_crowd_is_a_grid_of_people_out_of_step(tmp_path: Path) -> None:
    clip = tmp_path / "crowd.mp4"
    write_crowd(clip, faces=2, width=640, height=320, frames=20)
    with open_source(str(clip)) as source:
        frames = list(source)
    assert len(frames) == 20
    assert frames[0].image_rgb.shape == (320, 640, 3)
    left, right = (frames[7].image_rgb[:, half] for half in (slice(320), slice(320, None)))
    ahead = frames[0].image_rgb[:, 320:]  # seven frames ahead of the left one
    seen = np.abs(left.astype(int) - ahead).mean()
    assert seen < 3.0 < np.abs(left.astype(int) - right).mean()


def test_no_faces_and_no_room_are_refused(tmp_path: Path) -> None:
    for faces, width in ((0, 640), (40, 64)):
        with pytest.raises(ValueError, match="do not fit"):
            write_crowd(tmp_path / "x.mp4", faces=faces, width=width, height=64, frames=1)


def test_a_case_counts_faces_and_times(tmp_path: Path) -> None:
    clip = tmp_path / "two.mp4"
    write_crowd(clip, faces=2, width=640, height=360, frames=24)
    found = measure_case(Case("nano", clip, 2, 360, threads=1))
    assert found.frames == 12
    assert found.faces_found == pytest.approx(2, abs=0.2)
    update_ms = sum(found.stages_ms[name] for name in ("detect", "landmarks", "rest"))
    assert min(found.stages_ms.values()) >= 0
    assert update_ms <= 1.01e3 / found.fps  # the update is part of the wall time
    assert found.update_ms_median <= found.update_ms_p95
    assert found.peak_mb > 50


def test_the_command_writes_medians_of_every_case(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    words = ["bench", "--model", "nano", "--faces", "1", "--height", "360", "--repeat", "1"]
    done = CliRunner().invoke(app, [*words, "--frames", "20", "--json", str(out)])
    assert done.exit_code == 0, done.output
    assert "round 1 of 1: nano, 1 faces, 360p" in done.stderr, "a log shows where it is"
    assert "…" not in done.stdout, "no figure is cut"
    kept = json.loads(out.read_text())
    asked = "--model nano --faces 1 --height 360 --frames 20 --repeat 1"
    assert kept["command"] == f"mien bench {asked}"  # run again, it is the same measurement
    (case,) = kept["cases"]
    assert (case["model"], case["faces"], case["height"]) == ("nano", 1, 360)
    (start,) = kept["start_up"]
    assert 0 < start["photo_ms"] < 1e3 * start["first_result_secs"]
    assert 0 < start["photo_cpu_ms"] < 1e3 * start["first_result_cpu_secs"]


def test_a_crowd_beyond_the_usual_is_followed_whole(tmp_path: Path) -> None:
    clip = tmp_path / "twelve.mp4"
    write_crowd(clip, faces=12, width=960, height=540, frames=24)
    found = measure_case(Case("nano", clip, 12, 540))
    assert found.faces_found == pytest.approx(12, abs=0.5)
    few = measure_case(Case("nano", clip, 12, 540, max_faces=3))
    assert few.faces_found == pytest.approx(3, abs=0.1)


def test_a_height_that_is_not_made_is_refused() -> None:
    done = CliRunner().invoke(app, ["bench", "--height", "720"])
    assert done.exit_code != 0
    assert "360, 1080" in str(done.exception)
