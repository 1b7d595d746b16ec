"""The rivals of tables 1 and 3: shapes, gradients, a batch by heart, and what each is made of."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mien.errors import ConfigError, DataError
from mien.geometry import FACE_SHARE
from mien.losses import LossWeights, total_loss
from mien.markup import load_markup
from mien.models import Network, NetworkConfig, build_network
from mien.models.baselines.hierarchical import (
    BinaryConvolution,
    BinaryHierarchicalBlock,
    HierarchicalBlock,
)
from mien.models.baselines.morphable import LandmarkBasis, MorphableRegression
from mien.models.baselines.resnet import ResNet18, resnet18_features
from mien.models.baselines.sdm import describe, fit_sdm

TINY = NetworkConfig(side=32, width=8, stacks=1, depth=1, finetune_width=8, finetune_hidden=32)
MEAN = torch.tensor(load_markup(68).mean_shape * FACE_SHARE, dtype=torch.float32)


def a_basis(modes: int = 4) -> LandmarkBasis:
    rng = np.random.default_rng(0)
    return LandmarkBasis(load_markup(68).mean_shape, 0.03 * rng.standard_normal((modes, 68, 3)))


def rival(name: str) -> Network:
    if name == "morphable":
        return MorphableRegression(TINY, a_basis())
    if name == "resnet-18":
        return build_network(dataclasses.replace(TINY, system=name))
    config = dataclasses.replace(
        TINY,
        residual=name,
        width=16,
        heatmap_module="convolution",
        upsampling="nearest",
        finetune_output="absolute",
    )
    return build_network(config)


STEPS = 70
every_rival = pytest.mark.parametrize(
    "name", ["resnet-18", "hierarchical", "hierarchical-binary", "morphable"]
)


@every_rival
def test_a_rival_predicts_and_learns_a_face_by_heart(name: str) -> None:
    """The shape's loss falls a hundredfold, and on the way every parameter gets a gradient."""
    torch.manual_seed(0)
    network = rival(name)
    rng = torch.Generator().manual_seed(0)
    crops = torch.randn(2, 3, 32, 32, generator=rng)
    truth = MEAN + 0.05 * torch.randn(2, 1, 3, generator=rng)
    weights, is_face = torch.ones(2, 68), torch.ones(2)
    optimiser = torch.optim.Adam(network.parameters(), fused=True)
    shapes: list[float] = []
    learned: set[str] = set()
    rate = 0.001 if name in ("resnet-18", "morphable") else 0.01
    for step in range(STEPS):
        optimiser.param_groups[0]["lr"] = rate * (1 - step / STEPS) ** 2
        optimiser.zero_grad()
        prediction = network(crops)
        terms = total_loss(prediction, truth, weights, is_face, LossWeights())
        terms.total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        shapes.append(float(terms.shape.detach()))
        if step < 3:
            learned |= {
                name
                for name, parameter in network.named_parameters()
                if parameter.grad is not None and parameter.grad.any()
            }
    assert prediction.points.shape == (2, 68, 3)
    assert prediction.log_error.shape == (2, 68)
    assert prediction.score_logit.shape == (2,)
    assert learned == {name for name, _ in network.named_parameters()}
    print(name, shapes[0], shapes[-1])
    assert shapes[-1] < shapes[0] / 100


def test_resnet_18_has_its_published_size() -> None:
    """11,689,512 parameters with ImageNet's 1000 classes, whose layer has 512 x 1000 + 1000."""
    with torch.device("meta"):
        features = resnet18_features(64)
    assert sum(each.numel() for each in features.parameters()) == 11_689_512 - 513_000


def test_resnet_starts_at_the_mean_head() -> None:
    network = ResNet18(dataclasses.replace(TINY, system="resnet-18")).eval()
    points = network(torch.randn(2, 3, 32, 32)).points
    torch.testing.assert_close(points, MEAN.expand(2, 68, 3))


