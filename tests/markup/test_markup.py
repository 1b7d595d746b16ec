"""Both markups as data: mirror pairs, parts, and how 84 points hold the 68."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mien.errors import ConfigError
from mien.markup import Markup, load_markup

BOTH = pytest.mark.parametrize("points", [68, 84])


@BOTH
def test_mirroring_twice_is_nothing(points: int) -> None:
    mirror = load_markup(points).mirror
    assert [mirror[mirror[i]] for i in range(points)] == list(range(points))


@BOTH
def test_the_mean_head_is_its_own_mirror_image(points: int) -> None:
    markup = load_markup(points)
    assert len(markup) == points
    mirrored = markup.mean_shape[list(markup.mirror)] * [-1, 1, 1]
    np.testing.assert_allclose(mirrored, markup.mean_shape, atol=1e-6)


@BOTH
def test_the_mean_head_is_drawn_as_a_picture_shows_it(points: int) -> None:
    """The person's right lies on the image's left; brows over eyes over nose over mouth."""
    markup = load_markup(points)
    places = {
        part.name: markup.mean_shape[list(part.indices)].mean(axis=0) for part in markup.parts
    }
    for name in ("brow", "eye"):
        assert places[f"{name}_right"][0] < -0.1 < 0.1 < places[f"{name}_left"][0]
    heights = [places[name][1] for name in ("brow_left", "eye_left", "nose_base", "mouth_outer")]
    assert heights == sorted(heights)
    assert places["nose_base"][2] < places["eye_left"][2] < places["jaw"][2]


@BOTH
def test_parts_cover_every_point_once(points: int) -> None:
    markup = load_markup(points)
    assert sorted(i for part in markup.parts for i in part.indices) == list(range(points))
    assert {part.name for part in markup.parts if part.closed} == {
        "eye_right", "eye_left", "mouth_outer", "mouth_inner"
    }  # fmt: skip
    assert [len(markup.part(name).indices) for name in ("brow_left", "eye_left")] == [5, 6]


@BOTH
def test_mirrored_parts_are_parts(points: int) -> None:
    markup = load_markup(points)
    for part in markup.parts:
        swapped = part.name
        for one, other in (("right", "left"), ("left", "right")):
            if part.name.endswith(one):
                swapped = part.name.removesuffix(one) + other
        assert {markup.mirror[i] for i in part.indices} == set(markup.part(swapped).indices)


@BOTH
def test_inner_points_are_the_51_without_the_jaw(points: int) -> None:
    markup = load_markup(points)
    assert len(markup.inner) == 51
    assert set(markup.inner) == set(range(points)) - set(markup.part("jaw").indices)


def test_84_points_hold_the_68() -> None:
    """Counted from 1, iBUG jaw point i is point 2i - 1 of 84; the others follow in order."""
    large, small = load_markup(84), load_markup(68)
    expected = [2 * i - 1 for i in range(1, 18)] + list(range(34, 85))
    assert [index + 1 for index in large.ibug68] == expected
    assert small.ibug68 == tuple(range(68))
    # The same head about another mean, as the added jaw points pull it.
    chosen = large.mean_shape[list(large.ibug68)]
    offset = chosen - small.mean_shape
    np.testing.assert_allclose(offset, np.broadcast_to(offset[0], offset.shape), atol=2e-5)
    # The mirror agrees too.
    for i, j in enumerate(small.mirror):
        assert large.mirror[large.ibug68[i]] == large.ibug68[j]


def test_added_jaw_points_lie_between_their_neighbours() -> None:
    jaw = load_markup(84).mean_shape[:33]
    for middle in range(1, 33, 2):
        before, after = jaw[middle - 1], jaw[middle + 1]
        length = np.linalg.norm(after - before)
        assert np.linalg.norm(jaw[middle] - (before + after) / 2) < 0.2 * length


@pytest.mark.parametrize("points", [0, 5, 67, 98])
def test_an_unknown_markup_is_refused(points: int) -> None:
    with pytest.raises(ConfigError, match=f"no markup of {points} points: choose 68 or 84"):
        load_markup(points)


def test_nobody_can_change_the_mean_head() -> None:
    with pytest.raises(ValueError, match="read-only"):
        load_markup(68).mean_shape[0, 0] = 1.0


def test_a_markup_checks_itself() -> None:
    markup = load_markup(68)
    with pytest.raises(ValueError, match="permutation of 68"):
        dataclasses.replace(markup, mirror=(0,) * 68)
    with pytest.raises(ValueError, match="each of 68 points once"):
        dataclasses.replace(markup, parts=markup.parts[1:])
    assert isinstance(markup, Markup)
