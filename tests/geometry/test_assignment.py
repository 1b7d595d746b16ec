"""Pairs at the least cost, against every way there is and against scipy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from mien.geometry import least_cost_pairs


@pytest.mark.parametrize("seed", range(20))
def test_no_way_is_cheaper(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, cols = rng.integers(1, 5, 2)
    cost = rng.normal(size=(rows, cols)).round(1)  # with ties
    pairs = least_cost_pairs(cost)
    assert len(pairs) == min(rows, cols)
    assert len({row for row, _ in pairs}) == len({col for _, col in pairs}) == len(pairs)
    wide = cost if rows <= cols else cost.T
    ways = itertools.permutations(range(wide.shape[1]), wide.shape[0])
    best = min(sum(wide[i, j] for i, j in enumerate(way)) for way in ways)
    assert sum(cost[row, col] for row, col in pairs) == pytest.approx(best)


@pytest.mark.parametrize("shape", [(30, 30), (12, 40), (40, 12)])
def test_as_scipy_pairs_them(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    cost = rng.normal(size=shape)
    cost[rng.random(shape) < 0.5] = 1e6
    rows, cols = linear_sum_assignment(cost)
    assert least_cost_pairs(cost) == list(zip(rows.tolist(), cols.tolist(), strict=True))


def test_nothing_and_what_is_no_number() -> None:
    assert least_cost_pairs(np.zeros((0, 3))) == []
    assert least_cost_pairs(np.zeros((3, 0))) == []
    with pytest.raises(ValueError, match="finite"):
        least_cost_pairs(np.array([[np.nan]]))
