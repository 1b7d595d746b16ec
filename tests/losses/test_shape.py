"""Shape, depth, expected error and score against small cases worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from mien.geometry import FACE_SHARE
from mien.losses.shape import (
    aperture_loss,
    depth_loss,
    error_loss,
    mouth_loss,
    score_loss,
    shape_loss,
)
from mien.markup import load_markup

TRUTH = torch.zeros(1, 2, 3)
POINTS = torch.tensor([[[0.03, 0.04, 0.2], [0.0, -0.1, -0.4]]])
BOTH, FIRST, NONE = (torch.tensor([values]) for values in ([1.0, 1.0], [1.0, 0.0], [0.0, 0.0]))


@pytest.mark.parametrize(
    ("weights", "distance"), [(BOTH, (0.05 + 0.1) / 2), (FIRST, 0.05), (NONE, 0.0)]
)
def test_shape_is_the_distance_in_the_plane_in_face_sizes(
    weights: torch.Tensor, distance: float
) -> None:
    loss = float(shape_loss(POINTS, TRUTH, weights))
    assert loss == pytest.approx(distance / FACE_SHARE)


def test_shape_by_the_faces_own_box() -> None:
    """Eq. 5: of two faces the narrower one's error weighs as much more as its root is less."""
    wide = torch.tensor([[[0.0, 0.0, 0.0], [0.4, 0.4, 0.0]]])
    narrow = torch.tensor([[[0.0, 0.0, 0.0], [0.1, 0.4, 0.0]]])
    off = torch.tensor([0.03, 0.04, 0.5])
    by_box = [float(shape_loss(t + off, t, BOTH, by_box=True)) for t in (wide, narrow)]
    assert by_box == [pytest.approx(0.05 / 0.4), pytest.approx(0.05 / 0.2)]
    assert math.isfinite(float(shape_loss(POINTS, TRUTH, BOTH, by_box=True)))


@pytest.mark.parametrize(("weights", "depth"), [(BOTH, 0.3), (FIRST, 0.2), (NONE, 0.0)])
def test_depth_is_the_error_of_z_in_face_sizes(weights: torch.Tensor, depth: float) -> None:
    assert float(depth_loss(POINTS, TRUTH, weights)) == pytest.approx(depth / FACE_SHARE)


def test_expected_error_by_hand() -> None:
    log_error = torch.log(torch.tensor([[0.05, 0.2]]))
    by_hand = (math.log(0.05) + 0.05 / 0.05 + math.log(0.2) + 0.1 / 0.2) / 2
    assert float(error_loss(log_error, POINTS, TRUTH, BOTH)) == pytest.approx(by_hand)
    assert float(error_loss(log_error, POINTS, TRUTH, NONE)) == 0


def test_between_two_conventions_the_mean_of_both_distances_is_expected() -> None:
    """The first point 0.05 off the middle, square to the way between them; the second along it."""
    convention_offset = torch.tensor([[[0.04 * 2.4, -0.03 * 2.4, 9.0], [0.0, 0.3, 0.0]]])
    distances = (math.hypot(0.05, 0.12), (0.2 + 0.4) / 2)
    log_error = torch.log(torch.tensor([[0.05, 0.2]]))
    by_hand = (math.log(0.05) + distances[0] / 0.05 + math.log(0.2) + distances[1] / 0.2) / 2
    for way in (convention_offset, -convention_offset):
        assert float(error_loss(log_error, POINTS, TRUTH, BOTH, way)) == pytest.approx(by_hand)
    nowhere = torch.zeros_like(convention_offset)
    assert error_loss(log_error, POINTS, TRUTH, BOTH, nowhere) == pytest.approx(
        error_loss(log_error, POINTS, TRUTH, BOTH)
    )


def test_the_mean_distance_is_the_best_expectation() -> None:
    """Of an exponential law the likeliest mean is the mean of what was seen."""
    distances = torch.tensor([0.01, 0.02, 0.06, 0.11])
    points = torch.zeros(4, 1, 3)
    points[:, 0, 0] = distances
    guesses = torch.linspace(-5, -1, 4001)
    losses = torch.stack(
        [error_loss(guess.expand(4, 1), points, torch.zeros(4, 1, 3), torch.ones(4, 1))
         for guess in guesses]
    )  # fmt: skip
    assert float(guesses[losses.argmin()].exp()) == pytest.approx(float(distances.mean()), rel=2e-3)


def test_expecting_an_error_does_not_make_one() -> None:
    points = POINTS.clone().requires_grad_()
    log_error = torch.full((1, 2), -3.0, requires_grad=True)
    error_loss(log_error, points, TRUTH, BOTH).backward()  # type: ignore[no-untyped-call]
    assert points.grad is None
    assert log_error.grad is not None
    # d/dl (l + d exp(-l)) = 1 - d exp(-l), halved by the mean over two points
    expected = [(1 - d * math.exp(3)) / 2 for d in (0.05, 0.1)]
    torch.testing.assert_close(log_error.grad, torch.tensor([expected]))


def test_score_by_hand() -> None:
    logits = torch.tensor([math.log(3), math.log(1 / 9)])  # 0.75 and 0.1
    loss = score_loss(logits, torch.tensor([1.0, 0.0]))
    assert float(loss) == pytest.approx((-math.log(0.75) - math.log(0.9)) / 2)


def test_the_aperture_loss_sees_a_blink_and_not_where_the_eye_is() -> None:
    truth = torch.tensor(load_markup(68).mean_shape * FACE_SHARE, dtype=torch.float32)[None]
    weights = torch.ones(1, 68)
    assert float(aperture_loss(truth + 0.1, truth, weights)) == pytest.approx(0, abs=1e-6)
    shut = truth.clone()
    shut[:, 37, :2] = shut[:, 41, :2]
    opening = float((truth[0, 37, :2] - truth[0, 41, :2]).norm()) / FACE_SHARE
    assert float(aperture_loss(shut, truth, weights)) == pytest.approx(opening / 7, rel=1e-5)
    weights[:, 41] = 0  # a pair counts only where both are trusted
    assert float(aperture_loss(shut, truth, weights)) == pytest.approx(0, abs=1e-6)


def test_the_mouth_loss_sees_a_pucker_and_not_where_the_mouth_is() -> None:
    truth = torch.tensor(load_markup(84).mean_shape * FACE_SHARE, dtype=torch.float32)[None]
    weights, right, left = torch.ones(1, 84), *(load_markup(84).ibug68[i] for i in (48, 54))
    assert float(mouth_loss(truth + 0.1, truth, weights)) == pytest.approx(0, abs=1e-6)
    pursed = truth.clone()
    pursed[:, right, :2] += 0.25 * (truth[:, left, :2] - truth[:, right, :2])
    narrower = 0.25 * float((truth[0, left, :2] - truth[0, right, :2]).norm()) / FACE_SHARE
    assert float(mouth_loss(pursed, truth, weights)) == pytest.approx(narrower / 5, rel=1e-4)
    weights[:, left] = 0
    assert float(mouth_loss(pursed, truth, weights)) == pytest.approx(0, abs=1e-6)
