"""A finder's run: resumed to the step, by two workers too; scores by hand; its command."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from finderset import write_finder_set
from mien import cli
from mien.augmentation.composing import ComposeConfig
from mien.datasets.ours.finder_set import FinderSet, PictureFaces
from mien.errors import ConfigError, ModelError
from mien.models.finder import FinderNetworkConfig
from mien.runtime.detectors.finder_maps import Finds
from mien.training.config import ComputeConfig, Schedule
from mien.training.finder.config import FinderConfig
from mien.training.finder.loop import load_finder_checkpoint, train_finder
from mien.training.finder.prepare import FinderSources, prepare_finder_set
from mien.training.finder.run import train_finder_together
from mien.training.finder.validation import average_precision, match_finds, validation_pictures
from mien.training.learning import Learner
from mien.types import Box, Detection, Frame
from tinypack import write_tiny_pack

CONFIG = FinderConfig(
    "tiny",
    "finder",
    FinderNetworkConfig(widths=(4, 4, 8, 8, 8), blocks=(0, 0, 0, 0), neck=8),
    pictures=ComposeConfig(side=64, most_face=60.0),
    schedule=Schedule(steps=4, batch=2, warmup=1, validate_every=2, save_every_secs=0),
    val_pictures=2,
)
TOML = """
name = "tiny"
role = "finder"
val_pictures = 2

[network]
widths = [4, 4, 8, 8, 8]
blocks = [0, 0, 0, 0]
neck = 8

[pictures]
side = 64
most_face = 60

