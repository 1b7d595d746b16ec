"""A container shows every cut except one at its end, and no cut where there is none."""

from __future__ import annotations

import pytest

from mien.media.truncation import is_cut_off

CODECS = {"a.mp4": "libx264", "a.mkv": "libx264", "a.avi": "mpeg4", "a.gif": "gif"}


@pytest.mark.parametrize("name", CODECS)
def test_whole_files_and_files_with_a_tail_are_whole(make_video, name):
    codec = CODECS[name]
    path = make_video(name, codec=codec, pix_fmt="gray" if codec == "gif" else "yuv420p")
    assert not is_cut_off(path)
    data = path.read_bytes()
    for tail in (b"\0", b"\0" * 100, b"padding put here by a camera"):
        path.write_bytes(data + tail)
        assert not is_cut_off(path)


@pytest.mark.parametrize("name", CODECS)
def test_a_cut_anywhere_in_the_pictures_is_seen(make_video, name):
    codec = CODECS[name]
    path = make_video(name, codec=codec, pix_fmt="gray" if codec == "gif" else "yuv420p")
    data = path.read_bytes()
    seen = 0
    steps = range(len(data) // 3, len(data) - 8, len(data) // 40)
    for length in steps:
        path.write_bytes(data[:length])
        seen += is_cut_off(path)
    if name == "a.gif":  # between two of its frames a cut GIF is a shorter GIF without trailer
        assert seen >= len(steps) - 2
    else:
        assert seen == len(steps)


@pytest.mark.parametrize("head", [b"", b"\0", b"GIF89a", b"RIFF", b"\x1a\x45\xdf\xa3", b"text"])
def test_stumps_do_not_crash(tmp_path, head):
    path = tmp_path / "stump"
    path.write_bytes(head)
    assert is_cut_off(path) in (True, False)
