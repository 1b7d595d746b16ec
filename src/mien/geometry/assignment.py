"""Who goes with whom, at the least cost in all."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

__all__ = ["least_cost_pairs"]


def least_cost_pairs(cost: Float[np.ndarray, "rows cols"]) -> list[tuple[int, int]]:
    """Pairs (row, column), as many as the shorter side has, by row: the linear assignment problem.

    Row after row is added by the shortest augmenting path, with prices of rows and columns that
    keep every reduced cost at 0 or above (Kuhn 1955, Munkres 1957; in the cubic form of Jonker and
    Volgenant, 1987).

    Raises:
        ValueError: a cost is not finite.
    """
    if not np.isfinite(cost).all():
        raise ValueError("costs must be finite")
    if cost.shape[0] > cost.shape[1]:
        return sorted((row, col) for col, row in least_cost_pairs(cost.T))
    rows, cols = cost.shape
    row_price, col_price = np.zeros(rows), np.zeros(cols)
    row_of = np.full(cols, -1)
    for added in range(rows):
        distance, came_from = np.full(cols, np.inf), np.full(cols, -1)
        reached = np.zeros(cols, bool)
        row, col, far = added, -1, 0.0
        while True:
            through = far + cost[row] - row_price[row] - col_price
            nearer = ~reached & (through < distance)
            distance[nearer], came_from[nearer] = through[nearer], col
            col = int(np.argmin(np.where(reached, np.inf, distance)))
            far = float(distance[col])
            if row_of[col] < 0:
                break
            reached[col] = True
            row = int(row_of[col])
        row_price[added] += far
        row_price[row_of[reached]] += far - distance[reached]
        col_price[reached] -= far - distance[reached]
        while col >= 0:  # every row on the path takes the next column
            before = int(came_from[col])
            row_of[col] = added if before < 0 else row_of[before]
            col = before
    return sorted((int(row), col) for col, row in enumerate(row_of) if row >= 0)
