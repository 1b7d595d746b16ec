"""What has no end that could be sought: pipes, addresses, numbered pictures, webcams."""

from __future__ import annotations

import functools
import http.server
import io
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mien.errors import InputError
from mien.media import ReadAhead, SourceKind, list_inputs, open_source
from mien.types import Frame
from patience import until

LIVE = {"movflags": "frag_keyframe+empty_moov"}


@pytest.fixture
def through_pipe(tmp_path: Path) -> Iterator[object]:
    """``through_pipe(data)`` gives a named pipe in which the bytes come in pieces."""
    threads: list[threading.Thread] = []

    def write(place: Path, data: bytes) -> None:
        with place.open("wb") as pipe:
            for start in range(0, len(data), 5000):
                try:
                    pipe.write(data[start : start + 5000])
                    pipe.flush()
                except BrokenPipeError:
                    return

    def make(data: bytes) -> Path:
        place = tmp_path / f"pipe{len(threads)}.bin"
        os.mkfifo(place)
        threads.append(threading.Thread(target=write, args=(place, data), daemon=True))
        threads[-1].start()
        return place

    yield make
    for thread in threads:
        thread.join(5)


@pytest.mark.parametrize("name", ["a.mkv", "a.ts", "a.avi", "live.mp4", "front.mp4"])
def test_a_video_through_a_pipe(make_video, read_number, through_pipe, name):
    options = {"live.mp4": LIVE, "front.mp4": {"movflags": "faststart"}}.get(name)
    path = make_video(
        name, codec="mpeg4" if ".avi" in name else "libx264", container_options=options
    )
    with open_source(through_pipe(path.read_bytes())) as source:
        assert source.kind is SourceKind.VIDEO
        assert source.frames_expected is None
        frames = list(source)
        with pytest.raises(InputError, match="only once"):
            iter(source)
    assert [read_number(frame.image_rgb) for frame in frames] == list(range(30))
    np.testing.assert_allclose([f.time_secs for f in frames], np.arange(30) / 25, atol=1e-3)


def refusal(where: Path) -> str:
    def read() -> None:
        with open_source(where) as source:
            list(source)

    with pytest.raises(InputError) as caught:
        read()
    return str(caught.value)


def test_an_mp4_with_its_index_at_the_end_is_read_when_it_is_whole(
    make_video, read_number, through_pipe
):
    data = make_video("a.mp4").read_bytes()
    with open_source(through_pipe(data)) as source:
        assert [read_number(frame.image_rgb) for frame in source] == list(range(30))
    told = refusal(through_pipe(data[:-200]))
    assert "cut off before the index" in told
    assert "/tmp" not in told


