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
from mien.datasets.ours.pack import read_pack
from mien.datasets.ours.shards import SetEntry, write_shard
from mien.errors import ConfigError, DataError, OutputError
from mien.geometry.pose import angles_from_rotation, pose_head
from mien.interrupts import signals_awaited
from mien.markup import load_markup
from mien.synthesis.fit.anchors import Anchors
from mien.synthesis.fit.fits import fit_photos, save_fits
from mien.synthesis.fit.photo_border import read_photo
from mien.synthesis.head.morphable import MorphableHead, load_head
from mien.synthesis.make import parallel
from mien.synthesis.make.contact_sheets import sheet_of_set, write_sheet
from mien.synthesis.make.manifest import SetRun, begin_run
from mien.synthesis.make.parallel import run_tasks
from mien.synthesis.make.photo_sets import Recipe, SetJob, make_entries, make_set, plan_photos
from mien.synthesis.make.session import SessionFiles, SynthesisSession


def entry(number: int, split: str = "train", yaw: float = 40.0) -> SetEntry:
    image = np.full((64, 64, 3), 20 * number, np.uint8)
    points, dense = (np.full((n, 3), number, np.float32) for n in (68, 84))
    hidden, hidden84 = np.zeros(68, bool), np.ones(84, bool)
    return SetEntry(
        image,
        points,
        hidden,
        dense,
        hidden84,
        yaw,
        f"{number}.jpg",
        split,
        True,
        hidden,
        hidden84,
        "eyes shut",
    )


def begin(folder: Path, seed: int = 1, split: str = "train", pictures: int = 5) -> SetRun:
    made_by: dict[str, object] = {"seed": seed, "recipe": {"yaw": (0.0, 90.0)}}
    return begin_run(
        folder, split=split, pictures=pictures, made_by=made_by, command="make", shard_size=3
    )


@pytest.fixture(scope="module")
def session(known_faces: KnownFaces, head: MorphableHead, anchors: Anchors) -> SynthesisSession:
    photos = read_pack(known_faces.table)
    return SynthesisSession(head, photos, fit_photos(head, photos, anchors), anchors)


def test_a_shard_gives_back_what_was_written(tmp_path: Path) -> None:
    write_shard(tmp_path / "shard-00000.npz", [entry(4), entry(5)], "train")
    assert [file.name for file in tmp_path.iterdir()] == ["shard-00000.npz"]
    with np.load(tmp_path / "shard-00000.npz") as shard:
        assert shard["points"].shape == (2, 68, 3)
        assert shard["points84"].shape == (2, 84, 3)
        assert shard["hidden84"].all()
        assert shard["covered84"].all()
        assert not shard["covered"].any()
        assert not shard["hidden"].any()
        start, end = shard["offsets"][1:3]
        image = cv2.imdecode(shard["jpeg"][start:end], cv2.IMREAD_COLOR)
        assert np.abs(image.astype(int) - 100).max() <= 2
        assert shard["points"][1, 0, 0] == 5
        assert shard["source_path"].tolist() == ["4.jpg", "5.jpg"]


def test_a_shard_refuses_photos_of_another_split(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="val"):
        write_shard(tmp_path / "shard-00000.npz", [entry(1), entry(2, "val")], "train")
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_broke_off_goes_on(tmp_path: Path) -> None:
    run = begin(tmp_path)
    assert [list(run.numbers(shard)) for shard in run.missing] == [[0, 1, 2], [3, 4]]
    write_shard(run.file(0), [entry(n, yaw=-20.0) for n in run.numbers(0)], "train")
    again = begin(tmp_path)
    assert (again, again.missing) == (run, [1])
    # Another seed adds behind the shards that the first run still owes.
    other = begin(tmp_path, seed=2)
    assert (other.first, other.missing) == (2, [0, 1])
    write_shard(again.file(1), [entry(n) for n in run.numbers(1)], "train")
    again.finish(2, 0.25)
    assert begin(tmp_path).missing == []
    again.finish(0, 0.01)  # the whole run once more: nothing was made
    first, second = json.loads((tmp_path / "manifest.json").read_text())["runs"]
    assert first["counts"] == {"eyes shut": 5, "yaw +30 to +45": 2, "yaw -30 to -15": 3}
    assert (first["finished"], second["finished"], second["seed"]) == (True, False, 2)
    assert first["timed"] == {"pictures": 2, "seconds": 0.2}


def test_a_run_adds_to_a_set_of_an_older_mien(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"split": "train", "runs": [{"seed": 1}]}')
    (tmp_path / "shard-00006.npz").write_bytes(b"")
    assert begin(tmp_path).first == 7


def test_a_run_refuses_a_folder_of_another_split_and_a_damaged_one(tmp_path: Path) -> None:
    begin(tmp_path)
    with pytest.raises(OutputError, match="train"):
        begin(tmp_path, split="val")
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(DataError, match="damaged"):
        begin(tmp_path)


