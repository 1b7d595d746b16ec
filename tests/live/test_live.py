"""The loop with a screen that presses keys by a script, and the command as a person calls it."""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from mien.cli import main
from mien.live import LiveOptions, open_live, run_live
from mien.live.pace import Pace
from mien.live.recorder import Recorder
from mien.live.sources import FilePlayed
from mien.markup import load_markup
from mien.media import open_source
from mien.pipeline import TrackerParts
from mien.report import read_table
from mien.runtime import load_landmarkers
from mien.tracking import Tracker
from mien.types import Box, Detection, Face, Frame
from patience import PATIENCE_SECS, came, until
from standin import square_picture

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
virtual_screen = importlib.import_module("virtual_screen")
MARKUP = load_markup(68)


class Finder:
    def find(self, frame: Frame) -> list[Detection]:
        rows, columns = (frame.image_rgb[..., 0] > 128).nonzero()
        if not len(rows):
            return []
        edges = (columns.min(), rows.min() - 4, columns.max(), rows.max() - 4)
        return [Detection(Box(*map(float, edges)), 1.0)]


class Keys:
    """A screen that keeps what it shows and answers with keys by the number of the picture."""

    def __init__(self, keys: dict[int, str]) -> None:
        self._keys = keys
        self.shown: list[np.ndarray] = []
        self.closed = 0

    def show(self, image_rgb: np.ndarray) -> str:
        self.shown.append(image_rgb)
        return self._keys.get(len(self.shown), "")

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for index in range(50):
            picture = square_picture((60 + index % 25, 60, 31))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def parts(standin_model: Path) -> TrackerParts:
    return TrackerParts(load_landmarkers(str(standin_model), threads=1), Finder())


