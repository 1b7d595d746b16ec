"""A finder's set: written and read back, and what is damaged is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from finderset import write_finder_set
from mien.datasets.ours.finder_set import (
    CROP,
    EMPTY,
    SCENE,
    FinderSet,
    FinderSetWriter,
    LabelledPicture,
    PictureFaces,
)
from mien.errors import DataError


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (5 + i, 7, 3), dtype=np.uint8) for i in range(4)]
    tables = [
        PictureFaces(
            rng.random((i, 2)), rng.random(i) + 1, rng.random((i, 5, 2)), np.arange(i) % 2 == 0
        )
        for i in range(4)
    ]
    splits = ["train", "val", "val", "train"]
    writer = FinderSetWriter(tmp_path)
    for i, image in enumerate(images):
        picture = LabelledPicture(image, tables[i], i - 1)
        writer.add(picture, kind=SCENE, source=f"s{i}", split=splits[i])
    assert writer.counts == (4, 6)
    writer.close()
    for split, rows in (("train", [0, 3]), ("val", [1, 2])):
        found = FinderSet(tmp_path, split)
        assert len(found) == 2
        for index, i in enumerate(rows):
            picture = found.load(index)
            np.testing.assert_array_equal(picture.image_rgb, images[i])
            np.testing.assert_array_equal(picture.faces.centre, tables[i].centre)
            np.testing.assert_array_equal(picture.faces.points, tables[i].points)
            np.testing.assert_array_equal(picture.faces.sure, tables[i].sure)
            assert found.source(index) == f"s{i}"
            assert picture.main == (i - 1 if i else -1)


def test_pictures_by_kind_and_source(tmp_path: Path) -> None:
    found = FinderSet(write_finder_set(tmp_path), "val")
    assert [len(found.of(kind)) for kind in (CROP, SCENE, EMPTY)] == [4, 4, 4]
    assert len(found.of(CROP, "drawn")) == 4
    assert len(found.of(CROP, "scenes")) == 0
    assert found.sources == ["drawn", "none", "scenes"]


def test_a_damaged_set_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="mien data finder"):
        FinderSet(tmp_path, "train")
    write_finder_set(tmp_path)
    with pytest.raises(DataError, match="test"):
        FinderSet(tmp_path, "test")
    pixels = tmp_path / "pictures.bin"
    pixels.write_bytes(pixels.read_bytes()[:-1])
    with pytest.raises(DataError, match="again"):
        FinderSet(tmp_path, "train")
    (tmp_path / "finder.npz").write_bytes(b"nothing")
    with pytest.raises(DataError, match="damaged"):
        FinderSet(tmp_path, "train")
