"""Heatmaps to places, against Gaussians whose centres are known below the pixel."""

from __future__ import annotations

import math

import pytest
import torch

from mien.models.decoding import decode_heatmaps, pixel_centres, pixels_from_shares


def gaussian(centre_x: float, centre_y: float, side: int, sigma: float) -> torch.Tensor:
    """A heatmap written pixel by pixel, centres at integers."""
    return torch.tensor(
        [
            [
                math.exp(-((x - centre_x) ** 2 + (y - centre_y) ** 2) / (2 * sigma**2))
                for x in range(side)
            ]
            for y in range(side)
        ]
    )


@pytest.mark.parametrize("place", [(20.0, 30.0), (20.5, 30.25), (31.83, 17.07), (40.99, 12.5)])
def test_a_gaussian_decodes_to_its_centre(place: tuple[float, float]) -> None:
    heatmaps = gaussian(*place, 64, 5 / 3)[None, None]
    pixels = pixels_from_shares(decode_heatmaps(heatmaps), 64)
    torch.testing.assert_close(pixels[0, 0], torch.tensor(place), atol=1e-4, rtol=0)


def test_height_does_not_matter_and_a_faint_background_hardly() -> None:
    heatmap = 0.3 * gaussian(20.3, 40.6, 64, 5 / 3)[None, None]
    alone = pixels_from_shares(decode_heatmaps(heatmap), 64)
    torch.testing.assert_close(alone[0, 0], torch.tensor([20.3, 40.6]), atol=1e-3, rtol=0)
    murky = pixels_from_shares(decode_heatmaps(heatmap.clamp_min(0.001)), 64)
    assert (murky - alone).norm() < 0.25


def test_a_picture_with_other_width_and_height() -> None:
    heatmap = torch.zeros(1, 2, 8, 16)
    heatmap[0, 0, 2, 13] = 1
    heatmap[0, 1, 7, 0] = 0.5
    shares = decode_heatmaps(heatmap)
    expected = torch.tensor([[13.5 / 16 - 0.5, 2.5 / 8 - 0.5], [0.5 / 16 - 0.5, 7.5 / 8 - 0.5]])
    torch.testing.assert_close(shares[0], expected)


@pytest.mark.parametrize("place", [(20.0, 30.0), (20.5, 30.25), (1.0, 62.0)])
def test_a_window_reads_what_is_about_the_peak(place: tuple[float, float]) -> None:
    """A background that draws the whole map's centre of mass away is not read."""
    heatmap = gaussian(*place, 64, 5 / 3)[None, None].clamp_min(0.1)
    whole = pixels_from_shares(decode_heatmaps(heatmap), 64)[0, 0]
    near = pixels_from_shares(decode_heatmaps(heatmap, 7), 64)[0, 0]
    assert (whole - torch.tensor(place)).norm() > 3
    assert (near - torch.tensor(place)).norm() < 0.35


def test_a_window_against_a_loop() -> None:
    heatmaps = torch.rand(2, 3, 12, 20)
    shares = decode_heatmaps(heatmaps, 5)
    for n in range(2):
        for point in range(3):
            values = heatmaps[n, point]
            row, column = divmod(int(values.argmax()), 20)
            total = x = y = 0.0
            for r in range(max(row - 2, 0), min(row + 3, 12)):
                for c in range(max(column - 2, 0), min(column + 3, 20)):
                    weight = float(values[r, c]) ** 2
                    total, x, y = total + weight, x + weight * c, y + weight * r
            expected = torch.tensor([(x / total + 0.5) / 20 - 0.5, (y / total + 0.5) / 12 - 0.5])
            torch.testing.assert_close(shares[n, point], expected, atol=1e-5, rtol=0)


def test_nothing_is_finite() -> None:
    assert torch.isfinite(decode_heatmaps(torch.zeros(1, 1, 8, 8))).all()


def test_shares_and_pixels_are_inverse() -> None:
    pixels = pixels_from_shares(pixel_centres(40, torch.zeros(1)), 40)
    torch.testing.assert_close(pixels, torch.arange(40.0), atol=1e-4, rtol=0)