@pytest.mark.parametrize("split", ["train", "val"])
def test_nothing_of_another_split_enters_a_set(session: SynthesisSession, split: str) -> None:
    recipe = Recipe(pictures=8, split=split, eyes_shut=0.5, mouth_open=0.5, brows=0.5, relit=0.5)
    entries = list(make_entries(recipe, session, 2, range(8)))
    photos = session.photos
    allowed = set(photos.path[photos.split == split].tolist())
    assert len(entries) == 8
    assert {made.source_path for made in entries} <= allowed
    assert all(made.split == split for made in entries)
    for made in entries:
        inside = (made.points_image[:, :2] > 0) & (made.points_image[:, :2] < made.image.shape[0])
        assert inside.all()
        kept = list(load_markup(84).ibug68)
        np.testing.assert_allclose(
            made.points84_image[kept][:, :2], made.points_image[:, :2], atol=1e-4
        )
        np.testing.assert_array_equal(made.hidden84[kept], made.hidden)


def test_a_picture_follows_from_the_seed_and_its_number(session: SynthesisSession) -> None:
    recipe = Recipe(4)
    whole = list(make_entries(recipe, session, 4, range(4)))
    (third,) = make_entries(recipe, session, 4, [2])
    np.testing.assert_array_equal(third.image, whole[2].image)
    np.testing.assert_array_equal(third.points_image, whole[2].points_image)
    assert not np.array_equal(whole[1].points_image, whole[2].points_image)


def test_moved_mouths_are_named_and_leave_sets_without_them_as_they_were(
    session: SynthesisSession,
) -> None:
    never, always = (
        list(make_entries(Recipe(6, brows=0.5, mouth_moved=share), session, 4, range(6)))
        for share in (0.0, 1.0)
    )
    assert all("mouth moved" in made.edit for made in always)
    assert not any("mouth moved" in made.edit for made in never)
    plain = list(make_entries(Recipe(6, brows=0.5), session, 4, range(6)))
    for made, same in zip(never, plain, strict=True):
        np.testing.assert_array_equal(made.image, same.image)


def test_a_set_that_was_begun_before_mouths_moved_goes_on(tmp_path: Path) -> None:
    def run(recipe: Recipe) -> SetRun:
        made_by: dict[str, object] = {"seed": 1, "recipe": recipe.record()}
        return begin_run(
            tmp_path, split="train", pictures=5, made_by=made_by, command="make", shard_size=3
        )

    begun = run(Recipe(5, brows=0.5))
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    old = {"pictures", "split", "min_yaw_deg", "max_yaw_deg", "pitch_range_deg", "eyes_shut"}
    old |= {"mouth_open", "brows", "relit", "glasses", "masks", "edits_frontal", "source_shares"}
    assert set(manifest["runs"][0]["recipe"]) == old
    assert run(Recipe(5, brows=0.5)) == begun
    assert run(Recipe(5, brows=0.5, mouth_moved=0.2)).first == 2
    assert run(Recipe(5, brows=0.5, mouth_moved=0.2)).first == 2


def test_heads_are_thrown_back_and_bowed_as_far_as_asked(session: SynthesisSession) -> None:
    recipe = Recipe(12, min_yaw_deg=0, max_yaw_deg=5, pitch_range_deg=(30, 40))
    made = make_entries(recipe, session, 4, range(12))
    mean_shape = load_markup(68).mean_shape
    poses = [pose_head(one.points_image.astype(float), mean_shape) for one in made]
    pitch = np.array([angles_from_rotation(pose.rotation).pitch_deg for pose in poses])
    # The clay head's rest is not the mean shape's: only angles between its pictures are known.
    bowed, back = pitch[pitch > 0], pitch[pitch < 0]
    assert 60 < bowed.mean() - back.mean() < 80
    assert max(np.ptp(bowed), np.ptp(back)) < 13


def test_each_photo_is_drawn_once_before_any_is_drawn_again(session: SynthesisSession) -> None:
    rows = plan_photos(Recipe(7), session, np.random.default_rng(0))
    usable = np.flatnonzero(session.usable("train"))
    assert np.bincount(rows, minlength=9)[usable].min() >= 7 // len(usable)
    with pytest.raises(DataError, match="split nowhere"):
        plan_photos(Recipe(7, "nowhere"), session, np.random.default_rng(0))


