"""Overlay files, read back by PyAV and OpenCV."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from mien.errors import OutputError
from mien.markup import load_markup
from mien.outputs import OverlayPhoto, OverlayVideo

PARTS = load_markup(68).parts


def decode(path: Path) -> tuple[list[np.ndarray], list[float]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [frame.to_ndarray(format="rgb24") for frame in frames], [f.time for f in frames]


def test_the_times_are_the_sources_own(tmp_path, make_frame, make_face):
    times = [0.0, 0.04, 0.08, 0.5, 0.52, 1.7]
    with OverlayVideo(tmp_path / "a.mp4", PARTS, rate=25.0) as sink:
        for index, time_secs in enumerate(times):
            sink.write(make_frame(index, time_secs), [make_face()])
    pictures, read = decode(tmp_path / "a.mp4")
    np.testing.assert_allclose(read, times, atol=1 / 90_000)
    assert len(pictures) == 6
    assert [one.name for one in tmp_path.iterdir()] == ["a.mp4"]


def test_it_plays_everywhere(tmp_path, make_frame):
    with OverlayVideo(tmp_path / "a.mp4", PARTS, rate=29.97) as sink:
        for index in range(10):
            sink.write(make_frame(index), [])
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("size", [(101, 75), (100, 75), (101, 74), (16, 17)])
def test_odd_sides_keep_every_pixel_in_place(tmp_path, make_frame, size):
    frames = [make_frame(index, size=size) for index in range(3)]
    with OverlayVideo(tmp_path / "a.mp4", PARTS, rate=25.0) as sink:
        for frame in frames:
            sink.write(frame, [])
    pictures, _ = decode(tmp_path / "a.mp4")
    assert pictures[0].shape == (size[1] + size[1] % 2, size[0] + size[0] % 2, 3)
    shown = pictures[2][: size[1], : size[0]].astype(int)
    difference = np.abs(shown - frames[2].image_rgb)
    assert np.median(difference) <= 4
    np.testing.assert_allclose(shown[-1, -1], frames[2].image_rgb[-1, -1], atol=12)


def test_colours_survive(tmp_path, make_frame):
    frame = make_frame(20)
    with OverlayVideo(tmp_path / "a.mp4", PARTS, rate=25.0) as sink:
        sink.write(frame, [])
    picture = decode(tmp_path / "a.mp4")[0][0].astype(int)
    np.testing.assert_allclose(picture[90, 40], frame.image_rgb[90, 40], atol=5)
    np.testing.assert_allclose(picture[90, 280], frame.image_rgb[90, 280], atol=5)


def test_a_source_that_changes_size(tmp_path, make_frame):
    with OverlayVideo(tmp_path / "a.mp4", PARTS, rate=25.0) as sink:
        for index, size in enumerate([(320, 180), (160, 90), (90, 160), (640, 361)]):
            sink.write(make_frame(index, size=size), [])
    pictures, _ = decode(tmp_path / "a.mp4")
    assert [picture.shape for picture in pictures] == [(180, 320, 3)] * 4


@pytest.mark.parametrize("blow", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_keeps_the_frames(tmp_path, make_frame, make_face, blow):
    def run() -> None:
        with OverlayVideo(tmp_path / "a.mp4", PARTS, rate=25.0) as sink:
            for index in range(7):
                sink.write(make_frame(index), [make_face()])
            raise blow

    with pytest.raises(blow):
        run()
    assert len(decode(tmp_path / "a.mp4")[0]) == 7
    assert [one.name for one in tmp_path.iterdir()] == ["a.mp4"]


def test_without_frames_there_is_no_video(tmp_path):
    with OverlayVideo(tmp_path / "a.mp4", PARTS, rate=25.0):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk(tmp_path, make_frame, disk_of):
    noise = np.random.default_rng(0)

    def run() -> None:
        with disk_of(60_000), OverlayVideo(tmp_path / "a.mp4", PARTS, rate=25.0) as sink:
            for index in range(60):
                frame = make_frame(index)
                frame.image_rgb[:] = noise.integers(0, 255, frame.image_rgb.shape)
                sink.write(frame, [])

    with pytest.raises(OutputError) as caught:
        run()
    assert "free some space" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []  # an MP4 without its index helps nobody


def test_bad_places(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="a file stands"):
        OverlayVideo(tmp_path / "file" / "a.mp4", PARTS, rate=25.0)
    with pytest.raises(OutputError, match="a file stands"):
        OverlayPhoto(tmp_path / "file" / "a.png", PARTS)


def test_a_photo_is_a_png_without_loss(tmp_path, make_frame, make_face):
    frame = make_frame(3)
    with OverlayPhoto(tmp_path / "a.png", PARTS) as sink:
        sink.write(frame, [make_face(size=60)])
    read = cv2.cvtColor(cv2.imread(str(tmp_path / "a.png")), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(read[-20:], frame.image_rgb[-20:])
    assert (read != frame.image_rgb).any()
    assert [one.name for one in tmp_path.iterdir()] == ["a.png"]


def test_a_photo_on_a_full_disk(tmp_path, make_frame, disk_of):
    with (
        disk_of(50),
        OverlayPhoto(tmp_path / "a.png", PARTS) as sink,
        pytest.raises(OutputError, match="free some space"),
    ):
        sink.write(make_frame(0), [])
    assert list(tmp_path.iterdir()) == []


def test_a_picture_wider_than_any_encoder_takes(tmp_path, make_frame, make_face):
    with OverlayVideo(tmp_path / "a.mp4", PARTS, rate=25.0) as sink:
        for index in range(2):
            sink.write(make_frame(index, size=(17000, 32)), [make_face(centre=(40, 16), size=20)])
    pictures, _ = decode(tmp_path / "a.mp4")
    assert [picture.shape[1] for picture in pictures] == [8192, 8192]


@pytest.mark.parametrize(
    ("codec", "ending", "kept"),
    [("aac", "mp4", "aac"), ("pcm_s16le", "mov", "aac"), ("libmp3lame", "mkv", "mp3float")],
)
def test_the_sound_is_carried_over(tmp_path, make_frame, codec, ending, kept):
    """Two seconds of a tone in the source; the overlay is cut after one, and so is its sound."""
    heard = tmp_path / f"a.{ending}"
    tone = np.sin(np.arange(96_000) * 2 * np.pi * 440 / 48_000)[None].astype(np.float32) * 0.5
    with av.open(str(heard), "w") as container:
        stream = container.add_stream(codec, rate=48_000, layout="mono")
        for start in range(0, 96_000, 1000):
            block = tone[:, start : start + 1000]
            if codec == "pcm_s16le":
                block = (block * 32767).astype(np.int16)
            form = "s16" if codec == "pcm_s16le" else "fltp"
            sound = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), form, "mono")
            sound.sample_rate, sound.pts = 48_000, start
            container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    with OverlayVideo(tmp_path / "o.mp4", PARTS, rate=25.0, sound_of=heard) as sink:
        for index in range(25):
            sink.write(make_frame(index), [])
    assert len(decode(tmp_path / "o.mp4")[0]) == 25
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert container.streams.audio[0].codec_context.name == kept
        blocks = [frame.to_ndarray() for frame in container.decode(audio=0)]
    samples = np.concatenate(blocks, axis=1)[0]
    assert 0.8 < len(samples) / 48_000 < 1.2
    spectrum = np.abs(np.fft.rfft(samples[4_000:28_000]))
    assert np.argmax(spectrum) * 2 == pytest.approx(440, abs=2)


def test_a_source_without_sound_or_unreadable_gives_a_silent_video(tmp_path, make_frame):
    (tmp_path / "noise.bin").write_bytes(b"no sound" * 100)
    for sound_of in (tmp_path / "noise.bin", tmp_path / "missing.mp4"):
        with OverlayVideo(tmp_path / "o.mp4", PARTS, rate=25.0, sound_of=sound_of) as sink:
            sink.write(make_frame(0), [])
        with av.open(str(tmp_path / "o.mp4")) as container:
            assert not container.streams.audio
