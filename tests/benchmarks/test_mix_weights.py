"""A mix of two weight files lies between them, runs, and says what it is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

import mix_weights
from mien.errors import ModelError
from mien.export import digest_of, export_run
from mien.models import NetworkConfig
from mien.runtime.session import open_weights, read_card
from mien.training.checkpoint import load_checkpoint
from mien.training.exported_weights import carries_left_out
from mix_weights import mixed_card, mixed_graph
from tinyrun import TINY, write_checkpoint


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two exported networks of one architecture."""
    folder = tmp_path_factory.mktemp("files")
    made = []
    for seed, source in ((0, "helen"), (1, "lfw")):
        card = dataclasses.replace(TINY.card, training_sources=("afw", source))
        write_checkpoint(folder / "a.pt", dataclasses.replace(TINY, card=card), seed)
        made.append(folder / f"{source}.onnx")
        export_run(load_checkpoint(folder / "a.pt"), made[-1], {"some": 1})
    return made


def mix(
    monkeypatch: pytest.MonkeyPatch, files: list[Path], share: float, out: Path
) -> onnx.ModelProto:
    words = [*map(str, files), "--share", str(share), "--out", str(out)]
    monkeypatch.setattr("sys.argv", ["mix_weights.py", *words])
    mix_weights.main()
    return onnx.load(out)


def weights(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    return {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}


def test_each_weight_lies_between(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = weights(mix(monkeypatch, files, 0.7, tmp_path / "mix.onnx"))
    ours, theirs = (weights(onnx.load(file)) for file in files)
    assert made.keys() == ours.keys()
    moved = 0
    for name, value in made.items():
        assert value.dtype == ours[name].dtype
        np.testing.assert_allclose(value, 0.7 * ours[name] + 0.3 * theirs[name], atol=1e-6)
        moved += not np.array_equal(ours[name], theirs[name])
    assert moved > 20


def test_the_card_is_of_the_mix(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = mix(monkeypatch, files, 0.7, tmp_path / "mix.onnx")
    card, first, second = (read_card(file) for file in (tmp_path / "mix.onnx", *files))
    assert card.sha256 == digest_of(made)
    assert len({card.sha256, first.sha256, second.sha256}) == 3
    assert card.training_sources == ("afw", "helen", "lfw")
    assert (card.results, card.licence, card.role) == ({}, first.licence, first.role)
    assert not carries_left_out(tmp_path / "mix.onnx")
    crops = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    seen = open_weights(tmp_path / "mix.onnx", threads=1).run(crops)
    assert np.isfinite(seen.points_crop).all()


@pytest.mark.parametrize(("share", "same_as"), [(1.0, 0), (0.0, 1)])
def test_all_of_one_is_that_one(
    files: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    share: float,
    same_as: int,
) -> None:
    made = mix(monkeypatch, files, share, tmp_path / "mix.onnx")
    assert digest_of(made) == read_card(files[same_as]).sha256


def test_what_cannot_be_mixed_is_one_line(
    files: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    torch.manual_seed(0)
    wider: NetworkConfig = dataclasses.replace(TINY.network, width=6)
    write_checkpoint(tmp_path / "a.pt", dataclasses.replace(TINY, network=wider))
    export_run(load_checkpoint(tmp_path / "a.pt"), tmp_path / "wider.onnx")
    with pytest.raises(SystemExit) as ended:
        mix(monkeypatch, [files[0], tmp_path / "wider.onnx"], 0.5, tmp_path / "mix.onnx")
    assert ended.value.code == 2
    assert "not of one architecture" in capsys.readouterr().err
    assert not (tmp_path / "mix.onnx").exists()
    one = onnx.load(files[0])
    with pytest.raises(ModelError, match="between 0 and 1"):
        mixed_graph(one, one, 1.5)
    card = read_card(files[0])
    with pytest.raises(ModelError, match="differ in role"):
        mixed_card(card, dataclasses.replace(card, role="detection"), "0")
