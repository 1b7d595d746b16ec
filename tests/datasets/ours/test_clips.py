"""Clips and their labels, written here in the documented layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien.datasets.ours.clips import read_clips
from mien.errors import DataError


def write_label(file: Path, faces: int, frames: int, **changed: np.ndarray) -> np.ndarray:
    points = np.random.default_rng(faces).normal(size=(faces, frames, 68, 3)).astype(np.float32)
    points[0, 1] = np.nan
    arrays = {
        "time_secs": np.arange(frames) / 25,
        "points": points,
        "hidden": np.zeros((faces, frames, 68), bool),
        "yaw_deg": np.zeros((faces, frames), np.float32),
        "identity": np.arange(faces),
        "variable_rate": np.array(faces == 2),
    }
    np.savez(file, **(arrays | changed))
    file.with_suffix(".mp4").write_bytes(b"")
    return points


def test_clips_come_by_name_with_their_faces(tmp_path: Path) -> None:
    second = write_label(tmp_path / "clip-0001.npz", 2, 4)
    first = write_label(tmp_path / "clip-0000.npz", 1, 3)
    clips = read_clips(tmp_path)
    assert [clip.name for clip in clips] == ["clip-0000", "clip-0001"]
    for clip, points in zip(clips, (first, second), strict=True):
        np.testing.assert_array_equal(clip.points_image, points)
        assert clip.video_path == tmp_path / f"{clip.name}.mp4"
    assert clips[1].present.tolist() == [[True, False, True, True], [True] * 4]
    assert [clip.variable_rate for clip in clips] == [False, True]


def test_what_is_not_a_folder_of_clips(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no clip-\*\.npz"):
        read_clips(tmp_path)
    write_label(tmp_path / "clip-0000.npz", 1, 3, hidden=np.zeros((1, 2, 68), bool))
    with pytest.raises(DataError, match=r"clip-0000\.npz is not the label"):
        read_clips(tmp_path)
    (tmp_path / "clip-0000.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match="make it again"):
        read_clips(tmp_path)
    (tmp_path / "clip-0000.mp4").unlink()
    with pytest.raises(DataError, match=r"without clip-0000\.mp4"):
        read_clips(tmp_path)
