from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien.errors import DataError
from mien.synthesis.head.morphable import MorphableHead, load_head
from mien.synthesis.head.regions import HeadRegions


def edges_with_one_side(triangles: np.ndarray) -> set[tuple[int, int]]:
    directed = {
        (int(a), int(b))
        for triangle in triangles
        for a, b in zip(triangle, np.roll(triangle, -1), strict=True)
    }
    return {(a, b) for a, b in directed if (b, a) not in directed}


def test_frame_is_turned_to_ours(head: MorphableHead, head_file: Path) -> None:
    with np.load(head_file) as file:
        mean = file["mean"]
    np.testing.assert_allclose(head.mean[: len(mean)], mean * [1, -1, -1], atol=1e-6)


def test_only_the_neck_stays_open(head: MorphableHead) -> None:
    rim = {vertex for edge in edges_with_one_side(head.triangles) for vertex in edge}
    lowest = head.mean[:, 1].max()
    assert rim
    assert all(head.mean[vertex, 1] > lowest - 1 for vertex in rim)


def test_patches_close_eyes_and_mouth_in_order(head: MorphableHead) -> None:
    x, y, _ = head.mean[head.patches].T
    np.testing.assert_allclose(x, [-3.2, 3.2, 0], atol=0.3)
    np.testing.assert_allclose(y, [-3.5, -3.5, 4], atol=0.3)


def test_vertices_are_linear(head: MorphableHead) -> None:
    none = np.zeros(len(head.expression))
    np.testing.assert_allclose(head.vertices(np.zeros(3), none), head.mean, atol=1e-5)
    wider = head.vertices(np.array([2.0]), none)
    # The first identity widens by a twentieth.
    np.testing.assert_allclose(wider[:, 0], head.mean[:, 0] * 1.1, atol=5e-3)
    np.testing.assert_allclose(wider[:, 1:], head.mean[:, 1:], atol=1e-5)


def test_mirror_of_mirror_is_itself(head: MorphableHead) -> None:
    regions = HeadRegions.of(head)
    twice = regions.mirror[regions.mirror]
    skin = slice(0, head.patches[0])
    np.testing.assert_allclose(head.mean[twice][skin], head.mean[skin], atol=1e-3)
    mirrored = head.mean * [-1, 1, 1]
    np.testing.assert_allclose(head.mean[regions.mirror][skin], mirrored[skin], atol=1e-3)


@pytest.mark.parametrize("fault", ["missing", "text", "array"])
def test_a_wrong_file_is_named(tmp_path: Path, head_file: Path, fault: str) -> None:
    path = tmp_path / "model.npz"
    if fault == "text":
        path.write_text("not a model")
    if fault == "array":
        with np.load(head_file) as file:
            np.savez(path, **{name: file[name] for name in file.files if name != "identity"})
    with pytest.raises(DataError, match=r"model\.npz"):
        load_head(path)


def test_unknown_expression_lists_what_there_is(head: MorphableHead) -> None:
    with pytest.raises(DataError, match="jawOpen"):
        head.expression_index("tailWag")
