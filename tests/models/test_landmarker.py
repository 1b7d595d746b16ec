"""The whole network: shapes, gradients, that it can learn one batch, and the preset's size."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from mien.errors import ConfigError
from mien.geometry import FACE_SHARE
from mien.losses import LossWeights, total_loss
from mien.markup import load_markup
from mien.models import Landmarker, NetworkConfig

TINY = NetworkConfig(side=64, width=8, stacks=2, depth=2, finetune_width=8, finetune_hidden=32)


@pytest.mark.parametrize("points", [68, 84])
def test_shapes_and_finite_values(points: int) -> None:
    network = Landmarker(dataclasses.replace(TINY, points=points))
    prediction = network(torch.randn(3, 3, 64, 64))
    assert [logits.shape for logits in prediction.heatmap_logits] == [(3, points, 16, 16)] * 2
    assert prediction.points.shape == (3, points, 3)
    assert prediction.log_error.shape == (3, points)
    assert prediction.score_logit.shape == (3,)
    for value in (prediction.points, prediction.log_error, prediction.score_logit):
        assert torch.isfinite(value).all()


def test_depth_starts_at_the_mean_heads() -> None:
    prediction = Landmarker(TINY)(torch.zeros(1, 3, 64, 64))
    expected = load_markup(68).mean_shape[:, 2] * FACE_SHARE
    np.testing.assert_allclose(prediction.points[0, :, 2].detach().numpy(), expected, atol=1e-6)


def a_batch(count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Noise with a shape each: crops, truth, weights, is_face."""
    rng = torch.Generator().manual_seed(0)
    crops = torch.randn(count, 3, 64, 64, generator=rng)
    mean = torch.tensor(load_markup(68).mean_shape * FACE_SHARE, dtype=torch.float32)
    truth = mean + 0.08 * torch.randn(count, 1, 3, generator=rng)
    truth = truth + 0.02 * torch.randn(count, 68, 3, generator=rng)
    is_face = torch.ones(count)
    is_face[-1] = 0
    return crops, truth, torch.ones(count, 68), is_face


def test_every_parameter_learns() -> None:
    """After one step: the layers that start at 0 let nothing through before it."""
    network = Landmarker(TINY)
    crops, truth, weights, is_face = a_batch(4)
    optimiser = torch.optim.SGD(network.parameters(), 1e-3)
    for _ in range(2):
        optimiser.zero_grad()
        total_loss(network(crops), truth, weights, is_face, LossWeights()).total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    still = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert still == []


def test_one_batch_can_be_learned_by_heart() -> None:
    network = Landmarker(dataclasses.replace(TINY, stacks=1, width=16))
    crops, truth, weights, is_face = a_batch(4)
    optimiser = torch.optim.Adam(network.parameters(), 5e-3)
    losses = []
    for _ in range(100):
        optimiser.zero_grad()
        terms = total_loss(network(crops), truth, weights, is_face, LossWeights())
        terms.total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(terms)
    first, last = losses[0], losses[-1]
    # A heatmap's cross entropy cannot fall below the entropy of its soft target.
    for name, most in [("shape", 0.1), ("depth", 0.2), ("heatmap", 0.7), ("score", 0.5)]:
        before, after = (float(getattr(terms, name).detach()) for terms in (first, last))
        assert after < most * before, name
    assert float(last.shape.detach()) < 0.03  # NME; the mean head would be off by 0.15


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"side": 250}, "multiple of 64"),
        ({"side": 0}, "multiple of 64"),
        ({"side": -64}, "multiple of 64"),
        ({"side": 256, "depth": 7}, "multiple of 512"),
        ({"width": 1}, "width at least 2"),
        ({"stacks": 0}, "at least 1"),
        ({"depth": 0}, "at least 1"),
        ({"finetune_width": 0}, "at least 1"),
        ({"finetune_hidden": 0}, "at least 1"),
    ],
)
def test_shapes_that_make_no_network_are_refused(change: dict[str, int], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        NetworkConfig(**change)


def test_an_unknown_number_of_points_is_refused() -> None:
    with pytest.raises(ConfigError, match="choose 68 or 84"):
        Landmarker(dataclasses.replace(TINY, points=70))


def test_the_fast_preset_has_its_size() -> None:
    """docs/decisions/0001-preset-fast.md names both figures."""
    network = Landmarker(NetworkConfig()).eval()
    assert sum(parameter.numel() for parameter in network.parameters()) == 1_772_857
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(torch.zeros(1, 3, 256, 256))
    assert counter.get_total_flops() / 1e9 == pytest.approx(2.6545, abs=0.001)
