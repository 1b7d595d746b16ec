"""The preset `fast` stays what the weights that were trained for it are: names, shapes, numbers.

Every switch of :class:`NetworkConfig` has a default that means this network. A change that moves
one of these figures makes trained weights and checkpoints useless.
"""

from __future__ import annotations

import hashlib

import pytest
import torch

from mien.models import Landmarker, NetworkConfig
from mien.training.config import TrainConfig

FIRST_FIELDS = {
    "points": 68,
    "side": 256,
    "width": 64,
    "stacks": 4,
    "depth": 4,
    "finetune_width": 48,
    "finetune_hidden": 256,
}
"""The fields that the first checkpoints were saved with."""


def fingerprint(network: Landmarker) -> str:
    state = network.state_dict()
    lines = [f"{name} {tuple(value.shape)} {value.dtype}" for name, value in state.items()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def test_names_and_shapes_of_the_weights() -> None:
    assert fingerprint(Landmarker(NetworkConfig())) == "5bb0cd35f542f144"


def test_numbers_of_a_fixed_seed_and_crop() -> None:
    """The draws of the start come in the same order, and the sums are the same."""
    torch.manual_seed(0)
    network = Landmarker(NetworkConfig()).eval()
    with torch.inference_mode():
        for parameter in network.finetune.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.02)
        rows = torch.linspace(-1, 1, 256)
        crop = torch.stack([torch.sin(3 * k * rows[:, None] + 5 * rows) for k in (1, 2, 3)])
        prediction = network(crop[None])
    figures = {
        "parameters": sum(float(p.detach().double().abs().sum()) for p in network.parameters()),
        "first logits": float(prediction.heatmap_logits[0].double().add(5).abs().sum()),
        "last logits": float(prediction.heatmap_logits[3].double().add(5).abs().sum()),
        "points": float(prediction.points.double().abs().sum()),
        "error": float(prediction.log_error.double().sum()),
        "score": float(prediction.score_logit),
    }
    expected = {
        "parameters": 69944.374,
        "first logits": 7891.74868,
        "last logits": 12456.6631,
        "points": 8.68202278,
        "error": -204.165565,
        "score": 0.0336062461,
    }
    assert figures == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_a_configuration_saved_before_the_switches_is_the_preset() -> None:
    values = {"name": "fast", "role": "detection", "network": FIRST_FIELDS}
    assert TrainConfig.from_dict(values).network == NetworkConfig()
    assert FIRST_FIELDS.items() <= TrainConfig.from_dict(values).to_dict()["network"].items()