def test_keys_record_mirror_hide_recalibrate_and_quit(
    clip: Path, parts: TrackerParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slow the machine is, the source is never silent: each picture is a frame of its own.
    monkeypatch.setattr("mien.live.loop._WAIT_SECS", PATIENCE_SECS)
    keys = {2: "r", 6: "r", 8: "h", 10: "m", 12: "h", 14: "c", 16: "r", 18: "q"}
    screen = Keys(keys)
    recorder = Recorder(tmp_path / "rec", "live", MARKUP, 25.0)
    source = open_live(str(clip), size=None, rate=25.0, again=True)
    tracker = parts.tracker()
    result = run_live(source, tracker, MARKUP, recorder, screen, LiveOptions())
    assert (len(screen.shown), screen.closed) == (18, 1)
    assert result.frames_tracked == result.frames_with_face == 18
    assert result.frames_arrived == result.frames_tracked + result.frames_dropped
    assert 0 < result.latency_ms_median <= result.latency_ms_p95
    # Hidden after key 8: the picture is grey alone; the points' colours are gone.
    assert np.ptp(screen.shown[7][:, :640].astype(int), axis=2).max() > 50
    assert np.ptp(screen.shown[8][:, :640].astype(int), axis=2).max() < 30
    # Frames 3 to 6, and 17 to 18: a recording ends with the window.
    first, second = recorder.tables
    assert len(read_table(first).frames) == 4
    assert len(read_table(second).frames) == 2
    assert read_table(first).times_secs[0] == 0
    for table in (first, second):
        with av.open(str(table.with_suffix("")) + ".overlay.mp4") as video:
            assert sum(1 for _ in video.decode(video=0)) == len(read_table(table).frames)
    assert len(list((tmp_path / "rec").iterdir())) == 4  # no parts, no replaced file


def test_mirrored_pictures_are_mirrored(clip: Path, parts: TrackerParts, tmp_path: Path) -> None:
    windows = {}
    for mirror in (False, True):
        screen = Keys({1: "q"})
        source = open_live(str(clip), size=None, rate=None)
        recorder = Recorder(tmp_path, "live", MARKUP, 25.0)
        run_live(source, parts.tracker(), MARKUP, recorder, screen, LiveOptions(mirror=mirror))
        windows[mirror] = screen.shown[0]
    plain, mirrored = (windows[way][:, :640].mean(axis=(0, 2)) for way in (False, True))
    assert np.abs(plain[::-1] - mirrored).mean() < np.abs(plain - mirrored).mean()
    assert recorder.tables == []


def test_a_slow_tracker_drops_frames_and_stays_at_the_newest(
    clip: Path, parts: TrackerParts, tmp_path: Path
) -> None:
    class Counted(FilePlayed):
        kept = 0

        def __iter__(self) -> Iterator[Frame]:
            for self.kept, frame in enumerate(super().__iter__()):
                yield frame
            self.kept += 1

    source = Counted(open_source(clip), 50.0, False, None)

    class Slow(Tracker):
        """Ready when five more frames have come."""

        def __init__(self) -> None:
            self.indices: list[int] = []

        def update(self, frame: Frame, time_secs: float | None = None) -> list[Face]:
            self.indices.append(frame.index)
            until(lambda: source.kept >= min(frame.index + 6, 50))
            return []

    slow = Slow()
    recorder = Recorder(tmp_path, "live", MARKUP, 25.0)
    result = run_live(source, slow, MARKUP, recorder, None, LiveOptions())
    assert result.frames_arrived == 50
    assert result.frames_dropped == 50 - len(slow.indices) > 20
    assert slow.indices[-1] == 49  # the last one is never lost
    # A queue of frames would hand out the next one.
    assert (np.diff(slow.indices)[:-1] >= 5).all()


def test_while_the_source_is_silent_keys_are_heard_and_the_window_lives(
    clip: Path, parts: TrackerParts, tmp_path: Path
) -> None:
    """A camera that hangs gave three frames: mirror, then quit, without another one. It gives in
    only after the window is gone and the recording whole."""
    left, gave_in = threading.Event(), list[bool]()

    class Hanging(FilePlayed):
        def __iter__(self) -> Iterator[Frame]:
            for index in range(3):
                yield Frame(square_picture((60, 60, 31)), index, index / 25)
            gave_in.append(left.wait(PATIENCE_SECS))

    class Patient(Keys):
        """Mirrors once the last frame is shown, and quits once that is seen."""

        def show(self, image_rgb: np.ndarray) -> str:
            super().show(image_rgb)
            return {6: "m", 8: "q"}.get(len(self.shown), "")

    class Recording(Recorder):
        def stop(self) -> None:
            super().stop()
            assert screen.closed
            left.set()

    screen, recorder = Patient({}), Recording(tmp_path, "live", MARKUP, 25.0)
    source = Hanging(open_source(clip), 25.0, False, None)
    options = LiveOptions(record=True)
    result = run_live(source, parts.tracker(), MARKUP, recorder, screen, options)
    assert gave_in == [True]
    assert len(read_table(recorder.tables[0]).times_secs) == result.frames_tracked <= 3
    assert (len(screen.shown), screen.closed) == (8, 1)
    still, mirrored = (screen.shown[n][:, :640].mean(axis=(0, 2)) for n in (5, 7))
    assert np.abs(still[::-1] - mirrored).mean() < np.abs(still - mirrored).mean()


def test_a_pace_of_long_ago_is_none() -> None:
    pace = Pace()
    for frame in range(50):
        pace.add(10 + frame / 25, 20.0)
    assert pace.fps == pytest.approx(25)
    pace.forget_before(11.0 + 2.0)
    assert pace.fps > 0
    pace.forget_before(20.0)
    assert (pace.fps, pace.recent_ms) == (0, 0)
    assert pace.percentile_ms(50) == 20


def test_without_a_window_it_measures(
    clip: Path, standin_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["live", clip, "--no-window", "--rate", "60", "--seconds", "0.5", "--record"]
    words += ["--model", standin_model, "--json", tmp_path / "a.json", "--out", tmp_path / "rec"]
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    assert not ended.value.code
    result = json.loads((tmp_path / "a.json").read_text())
    assert result["rate"] == 60
    assert result["frames_arrived"] == result["frames_tracked"] + result["frames_dropped"]
    assert result["seconds"] >= 0.5
    assert result["latency_ms_p95"] >= result["latency_ms_median"] > 0
    out = capsys.readouterr().out
    assert "latency" in out
    (table,) = (tmp_path / "rec").glob("*.csv")
    assert str(table) in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["live", "missing.mp4", "--no-window"], "no such file"),
        (["live", "99", "--no-window"], "camera 99: cannot be opened"),
        (["live", "--no-window", "--size", "large"], "--size is WIDTHxHEIGHT"),
        (["live"], "there is no display for a window"),
    ],
)
def test_a_mistake_is_one_line(
    words: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(SystemExit) as ended:
        main(words)
    err = capsys.readouterr().err
    assert ended.value.code == 2
    assert told in err
    assert err.count("\n") == 1


def test_a_display_that_does_not_answer_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPLAY", ":4711")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(SystemExit) as ended:
        main(["live"])
    assert ended.value.code == 2
    assert "cannot open a window here" in capsys.readouterr().err


def _shows(screen: object, colour: np.ndarray, live: subprocess.Popen[bytes]) -> bool:
    assert live.poll() is None
    return (screen.picture() == colour).all(axis=2).sum() > 20_000


@pytest.mark.skipif(
    re.search(r"GUI:\s+NONE", cv2.getBuildInformation()) is not None, reason="headless OpenCV"
)
@pytest.mark.skipif(virtual_screen.find_xvfb() is None, reason="no Xvfb here: apt-get install xvfb")
def test_the_window_opens_on_a_display_and_ends_with_130(clip: Path, standin_model: Path) -> None:
    code = "from mien.cli import main; import sys; main(sys.argv[1:])"
    words = ("live", str(clip), "--seconds", "900", "--model", str(standin_model))
    paper = np.array([24, 28, 36])
    with virtual_screen.VirtualScreen(1200, 800) as screen:
        environment = os.environ | {"DISPLAY": screen.name}
        environment.pop("WAYLAND_DISPLAY", None)
        for _ in range(4):  # without a window manager Qt now and then waits for ever to be shown
            with subprocess.Popen(
                [sys.executable, "-c", code, *words], env=environment, stderr=subprocess.PIPE
            ) as live:
                seen = came(lambda: _shows(screen, paper, live), patience_secs=60)
                live.send_signal(signal.SIGINT)
                live.communicate(timeout=PATIENCE_SECS)
                assert live.returncode == 130
            if seen:
                return
    pytest.fail("no window was seen")
