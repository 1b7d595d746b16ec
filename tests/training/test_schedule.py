"""Learning rate and averaged weights against their closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from mien.training.config import Schedule
from mien.training.schedule import WeightAverage, learning_rate

SCHEDULE = Schedule(steps=1100, warmup=100, learning_rate=2e-3)


@pytest.mark.parametrize(
    ("step", "share"),
    [
        (0, 0.01),
        (49, 0.5),
        (99, 1.0),
        (100, 1.0),
        (600, 0.51),
        (350, 0.02 + 0.98 * (1 + math.sqrt(0.5)) / 2),
        (1100, 0.02),
        (5000, 0.02),
    ],
)
def test_warm_up_and_cosine(step: int, share: float) -> None:
    assert learning_rate(step, SCHEDULE) == pytest.approx(2e-3 * share)


def test_the_rate_rises_and_then_falls() -> None:
    rates = [learning_rate(step, SCHEDULE) for step in range(1100)]
    assert rates[:100] == sorted(rates[:100])
    assert rates[99:] == sorted(rates[99:], reverse=True)


def test_a_run_that_only_warms_up() -> None:
    short = Schedule(steps=10, warmup=10, learning_rate=1.0)
    assert [learning_rate(step, short) for step in (0, 9, 10)] == pytest.approx([0.1, 1.0, 1.0])


def test_averages_are_those_of_the_formula() -> None:
    """Decay 0.9 with a quicker start: 1/10, 2/11, ... until it reaches 0.9."""

    def mean_from(mean: float) -> float:
        for step in range(120):
            decay = min(0.9, (1 + step) / (10 + step))
            mean = decay * mean + (1 - decay) * step
        return mean

    averaged, model = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    assert averaged.running_mean is not None
    assert model.running_mean is not None
    average = WeightAverage(averaged, model)
    for step in range(120):
        with torch.no_grad():
            model.weight.fill_(float(step))
            model.running_mean.fill_(float(-step))
        assert model.num_batches_tracked is not None
        model.num_batches_tracked += 1
        average.update(step, 0.9)
    torch.testing.assert_close(averaged.weight.detach(), torch.full((3,), mean_from(1.0)))
    torch.testing.assert_close(averaged.running_mean, torch.full((3,), -mean_from(0.0)))
    assert averaged.num_batches_tracked is not None
    assert int(averaged.num_batches_tracked) == 120


def test_a_constant_is_its_own_average() -> None:
    averaged, model = nn.Linear(2, 2), nn.Linear(2, 2)
    average = WeightAverage(averaged, model)
    for step in range(400):
        average.update(step, 0.95)
    torch.testing.assert_close(averaged.weight, model.weight, atol=1e-5, rtol=0)
    assert averaged.weight is not model.weight
