"""Videos made here, frame for frame, are what the reader gives back."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from mien.errors import InputError
from mien.media import SourceKind, open_source
from mien.types import Frame

FASTSTART = {"movflags": "faststart"}


def read_all(path: Path) -> tuple[list[Frame], str]:
    """The frames, and the error at their end if there was one."""
    frames: list[Frame] = []
    try:
        with open_source(path) as source:
            frames.extend(source)
    except InputError as error:
        return frames, str(error)
    return frames, ""


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mov", "libx264", "yuv444p"),
        ("a.mkv", "libx264", "yuv420p"),
        ("a.webm", "libvpx", "yuv420p"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("a.ts", "libx264", "yuv420p"),
        ("a.gif", "gif", "gray"),
    ],
)
def test_every_frame_once_in_order_at_its_time(make_video, read_number, name, codec, pix_fmt):
    path = make_video(name, codec=codec, pix_fmt=pix_fmt)
    with open_source(path) as source:
        frames = list(source)
        assert source.kind is SourceKind.VIDEO
        assert source.name == "a"
        assert source.frames_expected == 30
        assert source.rate == pytest.approx(25)
    assert [read_number(frame.image_rgb) for frame in frames] == list(range(30))
    assert [frame.index for frame in frames] == list(range(30))
    times = [frame.time_secs for frame in frames]
    np.testing.assert_allclose(times, np.arange(30) / 25, atol=1e-6)
    assert all(frame.image_rgb.flags.c_contiguous for frame in frames)


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv"])
def test_a_variable_frame_rate_is_told_as_it_is(make_video, name):
    times_ms = [0, 20, 40, 400, 410, 1000]
    frames, error = read_all(make_video(name, times_ms=times_ms))
    assert not error
    np.testing.assert_allclose([f.time_secs for f in frames], np.array(times_ms) / 1000, atol=1e-3)


def test_time_starts_at_zero_wherever_the_file_starts(make_video):
    frames, _ = read_all(make_video("late.mkv", times_ms=range(5000, 5400, 40)))
    assert frames[0].time_secs == 0
    assert frames[-1].time_secs == pytest.approx(0.36, abs=1e-3)


def test_a_source_can_be_left_early_and_read_again(make_video, read_number):
    with open_source(make_video("a.mp4")) as source:
        first = next(iter(source))
        assert read_number(first.image_rgb) == 0
        assert len(list(source)) == 30
        running = iter(source)
        next(running)
    assert next(running, None) is None  # leaving the block closed the file


# Corners of the stored picture: red top left, green top right, blue bottom left, white bottom
# right. What each mark shows is read off by turning a sheet of paper.
MARKS = {
    "upright": ((1, 0, 0, 1), "RG/BW"),
    "90 clockwise": ((0, 1, -1, 0), "BR/WG"),
    "180": ((-1, 0, 0, -1), "WB/GR"),
    "90 counter-clockwise": ((0, -1, 1, 0), "GW/RB"),
    "mirrored": ((-1, 0, 0, 1), "GR/WB"),
    "upside down in a mirror": ((1, 0, 0, -1), "BW/RG"),
    "transposed": ((0, 1, 1, 0), "RB/GW"),
    "transposed the other way": ((0, -1, -1, 0), "WG/BR"),
}
COLOURS = {"R": (255, 0, 0), "G": (0, 255, 0), "B": (0, 0, 255), "W": (255, 255, 255)}


def corners(image: np.ndarray) -> str:
    def letter(pixel: np.ndarray) -> str:
        return min(COLOURS, key=lambda name: np.abs(pixel - np.array(COLOURS[name])).sum())

    at = [image[y, x].astype(int) for y in (4, -5) for x in (4, -5)]
    return f"{letter(at[0])}{letter(at[1])}/{letter(at[2])}{letter(at[3])}"


@pytest.mark.parametrize("mark", MARKS)
def test_the_rotation_mark_of_a_phone_is_applied(make_video, mark):
    (a, b, c, d), shown = MARKS[mark]
    stored = np.zeros((48, 96, 3), dtype=np.uint8)
    stored[:24, :48], stored[:24, 48:] = COLOURS["R"], COLOURS["G"]
    stored[24:, :48], stored[24:, 48:] = COLOURS["B"], COLOURS["W"]
    path = make_video("phone.mp4", times_ms=range(0, 200, 40), pictures=[stored] * 5)
    # Write the matrix into the track header ourselves: version 0 keeps it 40 bytes behind the
    # four flags bytes (ISO 14496-12, 8.3.2).
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    frames, error = read_all(path)
    assert not error
    assert len(frames) == 5
    assert corners(frames[0].image_rgb) == shown
    assert frames[0].image_rgb.shape == ((96, 48, 3) if a == 0 else (48, 96, 3))


def test_a_cover_picture_is_not_the_video(tmp_path):
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44100)
        sound = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp")
        sound.sample_rate, sound.pts = 44100, 0
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    with pytest.raises(InputError, match="no video"):
        open_source(path)


def test_sound_beside_the_pictures_is_ignored(tmp_path):
    path = tmp_path / "talk.mp4"
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "yuv420p"
        voice = container.add_stream("aac", rate=44100)
        for number in range(10):
            container.mux(pictures.encode(av.VideoFrame(64, 64, "yuv420p")))
            sound = av.AudioFrame.from_ndarray(np.zeros((2, 1764), np.float32), format="fltp")
            sound.sample_rate, sound.pts = 44100, number * 1764
            container.mux(voice.encode(sound))
        container.mux(pictures.encode(None))
        container.mux(voice.encode(None))
    frames, error = read_all(path)
    assert not error
    assert len(frames) == 10


def whole_samples(path: Path, bytes_left: int) -> int:
    """How many frames end before the cut, by the demuxer's own account of the whole file."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    return sum(packet.pos + packet.size <= bytes_left for packet in packets)


