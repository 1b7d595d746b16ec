"""Targets and cross entropy against figures worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from mien.losses.heatmap import gaussian_heatmaps, heatmap_l2_loss, heatmap_loss
from mien.models.decoding import decode_heatmaps


def share(pixel: float, side: int = 64) -> float:
    return (pixel + 0.5) / side - 0.5


def test_a_target_is_one_at_its_point_and_three_sigmas_wide_at_radius_five() -> None:
    points = torch.tensor([[[share(20), share(33)]]])
    heatmap = gaussian_heatmaps(points, 64)[0, 0]
    assert float(heatmap[33, 20]) == pytest.approx(1, abs=1e-5)
    assert heatmap.argmax() == 33 * 64 + 20
    for y, x in [(33, 25), (33, 15), (38, 20), (28, 20), (36, 24)]:  # 5 px off; 3, 4, 5
        assert float(heatmap[y, x]) == pytest.approx(math.exp(-4.5), rel=1e-3)
    assert float(heatmap.sum()) == pytest.approx(2 * math.pi * (5 / 3) ** 2, rel=1e-3)


def test_a_target_means_the_same_at_every_size() -> None:
    point = torch.tensor([[[0.1, -0.07]]])
    small, large = (gaussian_heatmaps(point, side)[0, 0] for side in (64, 128))
    quarters = large.reshape(64, 2, 64, 2).mean(dim=(1, 3))
    assert (small - quarters).abs().max() < 0.04


def test_targets_decode_to_their_points() -> None:
    points = torch.rand(3, 68, 2) * 0.7 - 0.35
    decoded = decode_heatmaps(gaussian_heatmaps(points, 64))
    torch.testing.assert_close(decoded, points, atol=1e-5, rtol=0)


def test_a_point_outside_leaves_what_reaches_in() -> None:
    heatmap = gaussian_heatmaps(torch.tensor([[[share(-3), share(10)]]]), 64)[0, 0]
    assert float(heatmap.max()) == pytest.approx(math.exp(-0.5 * (3 / (5 / 3)) ** 2), rel=1e-3)
    assert heatmap.argmax() == 10 * 64
    assert not gaussian_heatmaps(torch.tensor([[[9.0, 9.0]]]), 64).any()


def test_cross_entropy_of_two_pixels_by_hand() -> None:
    """Pixels with probability 0.5 and 0.8 against targets 1 and 0.25."""
    logits = torch.tensor([[[[0.0, math.log(4)]]]])
    targets = torch.tensor([[[[1.0, 0.25]]]])
    entropy = -math.log(0.5) - 0.25 * math.log(0.8) - 0.75 * math.log(0.2)
    covered = 2 * math.pi * (5 / 64 / 3 * 2) ** 2  # a heatmap two pixels wide
    loss = heatmap_loss(logits, targets, torch.ones(1, 1))
    assert float(loss) == pytest.approx(entropy / covered, rel=1e-5)


def test_untrusted_points_count_for_nothing() -> None:
    logits, targets = torch.randn(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
    weights = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    loss = heatmap_loss(logits, targets, weights)
    mended = logits.clone()
    mended[0, 1], mended[1] = 100.0, -100.0
    torch.testing.assert_close(heatmap_loss(mended, targets, weights), loss)
    alone = [heatmap_loss(logits[:1, [i]], targets[:1, [i]], torch.ones(1, 1)) for i in (0, 2)]
    torch.testing.assert_close(loss, (alone[0] + alone[1]) / 2)


def test_no_trusted_point_is_no_loss() -> None:
    logits = torch.randn(1, 2, 8, 8, requires_grad=True)
    loss = heatmap_loss(logits, torch.zeros(1, 2, 8, 8), torch.zeros(1, 2))
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_the_gradient_is_that_of_finite_differences() -> None:
    logits = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    targets = torch.rand(1, 2, 4, 4, dtype=torch.float64)
    weights = torch.tensor([[1.0, 0.5]], dtype=torch.float64)

    def loss(values: torch.Tensor) -> torch.Tensor:
        return heatmap_loss(values, targets, weights)

    loss(logits).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    # The sum is taken in float32: a step large enough to see over its rounding.
    for place in [(0, 0, 1, 2), (0, 1, 3, 0), (0, 0, 0, 0)]:
        step = torch.zeros_like(logits)
        step[place] = 0.02
        slope = float((loss(logits + step) - loss(logits - step)).detach()) / 0.04
        assert slope == pytest.approx(float(logits.grad[place]), rel=0.01, abs=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_value_and_gradient_are_those_of_torchs_own(dtype: torch.dtype) -> None:
    """Ours is written out for speed; in bfloat16 it may be off by its eight bits."""
    logits = (3 * torch.randn(2, 3, 16, 16)).to(dtype).float()
    points = torch.rand(2, 3, 2) - 0.5
    weights = torch.tensor([[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    ours = logits.to(dtype, copy=True).requires_grad_()
    loss = heatmap_loss(ours, gaussian_heatmaps(points, 16).to(dtype), weights)
    loss.backward()  # type: ignore[no-untyped-call]
    theirs = logits.clone().requires_grad_()
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(
        theirs, gaussian_heatmaps(points, 16), reduction="none"
    )
    covered = 2 * math.pi * (5 / 64 / 3 * 16) ** 2
    expected = (entropy.sum(dim=(2, 3)) * weights).sum() / weights.sum() / covered
    expected.backward()  # type: ignore[no-untyped-call]
    tolerance = 1e-5 if dtype == torch.float32 else 0.02
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=tolerance)
    assert ours.grad is not None
    assert theirs.grad is not None
    largest = float(theirs.grad.abs().max())
    torch.testing.assert_close(
        ours.grad.float(), theirs.grad, atol=tolerance * largest, rtol=tolerance
    )


@pytest.mark.parametrize("side", [64, 128])
@pytest.mark.parametrize("radius", [5 / 64, 5 / 24])
def test_an_empty_heatmap_costs_half_in_l2(side: int, radius: float) -> None:
    """The integral of a squared Gaussian is half of the Gaussian's own."""
    targets = gaussian_heatmaps(torch.tensor([[[0.01, -0.07]]]), side, radius=radius)
    weights = torch.ones(1, 1)
    empty = heatmap_l2_loss(torch.zeros_like(targets), targets, weights, radius)
    assert float(empty) == pytest.approx(0.5, rel=1e-3)
    assert float(heatmap_l2_loss(targets, targets, weights, radius)) == 0
    assert float(heatmap_l2_loss(-targets, targets, weights, radius)) == pytest.approx(2, rel=1e-3)


def test_targets_lie_channels_last() -> None:
    """As the network's logits do: reading two layouts side by side takes four times as long."""
    targets = gaussian_heatmaps(torch.zeros(2, 5, 2), 16, torch.bfloat16)
    assert targets.is_contiguous(memory_format=torch.channels_last)
