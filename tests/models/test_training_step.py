"""The step of `mien train` (bfloat16, clipped) runs on every row of the tables, narrowed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from mien.models import build_network
from mien.training.batches import Batch
from mien.training.config import load_config
from mien.training.device import choose_device
from mien.training.landmark_losses import LandmarkLosses
from mien.training.learning import Learner

CONFIGS = Path(__file__).parents[2] / "configs"
ROWS = sorted(CONFIGS.glob("table-*/*.toml"))


@pytest.mark.parametrize("file", ROWS, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_row_learns(file: Path) -> None:
    config = load_config(file)
    narrow = dataclasses.replace(
        config.network, side=64, width=8, stacks=2, depth=2, finetune_width=4, finetune_hidden=8
    )
    config = dataclasses.replace(config, network=narrow)
    network = build_network(narrow).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(network.parameters())
    batch = Batch(
        torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8),
        torch.rand(2, 68, 3) - 0.5,
        torch.ones(2, 68),
        torch.tensor([1.0, 0.0]),
        torch.zeros(2, 68, 3),
        torch.ones(2),
    )
    before = [parameter.clone() for parameter in network.parameters()]
    losses = LandmarkLosses(config.loss)
    learner = Learner(network, optimiser, losses, choose_device("cpu"), clip=config.schedule.clip)
    terms = learner.step(batch, 1e-3)
    assert torch.isfinite(terms.total)
    assert sum((a != b).any().item() for a, b in zip(before, network.parameters(), strict=True)) > 9
    assert (float(terms.heatmap.detach()) == 0) == (narrow.system == "resnet-18")


def test_every_row_that_the_tables_train_has_its_configuration() -> None:
    names = [f"{file.parent.name}/{file.stem}" for file in ROWS]
    assert sorted(names) == [
        "table-1/change-4",
        "table-1/change-5",
        "table-1/changes-123",
        "table-1/hourglass",
        "table-1/resnet18",
        "table-2/module-1",
        "table-2/module-2",
        "table-2/module-2-predicted",
        "table-2/module-3",
        "table-2/module-4",
        "table-2/squeeze",
        "table-3/hierarchical",
        "table-3/hierarchical-binary",
        "table-4/finetune-alone",
        "table-4/finetune-end-to-end",
    ]
