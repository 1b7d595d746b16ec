"""The anchors that ship with mien, and those of another head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clay import head_of_size

from mien.errors import DataError
from mien.synthesis.fit.anchors import Anchors, load_anchors
from mien.synthesis.head.morphable import MorphableHead


def test_the_shipped_anchors_are_found(head: MorphableHead) -> None:
    shipped = load_anchors(head_of_size(head, 30_000))
    assert shipped.mesh468.corners.shape == (468, 3)
    assert shipped.points68.corners.shape == (68, 3)
    assert shipped.manual51.corners.shape == (51, 3)


def test_anchors_of_a_larger_head_are_refused(head: MorphableHead, anchors_file: Path) -> None:
    with pytest.raises(DataError, match="make anchors for it"):
        load_anchors(head_of_size(head, 100), anchors_file)


def test_anchors_come_back_from_their_file(
    head: MorphableHead, anchors: Anchors, anchors_file: Path
) -> None:
    again = load_anchors(head, anchors_file)
    np.testing.assert_array_equal(again.manual51.corners, anchors.manual51.corners)
    np.testing.assert_array_equal(again.mesh_used, anchors.mesh_used)