def test_the_set_is_the_same_for_any_number_of_workers(
    known_faces: KnownFaces,
    head: MorphableHead,
    anchors: Anchors,
    head_file: Path,
    anchors_file: Path,
    tmp_path: Path,
) -> None:
    photos = read_pack(known_faces.table)
    fits = tmp_path / "fits.npz"
    save_fits(fits, fit_photos(head, photos, anchors), photos, head_file)
    job = SetJob(SessionFiles(fits, anchors=anchors_file), Recipe(3, eyes_shut=0.5), 8)
    made = []
    for workers in (1, 2):
        run = SetRun(tmp_path / str(workers), 0, 3, 2)
        run.folder.mkdir()
        (run.folder / "manifest.json").write_text('{"runs": [{"first_shard": 0}]}')
        assert sorted(make_set(job, run, workers)) == [1, 2]
        assert run.missing == []
        with np.load(run.file(0)) as first, np.load(run.file(1)) as second:
            made.append([np.concatenate([part["points"] for part in (first, second)]),
                         np.concatenate([part["jpeg"] for part in (first, second)])])  # fmt: skip
    for one, two in zip(*made, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_a_task_ends_the_run_as_itself(tmp_path: Path, workers: int) -> None:
    with pytest.raises(DataError, match=r"nothing\.npz cannot be read"):
        list(run_tasks(load_head, [tmp_path / "nothing.npz"] * 3, workers))


def test_ctrl_c_while_workers_are_started_waits_for_no_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(signals_awaited):
        def __exit__(self, *error: object) -> None:
            super().__exit__(*error)
            raise KeyboardInterrupt

    monkeypatch.setattr(parallel, "signals_awaited", Interrupted)
    files = [tmp_path / str(number) for number in range(3000)]
    with pytest.raises(KeyboardInterrupt):
        list(run_tasks(Path.touch, files, 2))
    assert len(list(tmp_path.iterdir())) < len(files)


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
    assert manifest["runs"][0]["timed"]["pictures"] == 5
    run.invoke(
        data_app,
        ["sheet", str(made), "--out", str(sheet), "--pictures", "7"],
        catch_exceptions=False,
    )
    assert cv2.imread(str(sheet)).shape == (260, 7 * 260, 3)
    run.invoke(
        data_app,
        f"turns {fits} --out {sheet} --photos 2 --anchors {anchors_file}",
        catch_exceptions=False,
    )
    assert cv2.imread(str(sheet)).shape == (260, 2 * 5 * 260, 3)


def test_nobody_wears_glasses_and_a_mask_by_chance(tmp_path: Path) -> None:
    arguments = f"profile fits.npz --out {tmp_path} --glasses 0.6 --masks 0.5"
    with pytest.raises(ConfigError, match="exceed 1"):
        CliRunner().invoke(data_app, arguments, catch_exceptions=False)


def test_shares_of_what_is_worn(session: SynthesisSession) -> None:
    entries = make_entries(Recipe(12, glasses=0.5, masks=0.5), session, 2, range(12))
    words = [made.edit for made in entries]
    assert all(word.endswith(("glasses", "face mask")) for word in words)
    assert len({word.split()[-1] for word in words}) == 2


@pytest.mark.parametrize("option", ["--yaw", "--pitch"])
def test_angles_the_wrong_way_round_are_refused(tmp_path: Path, option: str) -> None:
    arguments = ["profile", "fits.npz", "--out", str(tmp_path), option, "50", "30"]
    with pytest.raises(ConfigError, match="smaller first"):
        CliRunner().invoke(data_app, arguments, catch_exceptions=False)


def test_a_sheet_shows_no_picture_twice(tmp_path: Path) -> None:
    for shard in range(2):
        shades = [entry(1 + 2 * shard), entry(2 + 2 * shard)]
        write_shard(tmp_path / f"shard-{shard}.npz", shades, "train")
    sheet = sheet_of_set(tmp_path, 9, np.random.default_rng(0), with_points=False)
    shades_shown = sheet[130, 130::260, 0]
    np.testing.assert_allclose(shades_shown, [20, 40, 60, 80, 0, 0, 0], atol=3)


def test_a_sheet_of_no_set_and_to_no_picture(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="shard"):
        sheet_of_set(tmp_path, 3, np.random.default_rng(0))
    with pytest.raises(OutputError, match=r"sheet\.text"):
        write_sheet(tmp_path / "sheet.text", np.zeros((9, 9, 3), np.uint8))


def test_black_past_a_photos_border_is_filled(tmp_path: Path, known_faces: KnownFaces) -> None:
    photos = read_pack(known_faces.table)
    (tmp_path / "faces").mkdir()
    image = np.full((120, 120, 3), 120, np.uint8)
    image[90:] = 0
    image[20:40, 50:70] = 0  # a dark thing in the photo, not its end
    cv2.imwrite(
        str(tmp_path / "faces" / str(photos.path[0])), image, [cv2.IMWRITE_JPEG_QUALITY, 99]
    )
    moved = read_pack(known_faces.table)
    object.__setattr__(moved, "table", tmp_path / "faces.npz")
    filled = read_photo(moved, 0)
    assert filled[100:].min() > 90
    assert filled[25:35, 55:65].max() < 30


@pytest.mark.parametrize("words", ["sheet set", "turns f.npz", "profile f.npz", "video f.npz"])
def test_a_seed_below_nought_is_refused(words: str) -> None:
    done = CliRunner().invoke(data_app, f"{words} --out out --seed -1")
    assert done.exit_code == 2
    assert "--seed" in done.output
