"""Reader, tracker and sinks joined: nothing is lost, nothing hangs, whatever breaks."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pytest

from mien.errors import InputError, OutputError
from mien.media import SourceKind
from mien.outputs import Sink
from mien.pipeline import Tally, TrackerParts, find_faces, track_source
from mien.runtime import load_landmarkers
from mien.tracking import OfflineSettings, TrackerSettings
from mien.types import Box, Detection, Face, Frame
from standin import square_picture


class SquareDetector:
    """The box of what is bright."""

    def find(self, frame: Frame) -> list[Detection]:
        rows, columns = np.nonzero(frame.image_rgb[..., 0] > 128)
        if not len(rows):
            return []
        box = Box(float(columns.min()), float(rows.min()), float(columns.max()), float(rows.max()))
        return [Detection(box, 1.0)]


class ListSource:
    """Pictures at 25 a second; may break off."""

    name = "list"
    kind = SourceKind.VIDEO
    rate = 25.0

    def __init__(self, pictures: Sequence[np.ndarray], error: Exception | None = None) -> None:
        self._pictures = pictures
        self._error = error

    @property
    def frames_expected(self) -> int | None:
        return len(self._pictures)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def __iter__(self) -> Iterator[Frame]:
        for index, picture in enumerate(self._pictures):
            yield Frame(picture, index, index / 25)
        if self._error is not None:
            raise self._error


class ListSink(Sink):
    """Keeps what it is given; may be full after some frames, or slow."""

    def __init__(self, room: int = 10**6, pause_secs: float = 0.0) -> None:
        self.rows: list[tuple[int, list[Face]]] = []
        self.closed = 0
        self._room = room
        self._pause_secs = pause_secs

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        time.sleep(self._pause_secs)
        if len(self.rows) == self._room:
            raise OutputError("disk full")
        self.rows.append((frame.index, list(faces)))

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def parts(standin_model: Path) -> TrackerParts:
    pair = load_landmarkers(str(standin_model), threads=1)
    return TrackerParts(pair, SquareDetector(), TrackerSettings(smoothing=None))


def walk(count: int) -> list[np.ndarray]:
    """A square of 30 px that walks 2 px a frame, after three dark frames."""
    dark = [square_picture()] * 3
    return dark + [square_picture((40 + 2 * i, 60, 31)) for i in range(count - 3)]


def threads() -> int:
    return sum(thread.name.startswith("mien") for thread in threading.enumerate())


def test_every_frame_reaches_every_sink_in_order(parts: TrackerParts) -> None:
    tally, sinks, seen = Tally(), [ListSink(), ListSink(pause_secs=0.002)], []
    track_source(ListSource(walk(30)), parts, sinks, tally, seen.append)
    for sink in sinks:
        assert [index for index, _ in sink.rows] == list(range(30))
        assert [len(faces) for _, faces in sink.rows] == [0] * 3 + [1] * 27
        assert sink.closed == 1
    for index, faces in sinks[0].rows[3:]:
        middle = faces[0].landmarks.points_image[:, :2].mean(axis=0)
        np.testing.assert_allclose(middle, [40 + 2 * (index - 3), 60], atol=0.6)
    assert (tally.frames_decoded, tally.frames_with_face, tally.track_ids) == (30, 27, {0})
    assert len(seen) == 30
    assert tally.seconds > 0
    stages = tally.stages
    assert min(stages.decode, stages.detect, stages.landmarks, stages.write) > 0
    assert stages.write >= 0.05
    assert threads() == 0


def test_a_source_that_breaks_off_loses_no_whole_frame(parts: TrackerParts) -> None:
    tally, sink = Tally(), ListSink()
    with pytest.raises(InputError, match="cut off"):
        track_source(ListSource(walk(12), InputError("cut off")), parts, [sink], tally)
    assert len(sink.rows) == tally.frames_decoded == 12
    assert sink.closed == 1
    assert threads() == 0


@pytest.mark.parametrize("frames", [12, 60])
def test_a_sink_that_is_full_stops_the_run_and_closes_all(parts: TrackerParts, frames: int) -> None:
    tally, full, other = Tally(), ListSink(room=5), ListSink()
    with pytest.raises(OutputError, match="disk full"):
        track_source(ListSource(walk(frames)), parts, [other, full], tally)
    assert len(full.rows) == tally.frames_decoded == 5
    assert (full.closed, other.closed) == (1, 1)
    assert threads() == 0


def test_ctrl_c_keeps_what_was_tracked(parts: TrackerParts) -> None:
    tally, sink, calls = Tally(), ListSink(pause_secs=0.005), []

    def press(done: int) -> None:
        calls.append(done)
        if len(calls) == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        track_source(ListSource(walk(200)), parts, [sink], tally, press)
    assert len(sink.rows) == tally.frames_decoded == 10
    assert sink.closed == 1
    assert threads() == 0


def test_a_second_video_begins_anew(parts: TrackerParts) -> None:
    for _ in range(2):
        tally = Tally()
        track_source(ListSource(walk(6)), parts, [], tally)
        assert tally.track_ids == {0}


def test_photos_have_nothing_to_do_with_each_other(parts: TrackerParts) -> None:
    tracker = parts.tracker()
    (face,) = find_faces(square_picture((60, 50, 31)), tracker)
    assert face.track_id == 0
    assert find_faces(square_picture(), tracker) == []
    (face,) = find_faces(square_picture((100, 50, 31)), tracker)
    assert face.track_id == 0
    np.testing.assert_allclose(face.landmarks.points_image[:, :2].mean(axis=0), [100, 50], atol=0.6)


def offline(parts: TrackerParts) -> TrackerParts:
    settings = dataclasses.replace(parts.settings, smoothing=OfflineSettings())
    return dataclasses.replace(parts, settings=settings)


def test_two_sided_smoothing_gives_every_frame_its_own_faces_in_order(parts: TrackerParts) -> None:
    """A square that walks evenly is where it was; the faces belong to their pictures."""
    sinks = [ListSink(), ListSink(pause_secs=0.002)]
    track_source(ListSource(walk(40)), offline(parts), sinks, tally := Tally())
    assert tally.frames_decoded == 40
    for sink in sinks:
        assert [index for index, _ in sink.rows] == list(range(40))
        for index, faces in sink.rows[3:]:
            assert faces[0].box.centre[0] == pytest.approx(40 + 2 * (index - 3), abs=0.6)


def test_two_sided_smoothing_keeps_the_whole_frames_of_a_broken_file(parts: TrackerParts) -> None:
    sink = ListSink()
    with pytest.raises(InputError, match="torn"):
        track_source(ListSource(walk(20), InputError("torn")), offline(parts), [sink], Tally())
    assert [index for index, _ in sink.rows] == list(range(20))


def test_two_sided_smoothing_refuses_a_camera_and_does_nothing_to_a_photo(
    parts: TrackerParts,
) -> None:
    camera = ListSource(walk(5))
    camera.kind = SourceKind.CAMERA
    with pytest.raises(InputError, match="for files"):
        track_source(camera, offline(parts), [], Tally())
    photo, sink = ListSource([square_picture((80, 60, 31))]), ListSink()
    photo.kind = SourceKind.PHOTO
    track_source(photo, offline(parts), [sink], Tally())
    assert len(sink.rows[0][1]) == 1
