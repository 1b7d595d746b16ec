"""Times and shapes that a file tells in a roundabout way."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from mien.media import open_source


def times(path: Path, **options: object) -> list[float]:
    with open_source(path, **options) as source:
        return [frame.time_secs for frame in source]


@pytest.mark.parametrize("refs", ["bf=3", "bf=8:b-pyramid=normal", "bf=0"])
def test_avi_numbers_packets_as_stored_and_pictures_still_rise(make_video, read_number, refs):
    path = make_video(
        "b.avi", times_ms=range(0, 2400, 40), codec_options={"x264-params": refs, "b_strategy": "0"}
    )
    with open_source(path) as source:
        frames = list(source)
    np.testing.assert_allclose([f.time_secs for f in frames], np.arange(60) / 25, atol=1e-9)
    assert [read_number(frame.image_rgb) for frame in frames] == list(range(60))


@pytest.mark.parametrize("codec", ["mpeg4", "msmpeg4v3", "mjpeg"])
@pytest.mark.parametrize("held_back", ["0", "2"])
def test_the_first_picture_of_an_avi_is_at_its_zero(make_video, read_number, codec, held_back):
    """MPEG-4 part 2 with B-frames, as DivX and Xvid write them, comes a frame late otherwise."""
    options = {"bf": held_back, "qscale": "2"} if codec == "mpeg4" else {}
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = make_video(
        "b.avi", range(0, 1200, 40), codec=codec, codec_options=options, pix_fmt=pix_fmt
    )
    with open_source(path) as source:
        frames = list(source)
    np.testing.assert_allclose([f.time_secs for f in frames], np.arange(30) / 25, atol=1e-9)
    assert [read_number(frame.image_rgb) for frame in frames] == list(range(30))


def test_the_unit_of_a_clock_is_no_frame_rate(tmp_path):
    """DV says 60000 a second, which is what its stamps count in."""
    path = tmp_path / "a.dv"
    with av.open(str(path), "w", format="dv") as container:
        stream = container.add_stream("dvvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = 720, 576, "yuv420p"
        for _ in range(4):
            picture = av.VideoFrame.from_ndarray(np.zeros((576, 720, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    with open_source(path) as source:
        assert source.rate == 25
        assert source.frames_expected == 4
    np.testing.assert_allclose(times(path), np.arange(4) / 25)


def test_swapped_stamps_of_a_file_with_times_of_its_own_are_not_renumbered(make_video):
    told = times(make_video("v.mkv", [0, 20, 40, 400, 410, 1000], codec_options={"bf": "2"}))
    np.testing.assert_allclose(told, [0, 0.02, 0.04, 0.4, 0.41, 1.0], atol=1e-3)


def with_sound(path: Path, pictures_from_secs: float, sound_from_secs: float = 0.0) -> Path:
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "yuv420p"
        pictures.codec_context.time_base = Fraction(1, 1000)
        voice = container.add_stream("aac", rate=16000)
        for number in range(40):
            sound = av.AudioFrame.from_ndarray(
                np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
            )
            sound.sample_rate = 16000
            sound.pts = round(sound_from_secs * 16000) + number * 1024
            container.mux(voice.encode(sound))
        for number in range(10):
            picture = av.VideoFrame(64, 64, "yuv420p")
            picture.pts = round(1000 * pictures_from_secs) + 40 * number
            picture.time_base = Fraction(1, 1000)
            container.mux(pictures.encode(picture))
        container.mux(pictures.encode(None))
        container.mux(voice.encode(None))
    return path


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.ts"])
def test_pictures_that_start_after_the_sound_keep_their_distance(tmp_path, name):
    told = times(with_sound(tmp_path / name, 1.5))
    np.testing.assert_allclose(
        told, 1.5 + np.arange(10) / 25, atol=0.08 if name == "a.ts" else 0.03
    )


def test_sound_that_starts_later_moves_nothing(tmp_path):
    told = times(with_sound(tmp_path / "a.mp4", 0.0, 0.7))
    np.testing.assert_allclose(told, np.arange(10) / 25, atol=1e-3)


def raw_stream(path: Path, codec: str, form: str, rate: int) -> Path:
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.options = options
        noise = np.random.default_rng(0)
        for _ in range(12):
            image = noise.integers(0, 255, (64, 64, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("rate", [10, 30, 50])
@pytest.mark.parametrize(("codec", "form"), [("libx264", "h264"), ("libx265", "hevc")])
def test_a_raw_stream_has_the_rate_of_its_header(tmp_path, codec, form, rate):
    path = raw_stream(tmp_path / f"a.{form}", codec, form, rate)
    np.testing.assert_allclose(times(path), np.arange(12) / rate)
    np.testing.assert_allclose(times(path, rate=20.0), np.arange(12) / 20)


def dots(image: np.ndarray) -> np.ndarray:
    """The middle of the bright dot, x and y."""
    rows, columns = np.nonzero(image[..., 1] > 128)
    return np.array([columns.mean(), rows.mean()])


@pytest.mark.parametrize(
    ("ratio", "shown"),
    [("4:3", (160, 120)), ("1:2", (120, 240)), ("1:1", (120, 120)), ("1:40", (120, 120))],
)
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_pixels_that_are_not_square_are_shown_as_they_are_meant(make_video, name, ratio, shown):
    image = np.zeros((120, 120, 3), dtype=np.uint8)
    image[28:33, 78:83] = 255  # its middle: 80, 30
    across, down = map(int, ratio.split(":"))
    path = make_video(
        name,
        times_ms=range(0, 200, 40),
        pictures=[image] * 5,
        codec_options={"crf": "4"},
        pixel_ratio=Fraction(across, down),
    )
    with open_source(path) as source:
        (first, *_) = source
    width, height = shown
    assert first.image_rgb.shape == (height, width, 3)
    assert first.image_rgb.flags.c_contiguous
    # Edges of pixels scale, and centres lie half a pixel inside: docs/conventions.md.
    scale = np.array([width, height]) / 120
    np.testing.assert_allclose(
        dots(first.image_rgb), (np.array([80.5, 30.5]) * scale) - 0.5, atol=0.3
    )


def test_a_gifs_pixel_ratio_is_shown_by_nobody(make_video):
    path = make_video("a.gif", times_ms=range(0, 200, 40), codec="gif", pix_fmt="gray")
    data = bytearray(path.read_bytes())
    data[12] = 100  # aspect ratio of (100 + 15) / 64
    path.write_bytes(data)
    with open_source(path) as source:
        assert next(iter(source)).image_rgb.shape == (64, 96, 3)
