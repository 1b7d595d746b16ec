"""Residual, hourglass and attention against what the paper's equations say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from mien.models.attention import (
    AffineHeatmaps,
    GlobalLocalAttention,
    LocalAttention,
    SqueezeAttention,
)
from mien.models.finetune import Finetune, MeanPool
from mien.models.hourglass import BlockDeconvolution, Hourglass, Parts, Preprocessing
from mien.models.residual import OriginalResidual, Residual


def test_the_identity_passes_a_residual_untouched() -> None:
    """With the last convolution at 0, negative inputs come out as they went in."""
    residual = Residual(8, 8)
    last = residual.path[-1]
    assert isinstance(last, nn.Conv2d)
    nn.init.zeros_(last.weight)
    assert last.bias is not None
    nn.init.zeros_(last.bias)
    x = torch.randn(2, 8, 5, 7)
    kept = x.clone()
    torch.testing.assert_close(residual(x), kept, atol=0, rtol=0)
    torch.testing.assert_close(x, kept, atol=0, rtol=0)  # no activation wrote into its input


def test_a_residual_adds_its_path_to_its_skip() -> None:
    residual = Residual(6, 10).eval()
    x = torch.randn(1, 6, 4, 4)
    torch.testing.assert_close(residual(x), residual.skip(x) + residual.path(x))
    middle = residual.path[2]
    assert isinstance(middle, nn.Conv2d)
    assert middle.out_channels == 5


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_an_hourglass_keeps_the_shape(depth: int) -> None:
    x = torch.randn(1, 4, 16, 24)
    assert Hourglass(4, depth)(x).shape == x.shape


def test_an_hourglass_sees_the_whole_picture() -> None:
    """A change in one corner reaches the opposite corner, which the skip alone cannot do."""
    hourglass = Hourglass(4, 4).eval()
    x = torch.randn(1, 4, 32, 32)
    changed = x.clone()
    changed[..., :2, :2] += 5
    assert (hourglass(changed) - hourglass(x))[..., -2:, -2:].abs().max() > 0
    assert (hourglass.skip(changed) - hourglass.skip(x))[..., -2:, -2:].abs().max() == 0


def test_preprocessing_leaves_a_quarter_of_the_side() -> None:
    assert Preprocessing(16)(torch.randn(1, 3, 64, 64)).shape == (1, 16, 16, 16)


def test_module_4_is_equations_1_to_4() -> None:
    """Landmark by landmark, as the paper writes it: a map, features so weighed, a reading."""
    width, points = 6, 5
    module = GlobalLocalAttention(width, points).double()
    nn.init.normal_(module.bias)
    h = torch.randn(2, width, 7, 9, dtype=torch.float64)
    bias_global, bias_local = module.global_attention.bias, module.local_attention.bias
    assert bias_global is not None
    assert bias_local is not None

    def attention_map(
        features: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        return torch.sigmoid(functional.conv2d(features, weight, bias))  # eq. 1: one channel

    weighed = torch.empty_like(h)
    y_global = attention_map(h, module.global_attention.weight, bias_global)
    for channel in range(width):
        weighed[:, channel] = y_global[:, 0] * h[:, channel]  # eq. 2 and 3
    literal = []
    for i in range(points):
        y_i = attention_map(
            weighed,
            module.local_attention.weight[i : i + 1],
            bias_local[i : i + 1],
        )
        h_i = torch.stack([y_i[:, 0] * weighed[:, c] for c in range(width)], dim=1)  # eq. 4
        literal.append(functional.conv2d(h_i, module.reading.weight[i : i + 1], module.bias[i, 0]))
    torch.testing.assert_close(module(h), torch.cat(literal, dim=1))


def test_module_3_is_module_4_with_an_open_global_map() -> None:
    """A global map that is 1 everywhere leaves the features as they are."""
    module_4, module_3 = GlobalLocalAttention(6, 5), LocalAttention(6, 5)
    nn.init.zeros_(module_4.global_attention.weight)
    assert module_4.global_attention.bias is not None
    nn.init.constant_(module_4.global_attention.bias, 40.0)
    module_3.load_state_dict(module_4.state_dict(), strict=False)
    h = torch.randn(2, 6, 7, 9)
    torch.testing.assert_close(module_3(h), module_4(h))


def test_squeeze_weighs_channels_and_knows_no_place() -> None:
    module = SqueezeAttention(6, 5)
    h = torch.randn(2, 6, 7, 9)
    shuffled = torch.randperm(63)
    moved = h.flatten(2)[..., shuffled].reshape(h.shape)
    expected = module(h).flatten(2)[..., shuffled].reshape(2, 5, 7, 9)
    torch.testing.assert_close(module(moved), expected)
    weight = torch.sigmoid(functional.linear(h.mean(dim=(2, 3)), module.attention.weight[..., 0, 0],
                                             module.attention.bias))  # fmt: skip
    by_hand = functional.conv2d(weight[..., None, None] * h, module.reading.weight) + module.bias
    torch.testing.assert_close(module(h), by_hand)


def test_module_2_brings_a_neighbours_heatmap_to_where_the_mean_head_has_the_point() -> None:
    """Point 1 lies two pixels right of and one below point 0, and reads only what point 0 sees."""
    places = np.array([[0.0, 0.0], [2 / 16, 1 / 16]])
    module = AffineHeatmaps(2, np.array([[1, 0], [1, 0]]), places, empty=0.0)
    with torch.no_grad():
        module.reading.weight.zero_()[0, 0] = 1.0
        module.gain[1] = 0.0
    x = torch.zeros(1, 2, 16, 16)
    x[0, 0, 5, 9] = 10.0
    own, neighbour = module(x)[0].detach()
    assert own.nonzero().tolist() == [[5, 9]]
    torch.testing.assert_close(float(own.max()), 10.0)
    assert (neighbour > 1e-4).nonzero().tolist() == [[6, 11]]
    torch.testing.assert_close(float(neighbour.max()), 1.0)  # a tenth, before it has learned


def test_predicted_maps_begin_as_the_learned_ones_and_then_differ_by_picture() -> None:
    places = np.array([[0.0, 0.0], [2 / 16, 1 / 16], [-3 / 16, 0.1]])
    neighbours = np.array([[1, 0, 1], [2, 2, 0]])
    learned = AffineHeatmaps(4, neighbours, places)
    predicted = AffineHeatmaps(4, neighbours, places, predicted=True)
    predicted.load_state_dict(learned.state_dict(), strict=False)
    x = torch.randn(2, 4, 16, 16)
    torch.testing.assert_close(predicted(x), learned(x))
    # A change that the first picture alone asks for: that of learned maps changed by as much.
    change = 0.2 * torch.randn(2, 3, 2, 3)
    x = torch.cat([x[:1] - x[:1].mean(dim=(2, 3), keepdim=True) + 1, x[1:]])
    x[1] -= x[1].mean(dim=(1, 2), keepdim=True)
    assert predicted.predicting is not None
    with torch.no_grad():
        predicted.predicting.weight.copy_(change.flatten()[:, None].expand(-1, 4) / 4)
        before = learned(x)
        learned.affine += change
    both = predicted(x)
    torch.testing.assert_close(both[:1], learned(x)[:1], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(both[1:], before[1:], atol=1e-4, rtol=1e-4)


def test_the_original_residual_activates_every_sum() -> None:
    residual = OriginalResidual(8, 8).eval()
    x = torch.randn(2, 8, 5, 7)
    torch.testing.assert_close(residual(x), (x + residual.path(x)).relu())
    assert (residual(x) >= 0).all()
    assert OriginalResidual(8, 12)(x).shape == (2, 12, 5, 7)


@pytest.mark.parametrize(
    "parts", [Parts(upsampling="nearest"), Parts(deconvolution_kernel=4), Parts(OriginalResidual)]
)
def test_every_way_up_comes_back_to_the_side(parts: Parts) -> None:
    x = torch.randn(1, 4, 16, 24)
    assert Hourglass(4, 2, parts)(x).shape == x.shape


def test_heatmaps_start_nearly_empty() -> None:
    module = GlobalLocalAttention(8, 68)
    share = torch.sigmoid(module(torch.zeros(1, 8, 16, 16))).mean().detach()
    assert 0.001 < float(share) < 0.02


def test_finetune_starts_without_an_opinion() -> None:
    """No correction, an error of 5 % expected, and even odds that a face is there."""
    finetune = Finetune(68, 2, 8, 16)
    heatmaps = [torch.rand(3, 68, 16, 16) for _ in range(2)]
    out = finetune(heatmaps, torch.randn(3, 3, 64, 64))
    assert out.plane.shape == (3, 68, 2)
    assert out.depth.shape == out.log_error.shape == (3, 68)
    assert not out.plane.any()
    assert not out.depth.any()
    torch.testing.assert_close(out.log_error.exp(), torch.full((3, 68), 0.05), atol=3e-4, rtol=0)
    torch.testing.assert_close(torch.sigmoid(out.score_logit), torch.full((3,), 0.5))


def test_finetune_reads_every_stack_and_the_crop() -> None:
    finetune = Finetune(68, 2, 8, 16).eval()
    nn.init.normal_(finetune.shape.weight)
    heatmaps, crop = [torch.rand(1, 68, 16, 16) for _ in range(2)], torch.randn(1, 3, 64, 64)
    before = finetune(heatmaps, crop).plane
    for other in (
        finetune([heatmaps[0] * 0.1, heatmaps[1]], crop),
        finetune([heatmaps[0], heatmaps[1] * 0.1], crop),
        finetune(heatmaps, -crop),
    ):
        assert (other.plane - before).abs().max() > 1e-6


@pytest.mark.parametrize("shrink", [1, 2])
def test_finetune_sees_single_pixels_of_heatmaps_where_they_are_not_shrunk(shrink: int) -> None:
    """A chessboard and its opposite are the same means of 2x2 pixels."""
    finetune = Finetune(68, 1, 8, 16, shrink=shrink).eval()
    nn.init.normal_(finetune.shape.weight)
    rows, columns = torch.meshgrid(torch.arange(16), torch.arange(16), indexing="ij")
    board = ((rows + columns) % 2).float().expand(1, 68, 16, 16)
    crop = torch.zeros(1, 3, 64, 64)
    one, other = (finetune([heatmap], crop).plane for heatmap in (board, 1 - board))
    is_same = bool((one - other).abs().max() < 1e-6)
    assert is_same == (shrink == 2)


def test_a_mean_pool_is_one_in_training_and_out_of_it() -> None:
    pool, x = MeanPool(3, 4), torch.randn(2, 3, 8, 12)
    expected = x.reshape(2, 3, 2, 4, 3, 4).mean(dim=(3, 5))
    torch.testing.assert_close(pool.train()(x), expected)
    torch.testing.assert_close(pool.eval()(x), expected)


def test_a_block_deconvolution_is_a_deconvolution_in_value_and_gradient() -> None:
    torch.manual_seed(0)
    blocks = BlockDeconvolution(3, 3, 2, stride=2)
    plain = torch.nn.ConvTranspose2d(3, 3, 2, stride=2)
    plain.load_state_dict(blocks.state_dict())
    x = torch.randn(2, 3, 5, 4)
    ours, theirs = blocks.train()(x), plain(x)
    assert torch.allclose(ours, theirs, atol=1e-6)
    assert torch.equal(blocks.eval()(x), theirs)
    for result in (ours, theirs):
        (result * torch.linspace(-1, 1, result.numel()).view_as(result)).sum().backward()
    for one, other in zip(blocks.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(one.grad, other.grad, atol=1e-5)
