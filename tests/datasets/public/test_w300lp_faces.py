"""300W-LP to learn from: photos stand on one side only, and points mean what they mean here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien.datasets.public.head_basis import HeadBasis
from mien.datasets.public.w300lp_faces import W300lpFaces, photo_of
from mien.errors import DataError
from tinypack import a_face, picture
from w300lpfolder import write_w300lp_face

COPIES = 3


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty photos in three turned copies; those of AFW and HELEN hold two faces each."""
    folder = tmp_path_factory.mktemp("300W_LP")
    rng = np.random.default_rng(0)
    face, black = a_face(rng)[:, :2], np.zeros((8, 8, 3), np.uint8)
    stems = {
        "AFW": [f"AFW_{photo}_{face}" for photo in range(1000, 1015) for face in (1, 2)],
        "HELEN": [f"HELEN_{photo}_{face}" for photo in range(2000, 2015) for face in (1, 2)],
        "IBUG": [f"IBUG_image_{photo:03d}_1" for photo in range(15)],
        "LFPW": [f"LFPW_image_test_{photo:04d}" for photo in range(15)],
    }
    for subset, names in stems.items():
        for name in names:
            for copy in range(COPIES):
                write_w300lp_face(folder, subset, f"{name}_{copy}", face, black)
    return folder


def names_of(faces: W300lpFaces) -> list[str]:
    return [faces.name_of(index) for index in range(len(faces))]


def test_no_photo_stands_on_both_sides(root: Path) -> None:
    """Nor any turned copy of it, nor another face of it."""
    train, val = (names_of(W300lpFaces(root, split=split)) for split in ("train", "val"))
    assert len(train) + len(val) == len(set(train) | set(val)) == COPIES * 90
    assert 0 < len(val) < len(train) / 5
    # Told from the names as written above, not by the code under test.
    photos = [
        {name.rsplit("_", 1 if name.startswith("LFPW") else 2)[0] for name in side}
        for side in (train, val)
    ]
    assert len(photos[0]) + len(photos[1]) == 60
    assert photos[0].isdisjoint(photos[1])
    assert names_of(W300lpFaces(root, split="val")) == val


@pytest.mark.parametrize(
    ("name", "photo"),
    [
        ("AFW/AFW_134212_1_0", "AFW/AFW_134212"),
        ("AFW_Flip/AFW_134212_2_17", "AFW/AFW_134212"),
        ("HELEN/HELEN_10405146_1_3", "HELEN/HELEN_10405146"),
        ("IBUG/IBUG_image_003_1_0", "IBUG/IBUG_image_003"),
        ("LFPW/LFPW_image_train_0001_12", "LFPW/LFPW_image_train_0001"),
    ],
)
def test_the_photo_behind_a_name(name: str, photo: str) -> None:
    assert photo_of(name) == photo


def test_points_count_from_0_and_have_no_depth_without_a_head(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    points = [a_face(rng)[:, :2] for _ in range(2)]
    drawn = [picture(face, rng) for face in points]
    for number in range(2):
        write_w300lp_face(tmp_path, "LFPW", f"LFPW_{number}_0", points[number], drawn[number])
    sides = [W300lpFaces(tmp_path, split=split) for split in ("train", "val")]
    assert [len(side) for side in sides] == [1, 1]
    number = int(sides[0].name_of(0).split("_")[1])
    face = sides[0].load(0)
    np.testing.assert_allclose(face.points[:, :2], points[number], atol=1e-4)
    assert not face.points[:, 2].any()
    assert face.trusted.all()
    assert np.abs(face.image_rgb[..., ::-1].astype(int) - drawn[number]).mean() < 8  # JPEG

    mean = np.zeros((68, 3))
    mean[0, 2] = 3000.0  # nearer to the camera by 3 px at the scale 0.001
    basis = HeadBasis(mean, np.zeros((68, 3, 40)), np.zeros((68, 3, 10)))
    deep = W300lpFaces(tmp_path, split="train", basis=basis).load(0)
    np.testing.assert_allclose(deep.points[0, 2] - deep.points[1:, 2], -3, rtol=1e-5)
    assert deep.points[:, 2].mean() == pytest.approx(0, abs=1e-5)


def test_one_photo_cannot_be_split(tmp_path: Path) -> None:
    face = a_face(np.random.default_rng(0))[:, :2]
    write_w300lp_face(tmp_path, "IBUG", "IBUG_a_1_0", face, np.zeros((8, 8, 3), np.uint8))
    assert len(W300lpFaces(tmp_path, split="val")) == 1
    with pytest.raises(DataError, match="no photo left for train"):
        W300lpFaces(tmp_path, split="train")
