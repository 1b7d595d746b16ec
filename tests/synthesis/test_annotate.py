"""A folder of pictures to a pack, to fits: our own network's points come back where they were."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mien.cli.data import data_app
from mien.datasets.ours.pack import read_pack
from mien.datasets.ours.pack_writer import PackWriter
from mien.errors import DataError, OutputError
from mien.markup import load_markup
from mien.types import Landmarks
from standin import square_picture

SQUARES = {"a.png": [(80.0, 60.0, 31)], "b.png": [(50.0, 70.0, 35)], "dark.png": []}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures with a bright square, one without, one that is damaged; a detector's table."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, squares in SQUARES.items():
        Image.fromarray(square_picture(*squares)).save(folder / name)
    (folder / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n not quite")
    # Pictures are numbered by their place in the folder: a, b, damaged, dark.
    table = "frame,left,top,right,bottom\n0,34,40,100,80\n1,34,40,100,90\n"
    (tmp_path / "boxes.csv").write_text(table)
    return folder


def test_a_folder_becomes_a_pack_that_heads_are_fitted_to(
    folder: Path, standin_model: Path, head_file: Path, anchors_file: Path, tmp_path: Path
) -> None:
    pack = tmp_path / "pack"
    (folder / "holidays").mkdir()
    (folder / "holidays" / "c.png").write_bytes((folder / "a.png").read_bytes())
    (folder / "notes.txt").write_text("hello")
    done = CliRunner().invoke(
        data_app,
        f"annotate {folder} --out {pack} --model {standin_model} --threads 1 --least-size 10 "
        f"--val 0 --detector boxes:{tmp_path / 'boxes.csv'}",
        catch_exceptions=False,
    )
    assert done.exit_code == 0
    assert "2 faces of 3 photos" in done.output
    assert "skipped:" in done.stderr
    assert ".txt (1); 1 folder inside" in done.output
    photos = read_pack(pack)
    with np.load(pack / "faces.npz") as table:
        assert table["photo"].tolist() == ["a.png", "b.png"]
        scale, corner = table["crop_scale"], table["corner"]
    assert photos.annotated.all()
    assert not photos.teachers_agree.any()
    assert set(photos.split.tolist()) == {"train"}
    np.testing.assert_allclose(photos.point_confidence, 0.9)  # as the stand-in says
    for row, ((x, y, side),) in enumerate(filter(None, SQUARES.values())):
        stored = cv2.imread(str(pack / "faces" / str(photos.path[row])))
        assert stored is not None
        rows, columns = np.nonzero(stored[..., 0] > 127)
        # The points' mean is the square's middle, in the pixels of the stored picture.
        middle = photos.teacher68[row, :, :2].mean(axis=0)
        assert np.abs(middle - [columns.mean(), rows.mean()]).max() < 0.6
        assert np.abs(middle / scale[row] + corner[row] - [x, y]).max() < 0.6
        assert np.ptp(columns) + 1 == pytest.approx(side * scale[row], abs=2)
        mean = load_markup(68).mean_shape
        factor = np.ptp(photos.teacher68[row, :, 0]) / np.ptp(mean[:, 0])
        found = photos.teacher68[row] - photos.teacher68[row].mean(axis=0)
        np.testing.assert_allclose(found, factor * mean, atol=0.1)
    fits = tmp_path / "fits.npz"
    fitted = CliRunner().invoke(
        data_app,
        f"fit {pack} --model {head_file} --anchors {anchors_file} --out {fits}",
        catch_exceptions=False,
    )
    assert "2 faces fitted" in fitted.output
    # The stand-in is only half sure of its points: too little for a set.
    with pytest.raises(DataError, match="no photo of split train can be used"):
        CliRunner().invoke(
            data_app,
            f"profile {fits} --anchors {anchors_file} --out {tmp_path / 'set'} --pictures 2",
            catch_exceptions=False,
        )


def test_a_pack_is_not_written_over_and_not_without_faces(tmp_path: Path) -> None:
    writer = PackWriter(tmp_path / "pack", 0.5, "fast")
    with pytest.raises(OutputError, match="no face"):
        writer.close()
    face = Landmarks(40 * load_markup(68).mean_shape + [50, 50, 0], np.ones(68))
    for number in range(40):
        writer.add(f"{number}.jpg", np.zeros((100, 100, 3), np.uint8), face)
    writer.add("0.jpg", np.zeros((100, 100, 3), np.uint8), face)
    writer.close()
    photos = read_pack(tmp_path / "pack")
    assert len(set(photos.path.tolist())) == 41
    assert 10 < (photos.split == "val").sum() < 30
    assert photos.split[40] == photos.split[0]  # faces of one photo stay together
    with pytest.raises(OutputError, match="already"):
        PackWriter(tmp_path / "pack", 0.5, "fast")