def test_a_hierarchical_block_lays_three_depths_side_by_side() -> None:
    """Its channels see 3x3, 5x5 and 7x7 pixels."""
    block = HierarchicalBlock(8, 8).eval()
    x = torch.randn(1, 8, 15, 15)
    changed = x.clone()
    changed[..., 7, 7] += 1
    path = [block(picture) - picture for picture in (x, changed)]
    difference = (path[1] - path[0]).abs()[0].detach()
    for channels, reach in ((slice(0, 4), 1), (slice(4, 6), 2), (slice(6, 8), 3)):
        rows = torch.nonzero(difference[channels].amax(dim=(0, 2)) > 1e-7)[:, 0]
        assert int(rows.min()) >= 7 - reach
        assert int(rows.max()) <= 7 + reach
    assert HierarchicalBlock(8, 12)(x).shape == (1, 12, 15, 15)


def test_a_binary_convolution_counts_agreeing_signs() -> None:
    """Inside, 9 C signs agree or not: the sum is an odd or even number of their kind, scaled."""
    convolution = BinaryConvolution(3, 5)
    x = torch.randn(2, 3, 8, 8)
    summed = convolution(x)
    scale = convolution.weight.abs().mean(dim=(1, 2, 3))
    counts = (summed / scale[:, None, None])[..., 1:-1, 1:-1]
    torch.testing.assert_close(counts, counts.round(), atol=1e-4, rtol=0)
    assert (counts.round().abs() <= 27).all()
    assert (counts.round() % 2 == 1).all()
    torch.testing.assert_close(convolution(3 * x), summed)  # a size says nothing
    with torch.no_grad():
        torch.testing.assert_close(convolution(x), summed)


def test_binary_blocks_are_binary_where_the_paper_has_them() -> None:
    def convolutions(block: nn.Module) -> list[str]:
        return [type(each).__name__ for each in block.modules() if isinstance(each, nn.Conv2d)]

    assert convolutions(BinaryHierarchicalBlock(8, 8)) == ["BinaryConvolution"] * 3
    assert convolutions(BinaryHierarchicalBlock(8, 12)) == ["BinaryConvolution"] * 3 + ["Conv2d"]


def test_a_morphable_head_is_posed_as_geometry_poses_it() -> None:
    """Against the rotation matrix of the same angle, and modes added before it turns."""
    basis = a_basis()
    network = MorphableRegression(TINY, basis)
    half = np.deg2rad(30) / 2
    parameters = torch.zeros(1, 7 + 4)
    parameters[0, 0] = np.log(1.2)
    parameters[0, 1], parameters[0, 3] = 2 * np.cos(half), 2 * np.sin(half)  # about y, any length
    parameters[0, 5:7] = torch.tensor([0.1, -0.2])
    parameters[0, 7:] = torch.tensor([1.0, -2.0, 0.0, 0.5])
    c, s = np.cos(2 * half), np.sin(2 * half)
    rotation = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    shape = basis.mean + basis.modes[0] - 2 * basis.modes[1] + 0.5 * basis.modes[3]
    expected = 1.2 * FACE_SHARE * shape @ rotation.T + np.array([0.1, -0.2, 0])
    got = network.points(parameters)[0].numpy()
    np.testing.assert_allclose(got, expected, atol=1e-6)
    start = network.eval()(torch.randn(2, 3, 32, 32)).points
    torch.testing.assert_close(start, MEAN.expand(2, 68, 3))


