"""Ranks against scipy's, ties included."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from mien.evaluation.confidence import rank_correlation
from mien.evaluation.ranks import ranks_of


@pytest.mark.parametrize("seed", range(5))
def test_ranks_and_their_correlation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = rng.integers(0, 9, 40).astype(float), rng.normal(size=40)
    np.testing.assert_allclose(ranks_of(one), scipy.stats.rankdata(one))
    expected = -scipy.stats.spearmanr(one, other).statistic
    assert rank_correlation(one, other) == pytest.approx(expected)
