"""What a run says beside its results: limits that cut them, breaks, and how far it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from scene import Done, Scene, write_clip, write_photo

from mien.cli import progress
from mien.cli.progress import RunProgress
from mien.media import open_source
from mien.pipeline import Tally, TrackerParts
from mien.runtime import load_landmarkers, open_detector
from mien.runtime.detectors import CenterFace, Finder
from mien.study.notes import notes_on

Mien = Callable[..., Done]


def boxes_of(folder: Path, *squares: tuple[float, float, int], frames: int = 1) -> Path:
    """A detector's table of those squares."""
    lines = ["frame,left,top,right,bottom"]
    for frame in range(frames):
        for x, y, side in squares:
            lines.append(f"{frame},{x - side / 2},{y - side / 2 - 4},{x + side / 2},{y + side / 2}")
    file = folder / "faces.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_faces_beyond_the_limit_are_told(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    squares = [(35.0, 60.0, 21), (80.0, 60.0, 21), (125.0, 60.0, 21)]
    photo = write_photo(tmp_path / "three.png", *squares)
    options = (*scene.options[:2], "--detector", f"boxes:{boxes_of(tmp_path, *squares)}")
    done = mien("track", photo, "--out", tmp_path / "all", *options)
    assert "--max-faces" not in done.out  # a photo has room for all
    done = mien("track", photo, "--out", tmp_path / "two", "--max-faces", "2", *options)
    (note,) = [line for line in done.out.splitlines() if "--max-faces" in line]
    assert "3" in note
    assert "2" in note


def test_a_cut_file_says_so_in_its_summary(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.avi", frames=60).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    done = mien("track", tmp_path / "cut.avi", "--out", tmp_path / "out", *scene.options)
    assert done.code == 2
    summary = json.loads((tmp_path / "out" / "cut.json").read_text())
    assert summary["complete"] is False


def test_where_no_face_was_found_a_finer_search_is_named(
    standin_model: Path, tmp_path: Path
) -> None:
    pair = load_landmarkers(str(standin_model), threads=1)
    parts = TrackerParts(pair, open_detector("centerface:320"))
    source = open_source(str(write_photo(tmp_path / "empty.png")))
    tally = Tally(frames_decoded=1, size=(1920, 1080))
    assert notes_on(tally, parts, source) == ["--detector centerface:640 looks for smaller faces"]
    found = Tally(frames_decoded=1, frames_with_face=1, size=(1920, 1080))
    assert notes_on(found, parts, source) == []
    assert notes_on(Tally(frames_decoded=1, size=(300, 200)), parts, source) == []


@pytest.mark.parametrize(
    ("words", "size", "finer"),
    [
        ("centerface", (1920, 1080), None),  # searched as it is
        ("centerface", (640, 360), "centerface:640"),
        ("centerface", (8000, 6000), "centerface:3347"),  # twice 2.1 megapixels' long side
        ("centerface:512", (1920, 1080), "centerface:1024"),
        ("finder", (640, 360), None),
        ("finder", (1920, 1080), "finder:1687"),
    ],
)
def test_a_finer_search_is_finer_than_what_was_searched(
    words: str, size: tuple[int, int], finer: str | None
) -> None:
    detector = open_detector(words)
    assert isinstance(detector, CenterFace | Finder)
    assert detector.finer_words(*size) == finer


def test_a_log_gets_a_line_every_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A minute by a clock of the test's own, a frame every second."""
    now = 1000.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with RunProgress() as run, run.of("talk") as task:
        task.expect(60)
        for done in range(1, 61):
            now += 1.0
            task.show(done)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"mien: talk: {done} of 60 frames, 1.0 frames/s" for done in range(10, 61, 10)]
