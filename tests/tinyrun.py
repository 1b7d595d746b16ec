"""The smallest run that is still a run, for the tests of training and export."""

from __future__ import annotations

from pathlib import Path

import torch

from mien.models import Landmarker, NetworkConfig
from mien.training.checkpoint import Checkpoint, save_checkpoint
from mien.training.config import CardConfig, DataConfig, Schedule, TrainConfig

TINY = TrainConfig(
    name="tiny",
    role="tracking",
    network=NetworkConfig(side=32, width=4, stacks=2, depth=1, finetune_width=4, finetune_hidden=8),
    data=DataConfig({"helen": 0.5, "lfw": 0.5}),
    schedule=Schedule(steps=6, batch=4, warmup=2, validate_every=2, save_every_secs=-1.0),
    card=CardConfig(("helen", "lfw"), "research"),
    seed=5,
)

TINY_TOML = """
name = "tiny"
role = "tracking"
[network]
side = 32
width = 4
stacks = 1
depth = 1
finetune_width = 4
finetune_hidden = 8
[data.pack_shares]
helen = 1
"""
"""A configuration file without its schedule, for the tests of commands."""


def write_checkpoint(file: Path, config: TrainConfig = TINY, seed: int = 0) -> Landmarker:
    """A checkpoint of a network whose every weight is random, the zeros of its start included."""
    torch.manual_seed(seed)
    network = Landmarker(config.network)
    with torch.no_grad():
        for parameter in network.finetune.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.02)
    state = network.state_dict()
    save_checkpoint(Checkpoint(config, 6, state, state, {}, 0.1), file)
    return network.eval()
