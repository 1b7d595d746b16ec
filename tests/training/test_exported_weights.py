"""A run can start from an exported file: the network it was made from, normalisation unfolded."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
import torch
from torch import nn

from mien.errors import ModelError
from mien.export import export_run
from mien.models import Landmarker
from mien.training.checkpoint import (
    Checkpoint,
    card_of_weights,
    load_checkpoint,
    load_weights,
    save_checkpoint,
    start_from,
)
from mien.training.exported_weights import LEFT_OUT_KEY
from tinyrun import TINY, write_checkpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``a.pt`` of a network whose normalisation has met data, and ``a.onnx`` made from it."""
    folder = tmp_path_factory.mktemp("exported")
    network = write_checkpoint(folder / "a.pt")
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(-0.5, 1.5)
                module.bias.normal_()
                module.running_mean.normal_()  # type: ignore[union-attr]
                module.running_var.uniform_(0.2, 4.0)  # type: ignore[union-attr]
                module.num_batches_tracked.fill_(7)  # type: ignore[union-attr, operator]
    state = network.state_dict()
    save_checkpoint(Checkpoint(TINY, 6, state, state, {}, 0.1), folder / "a.pt")
    export_run(load_checkpoint(folder / "a.pt"), folder / "a.onnx")
    return folder


def test_every_weight_comes_back(folder: Path) -> None:
    before, after = load_weights(folder / "a.pt"), load_weights(folder / "a.onnx")
    assert before.keys() <= after.keys()
    for name, value in before.items():
        assert after[name].dtype == value.dtype, name
        torch.testing.assert_close(after[name], value, rtol=1e-5, atol=1e-6, msg=name)


def test_something_was_folded(folder: Path) -> None:
    """Else the test above would hold of a graph that is read as it stands."""
    graph = onnx.load(folder / "a.onnx").graph
    there = {each.name.removeprefix("landmarker.") for each in graph.initializer}
    assert set(load_weights(folder / "a.pt")) - there


def test_the_network_trains_on_as_it_was(folder: Path) -> None:
    """By a batch's own statistics too, where folded kernels would give another answer."""
    crops = torch.rand(4, 3, TINY.network.side, TINY.network.side) * 2 - 1
    points = []
    for file in (folder / "a.pt", folder / "a.onnx"):
        network = Landmarker(TINY.network)
        assert start_from(network, load_weights(file)) == ["mean_depth"]
        points.append(network.train()(crops).points)
    torch.testing.assert_close(points[0], points[1], rtol=1e-4, atol=1e-5)


def test_sources_and_licence_go_on(folder: Path) -> None:
    assert card_of_weights(folder / "a.onnx") == TINY.card


@pytest.mark.parametrize(
    ("left", "said"),
    [(None, "Export the run again"), ("bm8=", "damaged beside its graph"), ("?", "damaged")],
)
def test_a_file_without_what_was_left_out_is_one_line(
    folder: Path, tmp_path: Path, left: str | None, said: str
) -> None:
    model = onnx.load(folder / "a.onnx")
    (kept,) = [each for each in model.metadata_props if each.key == LEFT_OUT_KEY]
    if left is None:
        model.metadata_props.remove(kept)
    else:
        kept.value = left
    onnx.save(model, tmp_path / "b.onnx")
    with pytest.raises(ModelError, match=said) as caught:
        load_weights(tmp_path / "b.onnx")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("contents", [None, b"hello", b""])
def test_what_is_no_onnx_file_is_one_line(tmp_path: Path, contents: bytes | None) -> None:
    file = tmp_path / "none.onnx"
    if contents is not None:
        file.write_bytes(contents)
    for read in (load_weights, card_of_weights):
        with pytest.raises(ModelError, match=r"none\.onnx") as caught:
            read(file)
        assert "\n" not in str(caught.value)
