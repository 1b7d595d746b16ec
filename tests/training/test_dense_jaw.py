"""A network widened from 68 to 84 points says of the 68 what it said before."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from mien.geometry.jaw import with_dense_jaw
from mien.markup import load_markup
from mien.models import Landmarker
from mien.training.checkpoint import start_from
from tinyrun import TINY


def test_old_points_stay_and_new_corrections_lie_on_the_jaw() -> None:
    torch.manual_seed(0)
    old = Landmarker(TINY.network).eval()
    with torch.no_grad():
        for parameter in old.parameters():  # the last layers start at zero: make them say something
            parameter.add_(0.02 * torch.randn_like(parameter))
    new = Landmarker(dataclasses.replace(TINY.network, points=84)).eval()
    assert start_from(new, old.state_dict()) == ["mean_depth"]
    crops = torch.rand(2, 3, TINY.network.side, TINY.network.side) * 2 - 1
    kept = list(load_markup(84).ibug68)
    with torch.inference_mode():
        before, after = old(crops), new(crops)
    for one, other in zip(before.heatmap_logits, after.heatmap_logits, strict=True):
        assert torch.allclose(one, other[:, kept], atol=1e-5)
    assert torch.allclose(before.points[..., :2], after.points[:, kept, :2], atol=1e-5)
    assert torch.allclose(before.log_error, after.log_error[:, kept], atol=1e-5)
    assert torch.allclose(before.score_logit, after.score_logit, atol=1e-5)
    depth = (before.points[..., 2] - old.mean_depth).numpy().astype(np.float64)
    dense = with_dense_jaw(np.repeat(depth[..., None], 3, axis=-1))[..., 0]
    assert np.allclose((after.points[..., 2] - new.mean_depth).numpy(), dense, atol=1e-5)