def test_a_basis_of_a_head_in_centimetres_has_size_one() -> None:
    cm = load_markup(68).mean_shape * 14.0 + np.array([1.0, 2.0, 3.0])
    basis = LandmarkBasis.of_head(cm, np.ones((2, 68, 3)))
    np.testing.assert_allclose(np.prod(np.ptp(basis.mean[:, :2], axis=0)), 1, rtol=1e-9)
    np.testing.assert_allclose(basis.mean.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(basis.modes, 1 / 14, rtol=0.05)


def test_a_configuration_names_the_head_of_a_morphable_network(tmp_path: Path) -> None:
    basis, file = a_basis(), tmp_path / "head.npz"
    np.savez(file, mean=basis.mean, modes=basis.modes)
    network = build_network(dataclasses.replace(TINY, system="morphable", head=str(file)))
    assert isinstance(network, MorphableRegression)
    np.testing.assert_allclose(network.modes.numpy(), basis.modes, atol=1e-7)
    np.savez(file, mean=basis.mean, modes=basis.modes[:, :5])
    for path in (file, tmp_path / "none.npz"):
        with pytest.raises(DataError, match="is no landmark basis"):
            LandmarkBasis.load(path)
    with pytest.raises(ConfigError, match="needs head"):
        dataclasses.replace(TINY, system="morphable")


def test_the_code_is_a_spot_of_its_colour() -> None:
    network = MorphableRegression(TINY, a_basis())
    points = torch.full((1, 68, 3), 9.0)  # far outside
    points[0, 30] = torch.tensor([0.25, -0.125, 0.0])
    code = network.code(points, 16)[0]
    assert np.unravel_index(int(code.sum(dim=0).argmax()), (16, 16)) in ((5, 11), (5, 12), (6, 12),
                                                                          (6, 11))  # fmt: skip
    colour = code.amax(dim=(1, 2)) / code.amax()
    torch.testing.assert_close(colour, network.colours[30] / network.colours[30].max())


def square_faces(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Crops of a bright square each; the truth is its corners, in shares of the side."""
    rng = np.random.default_rng(seed)
    crops = rng.integers(0, 30, (count, 32, 32, 3), dtype=np.uint8)
    places = rng.integers(7, 14, (count, 2))
    for crop, (x, y) in zip(crops, places, strict=True):
        crop[y : y + 12, x : x + 12] += 180
    corners = np.array([[0, 0], [12, 0], [12, 12], [0, 12]])
    return crops, (places[:, None] + corners) / 32 - 0.5


def test_supervised_descent_finds_what_it_never_saw() -> None:
    model = fit_sdm(*square_faces(120, 0), stages=3, radius=0.2, ridge=0.1)
    crops, truth = square_faces(20, 1)

    def error(points: np.ndarray) -> float:
        return float(np.linalg.norm(points - truth, axis=-1).mean() * 32)

    assert error(model.mean[None]) > 2
    assert error(model.predict(crops)) < 0.7  # px
    one = dataclasses.replace(model, stages=model.stages[:1])
    assert error(model.predict(crops)) < error(one.predict(crops))


def test_supervised_descent_learns_its_faces_by_heart() -> None:
    crops, truth = square_faces(6, 2)
    model = fit_sdm(crops, truth, stages=4, radius=0.2, ridge=1e-4)
    before, after = (
        float(np.square(points - truth).mean())
        for points in (model.mean[None], model.predict(crops))
    )
    assert after < before / 100


def test_a_description_knows_the_direction_of_an_edge() -> None:
    """Dark left, bright right: all gradients point right, which is the first of eight."""
    crop = np.zeros((32, 32, 3), np.uint8)
    crop[:, 16:] = 200
    histograms = describe(crop, np.array([[0.0, 0.0]]), 0.25).reshape(4, 4, 8)
    assert histograms[..., 1:].max() == 0
    assert (histograms[:, 1:3, 0] > 0).all()
    down = describe(np.swapaxes(crop, 0, 1).copy(), np.array([[0.0, 0.0]]), 0.25).reshape(4, 4, 8)
    assert down[..., [0, 1, 3, 4, 5, 6, 7]].max() < 1e-9
    assert (down[1:3, :, 2] > 0).all()
    assert not describe(crop * 0, np.array([[0.9, 0.9]]), 0.25).any()
