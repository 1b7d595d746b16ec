"""The FDDB reader, on lists of ellipses as published."""

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.datasets.public.fddb import FaceEllipse, read_fddb
from mien.errors import DataError

FIRST = """2002/08/11/big/img_591
1
123.583300 85.549500 1.570796 269.693400 161.781200  1
2002/08/26/big/img_265
3
67.363819 44.511485 -1.476417 105.249970 87.209036  1
41.936870 27.064477 1.471906 184.070915 129.345601  1
70.993052 43.355200 1.370217 340.894300 117.498951  1
"""
TENTH = "2003/01/13/big/img_9\n1\n30.0 20.0 0.0 50.0 40.0  1\n"
NAMES = ("2002/08/11/big/img_591", "2002/08/26/big/img_265", "2003/01/13/big/img_9")


def write_fddb(root: Path, pictures: str = "originalPics") -> Path:
    folds = root / "FDDB-folds"
    folds.mkdir()
    (folds / "FDDB-fold-01-ellipseList.txt").write_text(FIRST)
    (folds / "FDDB-fold-10-ellipseList.txt").write_text(TENTH)
    (folds / "FDDB-fold-01.txt").write_text("\n".join(NAMES[:2]))
    for name in NAMES:
        path = root / pictures / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.zeros((30, 40, 3), np.uint8))
    return folds / "FDDB-fold-01-ellipseList.txt"


@pytest.mark.parametrize("pictures", ["originalPics", "."])
def test_lists_give_every_photo_its_faces(tmp_path: Path, pictures: str) -> None:
    write_fddb(tmp_path, pictures)
    photos = read_fddb(tmp_path)
    assert [photo.name for photo in photos] == list(NAMES)
    assert [photo.fold for photo in photos] == [1, 1, 10]
    assert [len(photo.boxes) for photo in photos] == [1, 3, 1]
    assert photos[1].ellipses[0].angle_rad == -1.476417
    assert photos[0].read_rgb().shape == (30, 40, 3)


def test_an_upright_ellipse_is_as_tall_as_its_major_axis(tmp_path: Path) -> None:
    write_fddb(tmp_path)
    photos = read_fddb(tmp_path)
    (box,) = photos[0].boxes  # turned by a quarter
    assert box.centre == pytest.approx((269.6934, 161.7812))
    assert (box.width, box.height) == pytest.approx((2 * 85.5495, 2 * 123.5833), rel=1e-6)
    (box,) = photos[2].boxes  # lying
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((20, 20, 80, 60))


@pytest.mark.parametrize("angle_rad", [0.3, -1.2, 2.5])
def test_the_box_touches_a_turned_ellipse_on_all_sides(angle_rad: float) -> None:
    box = FaceEllipse(40.0, 25.0, angle_rad, (10.0, 20.0)).box
    turn = np.linspace(0, 2 * math.pi, 100_001)
    along, across = 40 * np.cos(turn), 25 * np.sin(turn)
    x = 10 + along * math.cos(angle_rad) - across * math.sin(angle_rad)
    y = 20 + along * math.sin(angle_rad) + across * math.cos(angle_rad)
    outline = (x.min(), y.min(), x.max(), y.max())
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx(outline, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FIRST[:-80], r"ellipseList\.txt ends within the faces of 2002/08/26/big/img_265"),
        (FIRST[:22], "ends within the faces of 2002/08/11/big/img_591"),
        (FIRST.replace("\n3\n", "\n2\n"), "line 8: expected the number of faces|ends within"),
        (FIRST.replace("\n1\n", "\nx\n", 1), "line 2: expected the number of faces, not 'x'"),
        (FIRST.replace("123.583300", ""), "line 3: expected two radii"),
        (FIRST.replace("123.583300", "-1"), "line 3: expected two radii"),
        (FIRST.replace("123.583300", "nan"), "line 3: expected two radii"),
    ],
)
def test_broken_lists_are_one_clear_error(tmp_path: Path, text: str, message: str) -> None:
    write_fddb(tmp_path).write_text(text)
    with pytest.raises(DataError, match=message):
        read_fddb(tmp_path)


def test_wrong_folders_and_missing_photos_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no FDDB-fold-NN-ellipseList\.txt"):
        read_fddb(tmp_path)
    write_fddb(tmp_path)
    (tmp_path / "originalPics" / f"{NAMES[2]}.jpg").unlink()
    with pytest.raises(DataError, match=r"img_9\.jpg is missing, and 1 of 3 photos"):
        read_fddb(tmp_path)
