"""Checkpoints: a round trip, and one line for everything that is not one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from mien.errors import ModelError, OutputError
from mien.models import Landmarker
from mien.training.checkpoint import (
    Checkpoint,
    load_checkpoint,
    load_weights,
    save_checkpoint,
    save_weights,
    start_from,
)
from tinyrun import TINY, write_checkpoint


def test_a_checkpoint_comes_back(tmp_path: Path) -> None:
    network = write_checkpoint(tmp_path / "last.pt")
    checkpoint = load_checkpoint(tmp_path / "last.pt")
    assert (checkpoint.config, checkpoint.step, checkpoint.best) == (TINY, 6, 0.1)
    for name, value in network.state_dict().items():
        assert torch.equal(checkpoint.averaged[name], value)
    assert [file.name for file in tmp_path.iterdir()] == ["last.pt"]


def test_a_cut_file_is_one_line(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "last.pt")
    whole = (tmp_path / "last.pt").read_bytes()
    for contents in (b"", b"hello\nworld", whole[: len(whole) // 2], whole[:100]):
        (tmp_path / "last.pt").write_bytes(contents)
        with pytest.raises(ModelError, match="is not a checkpoint of 'mien train'") as caught:
            load_checkpoint(tmp_path / "last.pt")
        assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        load_checkpoint(tmp_path / "none.pt")


def test_another_programs_file_is_one_line(tmp_path: Path) -> None:
    torch.save({"weights": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(ModelError, match="is not a checkpoint"):
        load_checkpoint(tmp_path / "other.pt")
    torch.save(torch.nn.Linear(1, 1), tmp_path / "module.pt")  # would run code when it is loaded
    with pytest.raises(ModelError, match="is not a checkpoint") as caught:
        load_checkpoint(tmp_path / "module.pt")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("has_scaler", [True, False])
def test_a_file_of_the_first_format_is_read(tmp_path: Path, has_scaler: bool) -> None:
    """As mien 0.1 wrote it: no number, its own name for the best score."""
    weights = {"a": torch.ones(2)}
    old = {"config": TINY.to_dict(), "step": 3, "model": weights, "averaged": weights}
    old |= {"optimiser": {}, "best_nme": 0.25} | ({"scaler": {"scale": 2.0}} if has_scaler else {})
    del old["config"]["compute"]  # ... and the oldest of them had no such table
    torch.save(old, tmp_path / "last.pt")
    checkpoint = load_checkpoint(tmp_path / "last.pt")
    assert (checkpoint.config, checkpoint.step, checkpoint.best) == (TINY, 3, 0.25)
    assert checkpoint.scaler == ({"scale": 2.0} if has_scaler else {})
    save_checkpoint(checkpoint, tmp_path / "new.pt")
    assert torch.load(tmp_path / "new.pt", weights_only=True)["format"] == 2
    assert load_checkpoint(tmp_path / "new.pt").best == 0.25


def test_a_file_of_a_newer_mien_is_one_line(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "last.pt")
    values = torch.load(tmp_path / "last.pt", weights_only=True)
    torch.save(values | {"format": 3}, tmp_path / "last.pt")
    with pytest.raises(ModelError, match="format 3, written by a newer mien"):
        load_checkpoint(tmp_path / "last.pt")


def test_a_folder_that_is_not_there_is_an_output_error(tmp_path: Path) -> None:
    checkpoint = Checkpoint(TINY, 0, {}, {}, {}, 1.0)
    with pytest.raises(OutputError, match="cannot write the checkpoint"):
        save_checkpoint(checkpoint, tmp_path / "none" / "last.pt")


def test_weights_that_fit_are_taken_over(tmp_path: Path) -> None:
    """From one width to another: what has it starts afresh, the rest goes on."""
    old = write_checkpoint(tmp_path / "a.pt").state_dict()
    new = Landmarker(dataclasses.replace(TINY.network, finetune_hidden=16))
    before = {name: value.clone() for name, value in new.state_dict().items()}
    fresh = start_from(new, load_checkpoint(tmp_path / "a.pt").averaged)
    for name, value in new.state_dict().items():
        taken = torch.equal(value, before[name] if name in fresh else old[name])
        assert taken, name
    assert "mean_depth" in fresh
    assert "finetune.shape.weight" in fresh
    assert "preprocessing.layers.0.weight" not in fresh
    assert start_from(Landmarker(TINY.network), old) == ["mean_depth"]


def test_kept_weights_come_back_but_for_half_precision(tmp_path: Path) -> None:
    """Kernels to one part in two thousand, everything else to the bit; half the bytes."""
    write_checkpoint(tmp_path / "a.pt")
    checkpoint = load_checkpoint(tmp_path / "a.pt")
    save_weights(checkpoint, tmp_path / "a.safetensors")
    kept = load_weights(tmp_path / "a.safetensors")
    assert kept.keys() == checkpoint.averaged.keys()
    for name, value in checkpoint.averaged.items():
        assert kept[name].dtype == value.dtype
        if value.dim() > 1:
            torch.testing.assert_close(kept[name], value, rtol=2**-11, atol=1e-7)
        else:
            assert torch.equal(kept[name], value)
    assert start_from(Landmarker(TINY.network), kept) == ["mean_depth"]
    assert load_weights(tmp_path / "a.pt").keys() == kept.keys()


@pytest.mark.parametrize("contents", [None, b"", b"no weights at all, but long enough"])
def test_what_is_no_weights_is_one_line(tmp_path: Path, contents: bytes | None) -> None:
    file = tmp_path / "b.safetensors"
    if contents is not None:
        file.write_bytes(contents)
    with pytest.raises(ModelError, match="holds no weights to start from") as caught:
        load_weights(file)
    assert "\n" not in str(caught.value)
