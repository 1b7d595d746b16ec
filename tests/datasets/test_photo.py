"""The one decoder of labelled pictures: upright, whatever the camera held."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.datasets.photo import LabelledPhoto, decode_rgb, read_labelled_rgb
from mien.errors import DataError


def test_a_picture_is_turned_as_its_exif_mark_says(tmp_path: Path) -> None:
    shown = np.zeros((20, 40, 3), np.uint8)
    shown[:, :8] = [200, 40, 40]
    exif = Image.Exif()
    exif[0x0112] = 6  # stored a quarter turn to the left of how it is shown
    file = tmp_path / "a.png"
    Image.fromarray(np.rot90(shown)).save(file, exif=exif)
    np.testing.assert_array_equal(read_labelled_rgb(file), shown)
    photo = LabelledPhoto("a", file, np.zeros((68, 2)), encoded=file.read_bytes())
    np.testing.assert_array_equal(photo.read_rgb(), shown)


def test_an_edit_is_done_to_what_is_read(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8, 3), 9, np.uint8)).save(tmp_path / "a.png")
    photo = LabelledPhoto("a", tmp_path / "a.png", np.zeros((68, 2)), edit=lambda rgb: rgb[:, :3])
    assert photo.read_rgb().shape == (8, 3, 3)


def test_what_is_no_picture_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no picture"):
        decode_rgb(np.frombuffer(b"junk", np.uint8), "a.jpg")
    with pytest.raises(DataError, match="cannot be read"):
        read_labelled_rgb(tmp_path / "gone.jpg")