[schedule]
steps = 2
batch = 2
validate_every = 2
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_finder_set(tmp_path_factory.mktemp("set"), pictures=2)


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_a_stopped_run_goes_on_as_if_it_had_not_been_stopped(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parted = folder(tmp_path / "whole"), folder(tmp_path / "parted")
    train_finder(CONFIG, data, whole)

    class StopError(Exception):
        pass

    learn, steps = Learner.step, []

    def learn_twice(*arguments: object) -> object:
        if len(steps) == 2:
            raise StopError
        steps.append(1)
        return learn(*arguments)

    monkeypatch.setattr(Learner, "step", learn_twice)
    with pytest.raises(StopError):
        train_finder(CONFIG, data, parted)
    monkeypatch.undo()
    assert load_finder_checkpoint(parted / "last.pt").step == 2
    train_finder(CONFIG, data, parted)
    one, other = (load_finder_checkpoint(run / "last.pt") for run in (whole, parted))
    for name, value in one.model.items():
        torch.testing.assert_close(value, other.model[name])
    for run in (whole, parted):
        with (run / "val.csv").open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert [row["step"] for row in rows] == ["2"] * 4 + ["4"] * 4
        assert {row["name"] for row in rows} == {"made", "crop", "empty", "scenes"}


def test_two_workers_train_together(data: Path, tmp_path: Path) -> None:
    run = folder(tmp_path / "run")
    train_finder_together(CONFIG, data, run, workers=2)
    assert load_finder_checkpoint(run / "last.pt").step == 4
    with pytest.raises(ConfigError, match="divide"):
        train_finder_together(CONFIG, data, run, workers=3)


def test_another_network_does_not_go_on(data: Path, tmp_path: Path) -> None:
    run = folder(tmp_path / "run")
    train_finder(CONFIG, data, run)
    wider = dataclasses.replace(CONFIG.network, neck=16)
    with pytest.raises(ConfigError, match="another network"):
        train_finder(dataclasses.replace(CONFIG, network=wider), data, run)
    (run / "last.pt").write_bytes(b"nothing")
    with pytest.raises(ModelError):
        train_finder(CONFIG, data, run)


def test_a_run_from_before_goes_on(data: Path, tmp_path: Path) -> None:
    """Its checkpoint of the first format called the best score ``best_precision``."""
    run = folder(tmp_path / "run")
    train_finder(CONFIG, data, run)
    values = torch.load(run / "last.pt", weights_only=True)
    old = {name: value for name, value in values.items() if name not in ("format", "scaler")}
    old["best_precision"] = old.pop("best")
    del old["config"]["compute"]
    torch.save(old, run / "last.pt")
    assert load_finder_checkpoint(run / "last.pt").best == values["best"]
    longer = dataclasses.replace(CONFIG, schedule=dataclasses.replace(CONFIG.schedule, steps=5))
    train_finder(longer, data, run)
    assert load_finder_checkpoint(run / "last.pt").step == 5


def test_loading_processes_and_parts_are_as_configured(data: Path, tmp_path: Path) -> None:
    """Processes that make the pictures change nothing; parts of a batch are learned one by one."""
    weights = {}
    for name, compute in {
        "thread": ComputeConfig(loaders=0),
        "process": ComputeConfig(loaders=1),
        "parts": ComputeConfig(loaders=0, accumulate=2),
    }.items():
        run = folder(tmp_path / name)
        train_finder(dataclasses.replace(CONFIG, compute=compute), data, run)
        weights[name] = load_finder_checkpoint(run / "last.pt").model
    same = {
        name: all(torch.equal(value, weights["thread"][key]) for key, value in model.items())
        for name, model in weights.items()
    }
    assert same == {"thread": True, "process": True, "parts": False}


@pytest.mark.parametrize("workers", [1, 2])
def test_the_device_is_the_configured_one(data: Path, tmp_path: Path, workers: int) -> None:
    """One that no machine has: it is not silently the processor."""
    config = dataclasses.replace(CONFIG, compute=ComputeConfig(device="cuda:99"))
    with pytest.raises(ConfigError, match="no CUDA card 99"):
        train_finder_together(config, data, folder(tmp_path / "run"), workers=workers)


def finds_at(*rows: tuple[float, float, float, float]) -> Finds:
    values = np.array(rows)
    points = np.repeat(values[:, None, :2], 5, axis=1)
    return Finds(values[:, 3], values[:, :2], values[:, 2], points)


def test_finds_are_matched_as_one_would_by_hand() -> None:
    faces = PictureFaces(
        np.array([[20.0, 20.0], [60.0, 20.0], [90.0, 90.0]]),
        np.array([20.0, 20.0, 20.0]),
        np.full((3, 5, 2), np.nan),
        np.array([True, True, False]),
    )
    finds = finds_at(
        (21, 20, 20, 0.9),  # the first face
        (20, 21, 22, 0.8),  # the first face once more
        (90, 90, 20, 0.7),  # the one that is not sure: does not count
        (60, 60, 20, 0.6),  # nothing
        (60, 22, 18, 0.5),  # the second face
    )
    rows, counts = match_finds(finds, faces)
    assert rows.tolist() == [0, -1, -1, -1, 1]
    assert counts.tolist() == [True, True, False, True, True]


def test_average_precision_of_a_worked_example() -> None:
    """Right, wrong, right, of three faces: precision 1 at a third, 2/3 at two thirds."""
    found = average_precision(np.array([0.9, 0.8, 0.7]), np.array([True, False, True]), 3)
    assert found == pytest.approx((1 + 2 / 3) / 3)
    assert average_precision(np.zeros(0), np.zeros(0, bool), 0) == 1
    assert average_precision(np.array([0.9]), np.array([False]), 0) == 0


def test_a_finder_is_not_called_free_unasked() -> None:
    with pytest.raises(ConfigError, match="any_use is of landmark networks"):
        FinderConfig.from_dict({"name": "a", "role": "finder", "card": {"any_use": True}})


def test_val_pictures_are_the_same_for_all_steps(data: Path) -> None:
    one, other = (validation_pictures(CONFIG, FinderSet(data, "val")) for _ in range(2))
    assert list(one) == ["made", "crop", "empty", "scenes"]
    for name, pictures in one.items():
        for (image, faces), (again, _) in zip(pictures, other[name], strict=True):
            np.testing.assert_array_equal(image, again)
            assert image.shape[0] % 32 == image.shape[1] % 32 == 0
            assert name != "empty" or len(faces) == 0


class _Teacher:
    """Finds a face in the left top corner of everything, and another that it doubts."""

    def find(self, frame: Frame) -> list[Detection]:
        points = np.full((5, 2), 5.0)
        return [
            Detection(Box(0, 0, 10, 10), 0.9, points),
            Detection(Box(30, 0, 40, 10), 0.4, points),
            Detection(Box(60, 0, 70, 10), 0.1, points),
        ]


def test_a_set_is_made_of_a_pack_and_photos(tmp_path: Path) -> None:
    import cv2

    pack = write_tiny_pack(tmp_path / "pack", ("helen",), train=4, val=1)
    for name in ("photos", "empty", "scenes"):
        (tmp_path / name).mkdir()
        for number in range(5):
            picture = np.full((80, 100, 3), 40 * number, np.uint8)
            cv2.imwrite(str(tmp_path / name / f"{number}.png"), picture)
    boxes = {"0.png": [[0, 0, 10, 11, 0, 0, 0], [50, 50, 20, 20, 0, 1, 0], [0, 0, 0, 0, 0, 0, 0]]}
    (tmp_path / "scenes" / "boxes.json").write_text(json.dumps({"files": boxes}))
    sources = FinderSources(
        faces=pack.root,
        scenes=tmp_path / "scenes",
        photos=[tmp_path / "photos"],
        empty=tmp_path / "empty",
    )
    count, _ = prepare_finder_set(sources, tmp_path / "set", _Teacher())
    assert count == 5 + 1 + 5 + 5
    val, train = (FinderSet(tmp_path / "set", split) for split in ("val", "train"))
    (photo,) = val.of("scene", "photos")
    assert val.load(int(photo)).faces.sure.tolist() == [True, False]
    (empty,) = val.of("empty")
    assert val.load(int(empty)).faces.sure.tolist() == [False, False]
    (scene,) = val.of("scene", "scenes")
    marked = val.load(int(scene)).faces
    # The first box is the teacher's first find and takes its points; the second is invalid.
    assert marked.sure.tolist() == [True, False, False]
    np.testing.assert_allclose(marked.points[0], 5.0)
    crop = train.load(int(train.of("crop")[0]))
    assert crop.main == 0
    inside = crop.faces.points[0].mean(axis=0) - crop.faces.centre[0]
    assert np.abs(inside).max() < crop.faces.size[0] / 2


def mien(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["mien", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_info:
        cli.main()
    return int(exit_info.value.code or 0)


def test_a_finder_from_the_shell(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = tmp_path / "tiny.toml"
    config.write_text(TOML)
    monkeypatch.chdir(tmp_path)
    assert mien(monkeypatch, "train", config, "--describe") == 0
    assert "GFLOPs" in capsys.readouterr().out
    assert mien(monkeypatch, "train", config, "--data", data) == 0
    assert mien(monkeypatch, "export", "runs/tiny", "--out", "a.onnx", "--score", 0.3) == 0
    assert Path("a.onnx").is_file()
    capsys.readouterr()
    assert mien(monkeypatch, "train", config) == 2
    assert "--data" in capsys.readouterr().err
    assert mien(monkeypatch, "train", config, "--data", data, "--device", "cuda:99") == 2
    assert "no CUDA card 99" in capsys.readouterr().err
    assert mien(monkeypatch, "train", config, "--data", data, "--device", "gpu") == 2
    assert "device is auto" in capsys.readouterr().err
    config.write_text(TOML + "[compute]\ndevice = 'cuda:98'\n")
    assert mien(monkeypatch, "train", config, "--data", data) == 2
    assert "no CUDA card 98" in capsys.readouterr().err
    assert mien(monkeypatch, "train", config, "--data", data, "--device", "cpu") == 0
    config.write_text(TOML)
    assert mien(monkeypatch, "train", config, "--data", data, "--turned", data) == 2
    assert "--turned" in capsys.readouterr().err
    assert mien(monkeypatch, "train", config, "--data", tmp_path) == 2
    assert "mien data finder" in capsys.readouterr().err


def test_what_of_a_folder_of_photos_is_not_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos"
    (photos / "in").mkdir(parents=True)
    for name in ("a.jpeg", "b.webp", "in/c.jpg"):
        cv2.imwrite(str(photos / name), np.full((64, 64, 3), 90, np.uint8))
    assert mien(monkeypatch, "data", "finder", tmp_path / "set", "--photos", photos) == 0
    told = capsys.readouterr().out
    assert "1 picture with 0 faces" in told
    assert f"{photos}: left out 1 file that is neither JPEG nor PNG: .webp (1); 1 folder" in told
