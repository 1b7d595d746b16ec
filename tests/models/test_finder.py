"""The finder's network: shapes, size, folding, and that it can learn one picture by heart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from finderset import draw_face, grey_noise
from mien.datasets.ours.finder_set import PictureFaces
from mien.errors import ConfigError
from mien.export.finder import FinderOnPictures
from mien.losses.finder import FinderLossWeights, finder_loss
from mien.models.finder import FinderNetwork, FinderNetworkConfig, finder_size
from mien.runtime.detectors.finder_maps import decode_maps, strongest
from mien.training.config import Schedule
from mien.training.device import choose_device
from mien.training.finder.batches import make_batch
from mien.training.finder.config import load_finder_config
from mien.training.finder.losses import FinderLosses
from mien.training.learning import Learner
from mien.training.schedule import learning_rate

TINY = FinderNetworkConfig(widths=(8, 8, 16, 16, 16), blocks=(0, 1, 1, 1), neck=16)


def test_the_configured_network_keeps_within_its_bounds() -> None:
    config = load_finder_config(Path(__file__).parents[2] / "configs" / "finder.toml")
    size = finder_size(config.network)
    assert size.gflops < 0.3
    assert size.parameters * 4 < 1_000_000


def test_maps_are_an_eighth_a_sixteenth_and_a_thirty_second() -> None:
    network = FinderNetwork(TINY).eval()
    maps = network(torch.zeros(2, 64, 96, 3, dtype=torch.uint8))
    assert [tuple(one.shape) for one in maps] == [(2, 14, 8, 12), (2, 14, 4, 6), (2, 14, 2, 3)]
    for one in maps:  # at the start nearly nothing is a face
        assert torch.sigmoid(one[:, 0]).max() < 0.1


def test_folded_weights_say_the_same() -> None:
    torch.manual_seed(0)
    network = FinderNetwork(TINY)
    pictures = torch.randint(0, 256, (2, 64, 96, 3), dtype=torch.uint8)
    for _ in range(3):  # statistics that are not those of the start
        network.train()(pictures)
    with torch.inference_mode():
        plain, folded = network.eval()(pictures), FinderOnPictures(network).eval()(pictures)
    for ours, theirs in zip(plain, folded, strict=True):
        torch.testing.assert_close(torch.sigmoid(ours[:, 0]), theirs[:, 0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(ours[:, 1:], theirs[:, 1:], atol=1e-4, rtol=1e-3)
    left = [m for m in FinderOnPictures(network).modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert left == []


def test_a_shape_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ConfigError):
        FinderNetworkConfig(widths=(8, 8))
    with pytest.raises(ConfigError):
        FinderNetworkConfig(neck=0)


def test_one_picture_is_learned_by_heart() -> None:
    torch.manual_seed(0)
    image = grey_noise(96, 128, np.random.default_rng(0))
    faces = PictureFaces.joined(
        draw_face(image, (30.0, 40.0), 20.0),
        draw_face(image, (90.0, 50.0), 60.0, angle_rad=2.0),
    )
    batch = make_batch([(image, faces), (image, faces)])
    schedule = Schedule(steps=150, warmup=5, learning_rate=1e-2)
    network = FinderNetwork(TINY)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=schedule.weight_decay)
    learner = Learner(
        network, optimiser, FinderLosses(FinderLossWeights()), choose_device("cpu"), clip=5.0
    )
    losses = [
        float(learner.step(batch, learning_rate(step, schedule)).total) for step in range(150)
    ]
    assert losses[-1] < 0.2 * losses[0]
    with torch.inference_mode():  # with the statistics of this very batch
        maps = [one.float() for one in network.train()(batch.pictures)]
    decoded = [torch.cat([torch.sigmoid(one[0, :1]), one[0, 1:]]).numpy() for one in maps]
    finds = strongest(decode_maps(decoded, (8, 16, 32), 0.4), 0.35)
    assert len(finds) == 2
    order = np.argsort(finds.centre[:, 0])
    np.testing.assert_allclose(finds.centre[order], faces.centre, atol=4)
    np.testing.assert_allclose(finds.size[order], faces.size, rtol=0.2)
    away = np.linalg.norm(finds.points[order] - faces.points, axis=2) / faces.size[:, None]
    assert away.mean() < 0.1


def test_a_right_map_costs_less_than_a_wrong_one_and_what_is_not_sure_costs_nothing() -> None:
    image = grey_noise(64, 64, np.random.default_rng(0))
    face = draw_face(image, (30.0, 30.0), 20.0)
    batch = make_batch([(image, face)])
    right = tuple(torch.cat([20 * one[:, :1] - 10, one[:, 3:16]], dim=1) for one in batch.targets)
    terms = finder_loss(right, batch.targets, FinderLossWeights())
    assert float(terms.place + terms.size + terms.points) < 1e-5
    wrong = tuple(-one for one in right)
    assert float(finder_loss(wrong, batch.targets, FinderLossWeights()).total) > 10
    unsure = PictureFaces(face.centre, face.size, face.points, np.zeros(1, bool))
    targets = make_batch([(image, unsure)]).targets
    loud = tuple(torch.full_like(one, -10.0) for one in right)
    loud[0][0, 0, 3, 3] = 10.0
    assert float(finder_loss(loud, targets, FinderLossWeights()).heat) < 0.1
