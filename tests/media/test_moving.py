"""Moving pictures: every frame, at the time that the durations before it add up to."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from mien.errors import InputError
from mien.media import SourceKind, open_source
from mien.types import Frame

DURATIONS_MS = [40, 120, 40, 300, 40, 80]
STARTS = np.cumsum([0, *DURATIONS_MS[:-1]]) / 1000


def scenes(count: int = len(DURATIONS_MS)) -> list[Image.Image]:
    """A white column walks over grey noise, 12 px a frame."""
    noise = np.random.default_rng(0).integers(60, 120, (48, 96, 3), dtype=np.uint8)
    made = []
    for number in range(count):
        image = noise.copy()
        image[:, 12 * number : 12 * number + 12] = 255
        made.append(Image.fromarray(image))
    return made


def numbers(frames: list[Frame]) -> list[int]:
    return [int(frame.image_rgb[..., 1].mean(axis=0).argmax()) // 12 for frame in frames]


def read(path: Path, **options: object) -> list[Frame]:
    with open_source(path, **options) as source:
        assert source.kind is SourceKind.VIDEO
        frames = list(source)
        assert source.frames_expected == len(frames)
        assert len(list(source)) == len(frames)  # once more from the start
    assert [frame.index for frame in frames] == list(range(len(frames)))
    return frames


KINDS = ["webp", "png", "apng", *(["avif"] if features.check("avif") else [])]


@pytest.mark.parametrize("suffix", KINDS)
def test_all_frames_at_their_own_times(tmp_path, suffix):
    first, *rest = scenes()
    path = tmp_path / f"a.{suffix}"
    form = "PNG" if suffix == "apng" else None
    first.save(path, form, save_all=True, append_images=rest, duration=DURATIONS_MS)
    frames = read(path)
    assert numbers(frames) == list(range(6))
    np.testing.assert_allclose([frame.time_secs for frame in frames], STARTS, atol=1e-3)


@pytest.mark.parametrize("suffix", KINDS)
def test_the_rate_is_that_of_the_first_duration(tmp_path, suffix):
    first, *rest = scenes()
    first.save(tmp_path / f"a.{suffix}", save_all=True, append_images=rest, duration=40)
    with open_source(tmp_path / f"a.{suffix}") as source:
        assert source.rate == pytest.approx(25)


def test_motion_jpeg_that_begins_within_a_picture(tmp_path):
    (tmp_path / "a.mjpeg").write_bytes(b"".join(jpegs(6))[700:])
    with open_source(tmp_path / "a.mjpeg") as source:
        assert numbers(list(source)) == [1, 2, 3, 4, 5]


def test_the_ending_does_not_decide(tmp_path):
    first, *rest = scenes()
    first.save(tmp_path / "a.jpg", "WEBP", save_all=True, append_images=rest, duration=40)
    assert numbers(read(tmp_path / "a.jpg")) == list(range(6))


def test_durations_of_zero_are_those_of_browsers(tmp_path):
    first, *rest = scenes(3)
    first.save(tmp_path / "a.png", save_all=True, append_images=rest, duration=0)
    np.testing.assert_allclose([f.time_secs for f in read(tmp_path / "a.png")], [0, 0.1, 0.2])


def test_the_still_picture_before_an_animation_is_no_frame_of_it(tmp_path):
    still, *rest = scenes(4)
    still.save(
        tmp_path / "a.png", save_all=True, append_images=rest, duration=40, default_image=True
    )
    assert numbers(read(tmp_path / "a.png")) == [1, 2, 3]


def test_pages_of_a_tiff(tmp_path):
    first, *rest = scenes()
    first.save(tmp_path / "a.tif", save_all=True, append_images=rest)
    frames = read(tmp_path / "a.tif")
    assert numbers(frames) == list(range(6))
    np.testing.assert_allclose([f.time_secs for f in frames], np.arange(6) / 25)
    np.testing.assert_allclose(
        [f.time_secs for f in read(tmp_path / "a.tif", rate=10.0)], np.arange(6) / 10
    )


def test_a_tiff_that_imagej_timed(tmp_path):
    first, *rest = scenes(3)
    told = "ImageJ=1.53\nimages=3\nframes=3\nfps=5.0\nfinterval=0.5\n"
    first.save(tmp_path / "a.tif", save_all=True, append_images=rest, description=told)
    np.testing.assert_allclose([f.time_secs for f in read(tmp_path / "a.tif")], [0, 0.5, 1.0])


def test_previews_among_the_pages_are_no_frames(tmp_path):
    picture, preview = scenes(2)
    preview = preview.resize((24, 16))
    preview.encoderinfo = {"tiffinfo": {254: 1}}
    picture.save(tmp_path / "a.tif", save_all=True, append_images=[preview])
    with open_source(tmp_path / "a.tif") as source:
        assert source.kind is SourceKind.PHOTO
        (frame,) = source
    assert frame.image_rgb.shape == (48, 96, 3)


def jpegs(count: int, size: tuple[int, int] = (96, 48)) -> list[bytes]:
    made = []
    for image in scenes(count):
        buffer = io.BytesIO()
        image.resize(size).save(buffer, "JPEG", quality=95)
        made.append(buffer.getvalue())
    return made


@pytest.mark.parametrize("name", ["a.mjpeg", "a.mjpg", "a.jpg", "a"])
@pytest.mark.parametrize("between", [b"", b"\0\0\0"])
def test_motion_jpeg(tmp_path, name, between):
    path = tmp_path / name
    path.write_bytes(between.join(jpegs(6)))
    with open_source(path) as source:
        assert source.kind is SourceKind.VIDEO
        frames = list(source)
    assert numbers(frames) == list(range(6))
    np.testing.assert_allclose([f.time_secs for f in frames], np.arange(6) / 25)
    with open_source(path, rate=10.0) as source:
        assert [f.time_secs for f in source][3] == pytest.approx(0.3)


def test_a_phones_second_picture_makes_no_video(tmp_path):
    (photo,), (depth,) = jpegs(1), jpegs(1, (48, 24))
    (tmp_path / "depth.jpg").write_bytes(photo + depth)
    (tmp_path / "tail.jpg").write_bytes(photo + b"\0\0\0\x18ftypmp42" + bytes(500))
    first, second = scenes(2)
    first.save(tmp_path / "stereo.jpg", "MPO", save_all=True, append_images=[second])
    for name in ("depth.jpg", "tail.jpg", "stereo.jpg"):
        with open_source(tmp_path / name) as source:
            assert source.kind is SourceKind.PHOTO
            assert numbers(list(source)) == [0]


@pytest.mark.parametrize("suffix", ["webp", "png", "tif"])
def test_of_a_cut_one_the_whole_frames_are_read(tmp_path, suffix):
    first, *rest = scenes()
    path = tmp_path / f"a.{suffix}"
    first.save(path, save_all=True, append_images=rest, duration=40)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.7)])
    frames: list[Frame] = []
    with pytest.raises(InputError, match=r"cut off|damaged") as caught:
        frames.extend(open_source(path))
    assert "\n" not in str(caught.value)
    assert numbers(frames) == list(range(len(frames)))
    assert len(frames) < 6


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_a_moving_avif_with_a_damaged_frame_is_read_up_to_it(tmp_path):
    first, *rest = scenes()
    path = tmp_path / "a.avif"
    first.save(path, save_all=True, append_images=rest, duration=40)
    data = bytearray(path.read_bytes())
    data[-200:] = bytes(200)  # the last frame's
    path.write_bytes(data)
    frames: list[Frame] = []
    with pytest.raises(InputError, match="of 6 frames were read"):
        frames.extend(open_source(path))
    assert numbers(frames) == list(range(len(frames)))
