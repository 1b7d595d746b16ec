"""The .pts reader, on files written as the iBUG sets write them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.datasets.public.pts import parse_pts, read_pts
from mien.errors import DataError


def pts_text(points: np.ndarray, newline: str = "\n") -> str:
    rows = [f"{x:.6f} {y:.6f}" for x, y in points]
    lines = ["version: 1", f"n_points:  {len(points)}", "{", *rows, "}"]
    return newline.join(lines) + newline


def write_pair(folder: Path, stem: str, points: np.ndarray, image: str | None = None) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{stem}.pts").write_bytes(pts_text(points).encode())
    cv2.imwrite(str(folder / (image or f"{stem}.jpg")), np.zeros((40, 50, 3), np.uint8))


def numbered(count: int) -> np.ndarray:
    """x counts 1, 2, 3, ...: the index of each point can be read off it."""
    return np.column_stack([np.arange(1.0, count + 1), np.full(count, 7.0)])


def test_pixels_are_counted_from_1_in_the_file_and_from_0_here(tmp_path: Path) -> None:
    write_pair(tmp_path, "a", numbered(68))
    (photo,) = read_pts(tmp_path)
    np.testing.assert_array_equal(photo.points_image, numbered(68) - 1)
    assert photo.name == "a"
    assert photo.yaw_deg is None
    assert photo.convention == "clicked"
    assert photo.read_rgb().shape == (40, 50, 3)


def test_84_points_give_the_68_among_them(tmp_path: Path) -> None:
    write_pair(tmp_path, "a", numbered(84))
    (photo,) = read_pts(tmp_path)
    # Data README: iBUG jaw point i is 84-jaw point 2i-1; points 34-84 are iBUG 18-68.
    numbers_84 = [2 * i - 1 for i in range(1, 18)] + list(range(34, 85))
    np.testing.assert_array_equal(photo.points_image[:, 0] + 1, numbers_84)


def test_51_points_leave_the_jaw_without_labels(tmp_path: Path) -> None:
    write_pair(tmp_path, "a", numbered(51))
    (photo,) = read_pts(tmp_path)
    np.testing.assert_array_equal(np.flatnonzero(photo.valid), np.arange(17, 68))
    np.testing.assert_array_equal(photo.points_image[17:], numbered(51) - 1)


@pytest.mark.parametrize(
    "text",
    [
        pts_text(numbered(68), "\r\n"),
        pts_text(numbered(68), "\n\n"),
        pts_text(numbered(68)).replace("version: 1\n", "").replace("n_points:  ", "n_points:"),
        pts_text(numbered(68)).replace(" ", "\t").replace("}\n", "  }"),
        "\n" + pts_text(numbered(68)),
    ],
    ids=["crlf", "blank lines", "no version", "tabs", "leading line"],
)
def test_other_tools_ways_of_writing_are_read(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a.pts"
    file.write_bytes(text.encode())
    np.testing.assert_array_equal(parse_pts(file), numbered(68) - 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no .pts file"),
        ("just text\n", "is no .pts file"),
        (pts_text(numbered(68))[:300], "no closing brace"),
        (pts_text(numbered(67)).replace("67", "68", 1), "declares 68 points but holds 67"),
        (pts_text(numbered(68)).replace("5.000000 7.000000", "5.000000"), "two numbers"),
        (pts_text(numbered(68)).replace("5.000000", "five", 1), "two numbers"),
        (pts_text(numbered(68)).replace("5.000000", "nan", 1), "not finite"),
    ],
)
def test_broken_files_are_one_clear_error(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.pts").write_text(text)
    with pytest.raises(DataError, match=message):
        parse_pts(tmp_path / "a.pts")


def test_another_count_of_points_is_refused(tmp_path: Path) -> None:
    write_pair(tmp_path, "a", numbered(39))
    with pytest.raises(DataError, match="39 points: expected 68, 51"):
        read_pts(tmp_path)


def test_each_file_finds_its_photo(tmp_path: Path) -> None:
    write_pair(tmp_path, "own_1", numbered(68))
    write_pair(tmp_path, "group_1", numbered(68), "group.png")
    write_pair(tmp_path, "group_2", numbered(68), "group.png")
    write_pair(tmp_path, "loud", numbered(68), "loud.JPG")
    write_pair(tmp_path / "inner", "own_1", numbered(68))
    found = {photo.name: photo.image_path.name for photo in read_pts(tmp_path)}
    assert found == {
        "group_1": "group.png",
        "group_2": "group.png",
        "inner/own_1": "own_1.jpg",
        "loud": "loud.JPG",
        "own_1": "own_1.jpg",
    }


def test_wrong_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no \.pts file"):
        read_pts(tmp_path)
    (tmp_path / "a_1.pts").write_text(pts_text(numbered(68)))
    with pytest.raises(DataError, match="has no photo: expected a_1 with one of"):
        read_pts(tmp_path)
