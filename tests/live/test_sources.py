"""Files played as cameras, and streams over the network."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from mien.errors import InputError
from mien.live import sources
from mien.live.sources import FilePlayed, open_live
from mien.media import SourceKind, open_source
from standin import square_picture


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for index in range(6):
            picture = square_picture((40 + 2 * index, 60, 31))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


class Clock:
    """A clock that only sleep moves, and whoever sets it."""

    def __init__(self) -> None:
        self.now_secs = 1000.0

    def monotonic(self) -> float:
        return self.now_secs

    def sleep(self, secs: float) -> None:
        assert secs >= 0
        self.now_secs += secs


def test_a_file_comes_at_the_rate_that_was_asked(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(sources, "time", clock)
    source = FilePlayed(open_source(clip), 50.0, False, None)
    came, at_secs = [], []
    for frame in source:
        came.append(frame)
        at_secs.append(clock.now_secs - 1000.0)
        if frame.index == 2:
            clock.now_secs += 0.05  # whoever takes them is late once
    assert [frame.index for frame in came] == list(range(6))
    np.testing.assert_allclose([frame.time_secs for frame in came], np.arange(6) / 50)
    # Each when it is due; late ones at once, and what is due later is not late.
    np.testing.assert_allclose(at_secs, [0, 0.02, 0.04, 0.09, 0.09, 0.10], atol=1e-9)
    assert (source.rate, source.kind) == (50.0, SourceKind.CAMERA)


@pytest.mark.parametrize("rate", [None, 100.0])
def test_a_file_begins_again_and_time_goes_on(clip: Path, rate: float | None) -> None:
    source = FilePlayed(open_source(clip), rate, True, (80, 80))
    frames = [frame for frame, _ in zip(source, range(14), strict=False)]
    assert [frame.index for frame in frames] == list(range(14))
    np.testing.assert_allclose(np.diff([f.time_secs for f in frames]), 1 / (rate or 25), atol=1e-6)
    assert {frame.image_rgb.shape for frame in frames} == {(60, 80, 3)}


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def address(clip: Path) -> Iterator[str]:
    """The clip's folder on loopback."""
    handler = functools.partial(_Quiet, directory=str(clip.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_stream_is_read_from_its_address(address: str) -> None:
    with open_live(f"{address}/clip.mp4", size=(80, 60), rate=None) as source:
        frames = list(source)
    assert [frame.index for frame in frames] == list(range(6))
    assert frames[0].image_rgb.shape == (60, 80, 3)
    times = [frame.time_secs for frame in frames]
    assert times == sorted(times)


def test_what_cannot_be_opened_is_one_line(address: str) -> None:
    for wrong in (f"{address}/missing.mp4", "http://127.0.0.1:9/", "missing.mp4"):
        with pytest.raises(InputError) as told, open_live(wrong, size=None, rate=None) as source:
            list(source)
        assert "\n" not in str(told.value)
