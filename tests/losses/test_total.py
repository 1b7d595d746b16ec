"""The weighted sum, and what a counter-example may teach."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from mien.errors import ConfigError
from mien.losses import LossTerms, LossWeights, total_loss
from mien.losses.heatmap import gaussian_heatmaps, heatmap_l2_loss, heatmap_loss
from mien.models import Prediction

WEIGHTS = LossWeights(heatmap=2.0, shape=3.0, depth=5.0, error=7.0, score=11.0)


def make(count: int = 2) -> tuple[Prediction, torch.Tensor, torch.Tensor]:
    prediction = Prediction(
        heatmap_logits=tuple(torch.randn(count, 4, 16, 16, requires_grad=True) for _ in range(3)),
        points=torch.randn(count, 4, 3, requires_grad=True),
        log_error=torch.randn(count, 4, requires_grad=True),
        score_logit=torch.randn(count, requires_grad=True),
    )
    return prediction, torch.rand(count, 4, 3) - 0.5, torch.ones(count, 4)


def figures(terms: LossTerms) -> dict[str, float]:
    return {name: float(value.detach()) for name, value in vars(terms).items()}


def test_the_total_is_the_weighted_sum() -> None:
    terms = figures(total_loss(*make(), torch.ones(2), WEIGHTS))
    expected = sum(
        getattr(WEIGHTS, name) * terms[name]
        for name in ("heatmap", "shape", "depth", "error", "score")
    )
    assert terms["total"] == pytest.approx(expected, rel=1e-5)


def test_lids_and_mouths_weigh_in_where_they_are_asked_for() -> None:
    prediction, truth = make()[0], torch.rand(2, 68, 3) - 0.5
    prediction = dataclasses.replace(
        prediction, heatmap_logits=(), points=torch.randn(2, 68, 3), log_error=torch.zeros(2, 68)
    )

    def told(**asked: float) -> dict[str, float]:
        weights = dataclasses.replace(WEIGHTS, **asked)  # type: ignore[arg-type]
        return figures(total_loss(prediction, truth, torch.ones(2, 68), torch.ones(2), weights))

    without, lids, mouth = told(), told(aperture=13.0), told(mouth=17.0)
    assert (without["aperture"], without["mouth"], lids["mouth"], mouth["aperture"]) == (0,) * 4
    assert lids["total"] - without["total"] == pytest.approx(13 * lids["aperture"], rel=1e-4)
    assert mouth["total"] - without["total"] == pytest.approx(17 * mouth["mouth"], rel=1e-4)
    assert min(lids["aperture"], mouth["mouth"]) > 0.1


def test_every_stack_weighs_the_same() -> None:
    prediction, truth, weights = make()
    terms = total_loss(prediction, truth, weights, torch.ones(2), WEIGHTS)
    targets = gaussian_heatmaps(truth[..., :2], 16)
    alone = [
        float(heatmap_loss(logits.detach(), targets, weights))
        for logits in prediction.heatmap_logits
    ]
    assert figures(terms)["heatmap"] == pytest.approx(sum(alone) / 3, rel=1e-5)


def test_a_counter_example_teaches_the_score_alone() -> None:
    prediction, truth, weights = make()
    is_face = torch.tensor([1.0, 0.0])
    total_loss(prediction, truth, weights, is_face, WEIGHTS).total.backward()  # type: ignore[no-untyped-call]
    for value in (*prediction.heatmap_logits, prediction.points, prediction.log_error):
        assert value.grad is not None
        assert value.grad[0].any()
        assert not value.grad[1].any()
    assert prediction.score_logit.grad is not None
    assert prediction.score_logit.grad.all()


def test_a_batch_of_counter_examples_is_finite() -> None:
    terms = total_loss(*make(), torch.zeros(2), WEIGHTS)
    assert all(torch.isfinite(value) for value in vars(terms).values())
    assert figures(terms)["total"] == pytest.approx(11 * figures(terms)["score"], rel=1e-5)


def test_cross_entropy_is_of_gaussians_of_the_asked_radius() -> None:
    prediction, truth, weights = make()
    losses = dataclasses.replace(WEIGHTS, gaussian_radius=5 / 24)
    terms = figures(total_loss(prediction, truth, weights, torch.ones(2), losses))
    targets = gaussian_heatmaps(truth[..., :2], 16, radius=5 / 24)
    alone = [
        float(heatmap_loss(logits.detach(), targets, weights, 5 / 24))
        for logits in prediction.heatmap_logits
    ]
    assert terms["heatmap"] == pytest.approx(sum(alone) / 3, rel=1e-5)


def test_a_weight_of_zero_switches_a_term_off() -> None:
    prediction, truth, weights = make()
    none = dataclasses.replace(WEIGHTS, heatmap=0.0, shape=0.0, depth=0.0)
    terms = figures(total_loss(prediction, truth, weights, torch.ones(2), none))
    assert terms["total"] == pytest.approx(7 * terms["error"] + 11 * terms["score"], rel=1e-5)


@pytest.mark.parametrize("linear", [True, False])
@pytest.mark.parametrize("radius", [5 / 64, 5 / 24])
def test_l2_compares_heatmaps_whatever_stands_behind_them(linear: bool, radius: float) -> None:
    prediction, truth, weights = make()
    prediction = dataclasses.replace(prediction, linear=linear)
    losses = dataclasses.replace(WEIGHTS, heatmap_loss="l2", gaussian_radius=radius)
    terms = figures(total_loss(prediction, truth, weights, torch.ones(2), losses))
    targets = gaussian_heatmaps(truth[..., :2], 16, radius=radius)
    values = [v if linear else torch.sigmoid(v) for v in prediction.heatmap_logits]
    alone = [float(heatmap_l2_loss(value.detach(), targets, weights, radius)) for value in values]
    assert terms["heatmap"] == pytest.approx(sum(alone) / 3, rel=1e-5)


def test_cross_entropy_of_no_probabilities_is_refused() -> None:
    prediction, truth, weights = make()
    with pytest.raises(ConfigError, match="heatmap_values = 'probability'"):
        total_loss(
            dataclasses.replace(prediction, linear=True), truth, weights, torch.ones(2), WEIGHTS
        )
    with pytest.raises(ConfigError, match="'cross-entropy' or 'l2'"):
        LossWeights(heatmap_loss="l1")
    with pytest.raises(ConfigError, match="gaussian_radius"):
        LossWeights(gaussian_radius=0.0)
