"""The 300VW reader and the lines between labelled frames, on videos of a few frames."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from mien.datasets.public.vw300 import TEST_CATEGORIES, read_300vw
from mien.datasets.video import LabelledVideo
from mien.errors import DataError
from mien.media.reader import open_source

FRAMES = 7


def write_video(root: Path, name: str = "001") -> Path:
    """vid.avi whose frame i, counted from 0, is as grey as 30 * i."""
    folder = root / name
    (folder / "annot").mkdir(parents=True)
    with av.open(str(folder / "vid.avi"), "w") as container:
        stream = container.add_stream("mjpeg", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for index in range(FRAMES):
            image = np.full((48, 64, 3), 30 * index, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return folder


def write_pts(folder: Path, frame_from_1: int, x: float, y: float, count: int = 68) -> None:
    rows = "\n".join(f"{x + i:.3f} {y:.3f}" for i in range(count))
    text = f"version: 1\nn_points: {count}\n{{\n{rows}\n}}\n"
    (folder / "annot" / f"{frame_from_1:06}.pts").write_text(text)


def test_the_first_file_is_the_first_frame_and_pixels_count_from_1(tmp_path: Path) -> None:
    folder = write_video(tmp_path)
    for frame in range(1, FRAMES + 1):
        write_pts(folder, frame, x=10.0 * frame, y=5.0)
    (video,) = read_300vw(tmp_path)
    assert video.name == "001"
    assert video.points_image.shape == (FRAMES, 68, 2)
    with open_source(video.video_path) as source:
        frames = list(source)
    assert [frame.index for frame in frames] == list(video.frame_indices)
    for frame, points in zip(frames, video.points_image, strict=True):
        # A frame as grey as 30 * i is number i + 1 in the names of the files.
        shown = round(float(frame.image_rgb.mean()) / 30) + 1
        np.testing.assert_allclose(points[0], [10.0 * shown - 1, 4.0])
        np.testing.assert_allclose(points[3], [10.0 * shown + 3 - 1, 4.0])


def test_sparse_frames_are_joined_by_straight_lines(tmp_path: Path) -> None:
    folder = write_video(tmp_path)
    write_pts(folder, 2, x=11.0, y=21.0)  # frame 1: (10, 20)
    write_pts(folder, 6, x=19.0, y=1.0)  # frame 5: (18, 0)
    write_pts(folder, 7, x=20.0, y=2.0)  # frame 6: (19, 1)
    (video,) = read_300vw(tmp_path)
    assert list(video.frame_indices) == [1, 5, 6]
    whole = video.continuous()
    assert list(whole.frame_indices) == [1, 2, 3, 4, 5, 6]
    np.testing.assert_allclose(
        whole.points_image[:, 0], [[10, 20], [12, 15], [14, 10], [16, 5], [18, 0], [19, 1]]
    )
    np.testing.assert_array_equal(whole.continuous().points_image, whole.points_image)


def test_gaps_that_are_too_long_stay_open(tmp_path: Path) -> None:
    points = np.arange(4.0)[:, None, None] * np.ones((4, 84, 3))
    sparse = LabelledVideo("v", tmp_path, np.array([0, 2, 9, 10]), points)
    whole = sparse.continuous(max_gap_frames=2)
    assert list(whole.frame_indices) == [0, 1, 2, 9, 10]
    np.testing.assert_allclose(whole.points_image[:, 5, 2], [0, 0.5, 1, 2, 3])
    alone = LabelledVideo("v", tmp_path, np.array([3]), points[:1])
    assert list(alone.continuous().frame_indices) == [3]


@pytest.mark.parametrize(
    ("indices", "shape"),
    [
        ([], (0, 68, 2)),
        ([1, 1], (2, 68, 2)),
        ([2, 1], (2, 68, 2)),
        ([-1], (1, 68, 2)),
        ([0], (1, 67, 2)),
    ],
)
def test_labels_that_make_no_sense_are_refused(
    tmp_path: Path, indices: list[int], shape: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="v: "):
        LabelledVideo("v", tmp_path, np.array(indices, dtype=int), np.zeros(shape))


def test_84_points_are_read_and_a_mixture_is_not(tmp_path: Path) -> None:
    folder = write_video(tmp_path)
    write_pts(folder, 1, 10.0, 5.0, count=84)
    assert read_300vw(tmp_path)[0].points_image.shape == (1, 84, 2)
    write_pts(folder, 2, 10.0, 5.0)
    with pytest.raises(DataError, match=r"000002\.pts has 68 points: expected 84"):
        read_300vw(tmp_path)[0]
    write_pts(folder, 1, 10.0, 5.0, count=51)
    with pytest.raises(DataError, match=r"000001\.pts has 51 points: expected 68 or 84"):
        read_300vw(tmp_path)[0]


def test_videos_are_chosen_by_name(tmp_path: Path) -> None:
    for name in ("114", "001", "516"):
        write_pts(write_video(tmp_path, name), 1, 10.0, 5.0)
    assert [video.name for video in read_300vw(tmp_path)] == ["001", "114", "516"]
    assert [video.name for video in read_300vw(tmp_path, names=["516", "001"])] == ["516", "001"]
    with pytest.raises(DataError, match="has no video 124: it has 001, 114, 516"):
        read_300vw(tmp_path, names=TEST_CATEGORIES[0])


def test_the_test_set_has_64_videos_in_three_categories() -> None:
    assert [len(names) for names in TEST_CATEGORIES] == [31, 19, 14]
    assert len({name for names in TEST_CATEGORIES for name in names}) == 64


def test_broken_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="give the folder of 300VW"):
        read_300vw(tmp_path)
    folder = write_video(tmp_path)
    with pytest.raises(DataError, match=r"annot holds no \.pts file"):
        read_300vw(tmp_path)[0]
    write_pts(folder, 1, 10.0, 5.0)
    file = folder / "annot/000001.pts"
    file.write_text(file.read_text()[:200])
    with pytest.raises(DataError, match=r"000001\.pts declares 68 points"):
        read_300vw(tmp_path)[0]
    file.rename(file.with_name("first.pts"))
    with pytest.raises(DataError, match=r"first\.pts is not named after a frame"):
        read_300vw(tmp_path)[0]
    (folder / "vid.avi").unlink()
    with pytest.raises(DataError, match=r"vid\.avi is missing"):
        read_300vw(tmp_path)
