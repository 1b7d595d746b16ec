"""A run that starts from an exported file says at first just what that file says."""

from __future__ import annotations

import copy
from pathlib import Path

import onnx
import pytest
import torch

from mien.errors import ModelError
from mien.export import export_run
from mien.models import build_network
from mien.training.batches import batches_from, normalise, training_sets
from mien.training.checkpoint import card_of_weights, load_checkpoint
from mien.training.exported_weights import LEFT_OUT_KEY
from mien.training.loop import train
from mien.training.onnx_weights import load_folded, separate_folded
from tinypack import write_tiny_pack
from tinyrun import TINY, write_checkpoint


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of a network whose normalisations have statistics of their own."""
    tmp_path = tmp_path_factory.mktemp("exported")
    torch.manual_seed(0)
    write_checkpoint(tmp_path / "a.pt")
    checkpoint = load_checkpoint(tmp_path / "a.pt")
    generator = torch.Generator().manual_seed(3)
    for name, value in checkpoint.averaged.items():
        if name.endswith("running_var"):
            value.copy_(0.5 + torch.rand(value.shape, generator=generator))
        elif name.endswith("running_mean"):
            value.copy_(0.2 * torch.randn(value.shape, generator=generator))
        elif value.is_floating_point() and name != "mean_depth":
            # Of equal values the exporter keeps one: a network that has learned has none.
            value.add_(0.02 * torch.randn(value.shape, generator=generator))
    export_run(checkpoint, tmp_path / "a.onnx")
    # As files were before they carried what the graph leaves out.
    file = onnx.load(tmp_path / "a.onnx")
    kept = [each for each in file.metadata_props if each.key != LEFT_OUT_KEY]
    del file.metadata_props[:]
    file.metadata_props.extend(kept)
    onnx.save(file, tmp_path / "a.onnx")
    torch.save(checkpoint.averaged, tmp_path / "truth.pt")
    return tmp_path / "a.onnx"


def test_the_network_says_the_same_and_learns_from_there(exported: Path, tmp_path: Path) -> None:
    truth, model = (build_network(TINY.network) for _ in range(2))
    truth.load_state_dict(torch.load(exported.with_name("truth.pt"), weights_only=True))
    folded = load_folded(model, exported)
    assert folded
    pack = write_tiny_pack(tmp_path / "pack")
    sets = training_sets(TINY, pack.root, [])
    crops = [normalise(batch.crops) for batch in batches_from(0, TINY, *sets)]
    with torch.no_grad():
        expected = truth.eval()(crops[0]).points
        torch.testing.assert_close(model.eval()(crops[0]).points, expected, atol=1e-4, rtol=0)
        separate_folded(model, folded, crops)
        torch.testing.assert_close(model.eval()(crops[0]).points, expected, atol=1e-4, rtol=0)
        # Folded scales are gone; what batches show stands in their place.
        names = [name for name in folded if name.startswith("stages.0")]
        layers = [model.get_submodule(name) for name in names]
        assert all(not torch.allclose(layer.running_var, torch.ones(1)) for layer in layers)
        # So a training step begins near the same words, not anywhere.
        learning = copy.deepcopy(model).train()(torch.cat(crops)).points
        settled = model.eval()(torch.cat(crops)).points
    assert float((learning - settled).abs().mean()) < 0.1


def test_a_run_starts_from_it_and_names_its_sources(exported: Path, tmp_path: Path) -> None:
    pack = write_tiny_pack(tmp_path / "pack")
    run = tmp_path / "run"
    run.mkdir()
    train(TINY, pack.root, run, initial=exported)
    assert (run / "best.pt").exists()
    assert card_of_weights(exported).training_sources == TINY.card.training_sources


def test_another_network_is_refused(exported: Path, tmp_path: Path) -> None:
    import dataclasses

    wider = dataclasses.replace(TINY.network, width=8)
    with pytest.raises(ModelError, match="of another network"):
        load_folded(build_network(wider), exported)
    (tmp_path / "half.onnx").write_bytes(exported.read_bytes()[:1000])
    with pytest.raises(ModelError, match="holds no network"):
        load_folded(build_network(TINY.network), tmp_path / "half.onnx")