def picture_bytes(form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    scenes = [Image.new("RGB", (64, 48), (40 * n, 90, 200)) for n in range(4)]
    more = {"save_all": True, "append_images": scenes[1:]} if options else {}
    scenes[0].save(buffer, form, **more, **options)
    return buffer.getvalue()


def test_a_photo_through_a_pipe(through_pipe):
    with open_source(through_pipe(picture_bytes("PNG"))) as source:
        assert source.kind is SourceKind.PHOTO
        (frame,) = source
    assert frame.image_rgb[0, 0].tolist() == [0, 90, 200]


def test_moving_pictures_through_a_pipe(through_pipe):
    with open_source(through_pipe(picture_bytes("WEBP", duration=80))) as source:
        assert [frame.time_secs for frame in source] == pytest.approx([0, 0.08, 0.16, 0.24])
    motion_jpeg = b"".join([picture_bytes("JPEG")] * 5)
    with open_source(through_pipe(motion_jpeg), rate=10.0) as source:
        assert [frame.time_secs for frame in source] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize("data", [b"", b"hello\n" * 50])
def test_nothing_or_text_through_a_pipe(through_pipe, data):
    assert "\n" not in refusal(through_pipe(data))


def test_standard_input(make_video, read_number, monkeypatch):
    data = make_video("a.mkv").read_bytes()

    class Standard(io.StringIO):
        buffer = io.BytesIO(data)

    monkeypatch.setattr(sys, "stdin", Standard())
    with open_source("-") as source:
        assert source.name == "stdin"
        assert [read_number(frame.image_rgb) for frame in source] == list(range(30))
    monkeypatch.setattr(Standard, "isatty", lambda self: True)
    with pytest.raises(InputError, match="terminal"):
        open_source("-")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of a server of ours that hands out the folder."""

    class Silent(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Silent, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(5)


def test_a_video_at_an_address(make_video, read_number, served):
    make_video("talk.mkv")
    with open_source(f"{served}/talk.mkv?key=1") as source:
        assert source.name == "talk"
        assert [read_number(frame.image_rgb) for frame in source] == list(range(30))


def test_nobody_at_an_address(served):
    with pytest.raises(InputError, match="check the address"):
        open_source(f"{served}/gone.mkv")
    with pytest.raises(InputError, match="check the address"):
        open_source("rtsp://127.0.0.1:9/camera")


def test_a_playlist_at_an_address_reads_no_file_of_ours(make_video, served, tmp_path):
    secret = make_video("a.ts")
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    (tmp_path / "list.m3u8").write_text(text)
    with pytest.raises(InputError):
        list(open_source(f"{served}/list.m3u8"))


def test_a_file_address_is_a_path(make_video, read_number):
    path = make_video("a.mkv")
    with open_source(f"file://{path}") as source:
        assert len(list(source)) == 30


@pytest.mark.parametrize("pattern", ["frame_%04d.png", "frame_%d.png"])
def test_numbered_pictures_are_one_clip(tmp_path, pattern):
    numbers = [8, 9, 10, 12]  # 11 is missing
    for number in numbers:
        Image.new("RGB", (64, 48), (10 * number, 0, 0)).save(tmp_path / (pattern % number))
    Image.new("RGB", (64, 48)).save(tmp_path / "other_0009.png")
    with open_source(tmp_path / pattern, rate=10.0) as source:
        assert (source.kind, source.name) == (SourceKind.VIDEO, "frame")
        assert (source.frames_expected, source.rate) == (4, 10.0)
        frames = list(source)
    assert [int(frame.image_rgb[0, 0, 0]) for frame in frames] == [80, 90, 100, 120]
    assert [frame.time_secs for frame in frames] == pytest.approx([0, 0.1, 0.2, 0.4])
    (tmp_path / (pattern % 9)).write_bytes(b"\x89PNG\r\n\x1a\n")
    seen: list[Frame] = []
    with pytest.raises(InputError, match="1 of 4 pictures were left out"):
        seen.extend(open_source(tmp_path / pattern))
    assert [frame.index for frame in seen] == [0, 1, 2]


def test_a_pattern_that_nothing_fits(tmp_path):
    with pytest.raises(InputError, match="no file has such a name"):
        open_source(tmp_path / "frame_%04d.png")


class QuickCamera:
    """40 pictures, as fast as they are read."""

    left = 40

    def __init__(self, number: int, backend: int) -> None:
        type(self).left = 40

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def get(self, _: int) -> float:
        return 30.0

    def set(self, which: int, value: float) -> bool:
        return False

    def read(self) -> tuple[bool, np.ndarray | None]:
        type(self).left -= 1
        return (True, np.zeros((20, 30, 3), np.uint8)) if self.left >= 0 else (False, None)

    def release(self) -> None:
        pass


def test_frames_that_a_camera_lost_are_counted(monkeypatch):
    monkeypatch.setattr(cv2, "VideoCapture", QuickCamera)
    seen: list[Frame] = []
    with open_source("/dev/video7") as camera:
        assert camera.name == "camera7"

        def look_at_each() -> None:
            with ReadAhead(camera) as frames:
                for frame in frames:
                    seen.append(frame)
                    # Until six more have come.
                    until(lambda: QuickCamera.left < max(33 - seen[-1].index, 0))

        with pytest.raises(InputError, match="after 40 frames"):
            look_at_each()
        assert camera.frames_dropped > 20
        assert len(seen) + camera.frames_dropped == 40
    indices = [frame.index for frame in seen]
    assert indices == sorted(set(indices))
    assert indices[-1] == 39  # the newest is kept


def test_a_camera_by_its_device_has_a_stem():
    assert list_inputs("/dev/video3")[0].stem == "camera3"


def test_a_pipe_has_a_stem(through_pipe):
    place = through_pipe(b"x")
    assert [one.stem for one in list_inputs(place)] == ["pipe0"]
    assert [one.stem for one in list_inputs("-")] == ["stdin"]
    assert refusal(place)