@pytest.mark.parametrize("left", [0.4, 0.6, 0.8, 0.97])
@pytest.mark.parametrize("reorder", ["0", "3"])
def test_of_a_cut_video_all_whole_frames_are_kept(make_video, read_number, left, reorder):
    path = make_video("a.mp4", codec_options={"bf": reorder}, container_options=FASTSTART)
    data = path.read_bytes()
    cut = path.with_name("cut.mp4")
    cut.write_bytes(data[: int(len(data) * left)])
    whole = whole_samples(path, int(len(data) * left))
    assert 1 < whole < 30
    frames, error = read_all(cut)
    assert len(frames) == whole
    numbers = [read_number(frame.image_rgb) for frame in frames]
    assert numbers == sorted(set(numbers))
    if reorder == "0":
        assert numbers == list(range(whole))
    assert f"cut off: {whole} of 30 frames" in error
    assert f"{frames[-1].time_secs:.2f} s" in error


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.mkv", "libx264", "yuv420p"),
        ("a.webm", "libvpx", "yuv420p"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("a.gif", "gif", "gray"),
    ],
)
def test_other_containers_also_tell_that_they_were_cut(
    make_video, read_number, name, codec, pix_fmt
):
    path = make_video(name, codec=codec, pix_fmt=pix_fmt)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.6)])
    frames, error = read_all(path)
    assert "cut off" in error
    assert 3 < len(frames) < 27
    assert [read_number(frame.image_rgb) for frame in frames] == list(range(len(frames)))


def test_a_cut_fragmented_mp4(make_video):
    path = make_video(
        "live.mp4",
        codec_options={"g": "5"},
        container_options={"movflags": "frag_keyframe+empty_moov"},
    )
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.7)])
    frames, error = read_all(path)
    assert "cut off" in error
    assert 5 < len(frames) < 30


@pytest.mark.parametrize("damaged", [12, 28])  # 28: seen when the decoder is flushed
def test_a_damaged_frame_costs_only_itself(make_video, read_number, damaged):
    path = make_video("a.mp4", codec_options={"g": "1", "bf": "0"}, container_options=FASTSTART)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        at, size = packets[damaged].pos, packets[damaged].size
    data = bytearray(path.read_bytes())
    data[at : at + size] = b"\xff" * size
    path.write_bytes(data)
    frames, error = read_all(path)
    numbers = [read_number(frame.image_rgb) for frame in frames]
    assert numbers == [number for number in range(30) if number != damaged]
    assert "1 damaged frames" in error
    np.testing.assert_allclose(frames[damaged].time_secs, (damaged + 1) / 25)  # the gap stays a gap


def test_an_mp4_cut_before_its_index(make_video):
    path = make_video("a.mp4")  # without faststart the index is at the end
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="cut off before the index"):
        open_source(path)


def test_a_picture_too_small_for_a_face(make_video):
    path = make_video(
        "dot.gif",
        times_ms=range(0, 200, 40),
        pictures=[np.full((8, 8, 3), 40 * n, np.uint8) for n in range(5)],
        codec="gif",
        pix_fmt="gray",
    )
    with pytest.raises(InputError, match="8x8"):
        open_source(path)


def test_colours_survive(make_video):
    red = np.full((64, 64, 3), (200, 40, 60), dtype=np.uint8)
    path = make_video("red.mp4", times_ms=range(0, 200, 40), pictures=[red] * 5)
    frames, _ = read_all(path)
    np.testing.assert_allclose(frames[2].image_rgb[32, 32], (200, 40, 60), atol=6)


def test_a_playlist_named_mp4_reaches_no_network(tmp_path: Path, monkeypatch):
    path = tmp_path / "list.mp4"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n")
    with pytest.raises(InputError):
        list(open_source(path))


def test_threads_do_not_change_the_frames(make_video):
    path = make_video("a.mp4")

    def pixels(threads: int) -> list[bytes]:
        with open_source(path, threads=threads) as source:
            return [frame.image_rgb.tobytes() for frame in source]

    reader: Callable[[int], list[bytes]] = pixels
    assert reader(1) == reader(2) == reader(0)


def test_a_title_in_an_old_encoding_is_no_obstacle(make_video):
    path = make_video("a.mkv", title="ABCDEFGH")
    data = path.read_bytes()
    assert b"ABCDEFGH" in data
    path.write_bytes(data.replace(b"ABCDEFGH", b"Pr\xe9\xff\xfe\x80se"))
    frames, error = read_all(path)
    assert (len(frames), error) == (30, "")
