"""What a user may name, and what is said when it cannot be read."""

from __future__ import annotations

import subprocess
import sys
import wave
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mien.errors import InputError
from mien.media import Input, SourceKind, list_inputs, open_source, output_stems


def photo(path: Path) -> Path:
    Image.new("RGB", (20, 20)).save(path)
    return path


def test_a_folder_in_natural_order(tmp_path):
    for name in ("frame10.png", "Frame2.JPG", "frame1.png", "b.png"):
        photo(tmp_path / name)
    photo(tmp_path / ".hidden.png")
    (tmp_path / "notes.txt").write_text("no")
    (tmp_path / "inner.png").mkdir()
    photo(tmp_path / "inner.png" / "deep.png")
    photo(tmp_path / "b.overlay.png")  # ours, of an earlier run
    inputs = list_inputs(tmp_path)
    assert [Path(one.where).name for one in inputs] == [
        "b.png",
        "frame1.png",
        "Frame2.JPG",
        "frame10.png",
    ]
    assert [one.stem for one in inputs] == ["b", "frame1", "Frame2", "frame10"]


def test_one_file_and_one_camera(tmp_path):
    path = photo(tmp_path / "a.png")
    assert list_inputs(path) == [Input(str(path), "a")]
    assert list_inputs("1") == [Input("1", "camera1")]


@pytest.mark.parametrize(
    ("names", "stems"),
    [
        (["a.jpg", "b.mp4"], ["a", "b"]),
        (["a.jpg", "a.mp4", "b.mp4"], ["a.jpg", "a.mp4", "b"]),
        (["a.jpg", "A.png"], ["a.jpg", "A.png"]),
        (["a.jpg", "a.png", "a.jpg.png"], ["a.jpg-2", "a.png", "a.jpg"]),
    ],
)
def test_no_two_inputs_share_a_stem(names, stems):
    assert output_stems([Path(name) for name in names]) == stems
    assert len({stem.casefold() for stem in stems}) == len(names)


def test_a_folder_without_pictures(tmp_path):
    (tmp_path / "notes.txt").write_text("no")
    with pytest.raises(InputError, match="holds no photos or videos"):
        list_inputs(tmp_path)


@pytest.mark.parametrize("ask", [open_source, list_inputs])
def test_a_missing_file(tmp_path, ask):
    with pytest.raises(InputError, match="no such file"):
        ask(tmp_path / "gone.mp4")


def test_zero_bytes(tmp_path):
    (tmp_path / "a.mp4").touch()
    with pytest.raises(InputError, match="0 bytes"):
        open_source(tmp_path / "a.mp4")


@pytest.mark.parametrize("text", ["hello\n" * 100, "x", "\0" * 5000])
def test_text_named_mp4(tmp_path, text):
    (tmp_path / "a.mp4").write_text(text)
    with pytest.raises(InputError, match="not a photo or video"):
        open_source(tmp_path / "a.mp4")


def test_a_folder_where_a_file_is_needed(tmp_path):
    with pytest.raises(InputError, match="got a folder"):
        open_source(tmp_path)


def test_a_device(tmp_path):
    with pytest.raises(InputError, match="device or pipe"):
        open_source("/dev/null")


def test_no_permission(tmp_path, monkeypatch):
    path = photo(tmp_path / "a.png")

    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, whom no right stops
    with pytest.raises(InputError, match="no permission"):
        open_source(path)


def test_sound_only(tmp_path):
    with wave.open(str(tmp_path / "a.mp4"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\0" * 8000)
    with pytest.raises(InputError, match="no video"):
        open_source(tmp_path / "a.mp4")


def test_a_camera_that_is_not_there_is_one_line_alone() -> None:
    """OpenCV and FFmpeg write to stderr themselves: seen from outside."""
    code = "from mien.media import open_source; open_source('63').__enter__()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "camera 63" in done.stderr
    assert not [line for line in done.stderr.splitlines() if line.startswith("[")]


class FakeCamera:
    """Three blue frames, then unplugged."""

    def __init__(self, number: int, backend: int) -> None:
        self.number, self.left, self.open = number, 3, True

    def isOpened(self) -> bool:  # noqa: N802
        return self.number == 0

    def get(self, _: int) -> float:
        return 0.0

    def set(self, which: int, value: float) -> bool:
        return False

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.left -= 1
        return (
            (True, np.full((20, 30, 3), (255, 0, 0), np.uint8)) if self.left >= 0 else (False, None)
        )

    def release(self) -> None:
        self.open = False


def test_a_camera(monkeypatch):
    monkeypatch.setattr(cv2, "VideoCapture", FakeCamera)
    with open_source("0") as camera:
        assert (camera.kind, camera.name) == (SourceKind.CAMERA, "camera0")
        assert camera.frames_expected is None
        assert camera.rate == 30
        running = iter(camera)
        frames = [next(running) for _ in range(3)]
        with pytest.raises(InputError, match="after 3 frames"):
            next(running)
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert frames[0].image_rgb[0, 0].tolist() == [0, 0, 255]
    times = [frame.time_secs for frame in frames]
    assert times == sorted(times)
    assert times[0] == 0


def test_a_missing_camera(monkeypatch):
    monkeypatch.setattr(cv2, "VideoCapture", FakeCamera)
    with pytest.raises(InputError, match="camera 7"):
        open_source("7")


def test_a_file_named_like_a_camera(tmp_path, monkeypatch):
    photo(tmp_path / "a.png").rename(tmp_path / "0")
    monkeypatch.chdir(tmp_path)
    with open_source("0") as source:
        assert source.kind is SourceKind.PHOTO
