"""Sets on disk: their format, their provenance, and the commands that make them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from clay import KnownFaces
from typer.testing import CliRunner

from mien.cli.data import data_app
from mien.errors import ConfigError, DataError, OutputError
from mien.faces3d.anchors import Anchors
from mien.faces3d.fits import fit_photos
from mien.faces3d.morphable import MorphableHead
from mien.faces3d.photos import load_photos, read_photo
from mien.faces3d.recipe import Recipe, make_entries
from mien.faces3d.shards import SetEntry, SetWriter
from mien.faces3d.sheets import sheet_of_set, write_sheet


def entry(number: int, split: str = "train") -> SetEntry:
    image = np.full((64, 64, 3), 20 * number, np.uint8)
    points = np.full((68, 3), number, np.float32)
    return SetEntry(image, points, np.zeros(68, bool), 40.0, f"{number}.jpg", split, True)


def test_a_shard_gives_back_what_was_written(tmp_path: Path) -> None:
    writer = SetWriter(tmp_path, "train", shard_size=3)
    for number in range(1, 6):
        writer.add(entry(number))
    writer.close("make", 7, {})
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "manifest.json",
        "shard-00000.npz",
        "shard-00001.npz",
    ]
    with np.load(tmp_path / "shard-00001.npz") as shard:
        assert shard["points"].shape == (2, 68, 3)
        start, end = shard["offsets"][1:3]
        image = cv2.imdecode(shard["jpeg"][start:end], cv2.IMREAD_COLOR)
        assert np.abs(image.astype(int) - 100).max() <= 2
        assert shard["points"][1, 0, 0] == 5
        assert shard["source_path"].tolist() == ["4.jpg", "5.jpg"]


def test_a_second_run_adds_and_does_not_replace(tmp_path: Path) -> None:
    for seed in (1, 2):
        writer = SetWriter(tmp_path, "train")
        writer.add(entry(seed))
        writer.close("make", seed, {})
    assert len(list(tmp_path.glob("shard-*.npz"))) == 2
    runs = json.loads((tmp_path / "manifest.json").read_text())["runs"]
    assert [run["seed"] for run in runs] == [1, 2]
    assert runs[0]["counts"] == {"yaw +30 to +45": 1}


def test_a_writer_refuses_photos_of_another_split(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="val"):
        SetWriter(tmp_path, "train").add(entry(1, "val"))


def test_a_writer_refuses_a_folder_of_another_split(tmp_path: Path) -> None:
    writer = SetWriter(tmp_path, "train")
    writer.add(entry(1))
    writer.close("make", 1, {})
    with pytest.raises(OutputError, match="train"):
        SetWriter(tmp_path, "val")


@pytest.mark.parametrize("split", ["train", "val"])
def test_nothing_of_another_split_enters_a_set(
    known_faces: KnownFaces, head: MorphableHead, anchors: Anchors, split: str
) -> None:
    photos = load_photos(known_faces.table)
    fits = fit_photos(head, photos, anchors)
    recipe = Recipe(pictures=8, split=split, eyes_shut=0.5, mouth_open=0.5, brows=0.5, relit=0.5)
    entries = list(make_entries(recipe, head, photos, fits, anchors, np.random.default_rng(2)))
    allowed = set(photos.path[photos.split == split].tolist())
    assert len(entries) == 8
    assert {made.source_path for made in entries} <= allowed
    assert all(made.split == split for made in entries)
    for made in entries:
        inside = (made.points_image[:, :2] > 0) & (made.points_image[:, :2] < made.image.shape[0])
        assert inside.all()


def test_the_same_seed_makes_the_same_set(
    known_faces: KnownFaces, head: MorphableHead, anchors: Anchors
) -> None:
    photos = load_photos(known_faces.table)
    fits = fit_photos(head, photos, anchors)
    first, second = (
        list(make_entries(Recipe(2), head, photos, fits, anchors, np.random.default_rng(4)))
        for _ in range(2)
    )
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
        np.testing.assert_array_equal(a.points_image, b.points_image)


def test_commands_from_photos_to_a_sheet(
    known_faces: KnownFaces, head_file: Path, anchors_file: Path, tmp_path: Path
) -> None:
    run = CliRunner()
    fits, made, sheet = tmp_path / "fits.npz", tmp_path / "set", tmp_path / "sheet.png"
    fitted = run.invoke(
        data_app,
        f"fit {known_faces.table.parent} --model {head_file} --out {fits} "
        f"--anchors {anchors_file} --sheet {tmp_path / 'worst.png'}",
        catch_exceptions=False,
    )
    assert "9 faces fitted" in fitted.output
    assert "helen train: 3 faces" in fitted.output
    assert (tmp_path / "worst.png").exists()
    run.invoke(
        data_app,
        f"profile {fits} --out {made} --pictures 5 --seed 3 --anchors {anchors_file} --yaw 50 80",
        catch_exceptions=False,
    )
    with np.load(made / "shard-00000.npz") as shard:
        assert len(shard["yaw_deg"]) == 5
        assert set(shard["split"].tolist()) == {"train"}
    manifest = json.loads((made / "manifest.json").read_text())
    assert manifest["runs"][0]["recipe"]["max_yaw_deg"] == 80
    run.invoke(
        data_app,
        ["sheet", str(made), "--out", str(sheet), "--pictures", "7"],
        catch_exceptions=False,
    )
    assert cv2.imread(str(sheet)).shape == (260, 7 * 260, 3)


def test_angles_the_wrong_way_round_are_refused(tmp_path: Path) -> None:
    arguments = ["profile", "fits.npz", "--out", str(tmp_path), "--yaw", "80", "30"]
    with pytest.raises(ConfigError, match="smaller first"):
        CliRunner().invoke(data_app, arguments, catch_exceptions=False)


def test_a_sheet_of_no_set_and_to_no_picture(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="shard"):
        sheet_of_set(tmp_path, 3, np.random.default_rng(0))
    with pytest.raises(OutputError, match=r"sheet\.text"):
        write_sheet(tmp_path / "sheet.text", np.zeros((9, 9, 3), np.uint8))


def test_black_past_a_photos_border_is_filled(tmp_path: Path, known_faces: KnownFaces) -> None:
    photos = load_photos(known_faces.table)
    (tmp_path / "faces").mkdir()
    image = np.full((120, 120, 3), 120, np.uint8)
    image[90:] = 0
    image[20:40, 50:70] = 0  # a dark thing in the photo, not its end
    cv2.imwrite(
        str(tmp_path / "faces" / str(photos.path[0])), image, [cv2.IMWRITE_JPEG_QUALITY, 99]
    )
    moved = load_photos(known_faces.table)
    object.__setattr__(moved, "table", tmp_path / "faces.npz")
    filled = read_photo(moved, 0)
    assert filled[100:].min() > 90
    assert filled[25:35, 55:65].max() < 30
