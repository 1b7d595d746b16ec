"""The face finder that ships: its card and terms, and what it finds in a photo by NASA."""

from __future__ import annotations

import numpy as np
import pytest

from mien.runtime.detectors import Finder, open_detector
from mien.runtime.detectors.finder import read_finder_card
from mien.runtime.ledger import load_ledger
from mien.runtime.weights import shipped_finder, shipped_models
from mien.types import Detection, Frame

EYES_NOSE_MOUTH = np.array([[203, 101], [246, 104], [223, 124], [203, 142], [241, 144]])
"""As seen by eye in the picture, the person's right first."""
MEAN_ERROR = 0.09
"""Of its five points on val crops, in sizes of the box (the training's val.csv)."""


@pytest.fixture(scope="module")
def finder() -> Finder:
    detector = open_detector("finder")
    assert isinstance(detector, Finder)
    return detector


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    import skimage.data  # a photo by NASA, inside scikit-image's wheel

    return np.asarray(skimage.data.astronaut())


def look(finder: Finder, image_rgb: np.ndarray) -> list[Detection]:
    return list(finder.find(Frame(np.ascontiguousarray(image_rgb), 0, 0.0)))


def points_error(found: Detection, truth: np.ndarray) -> float:
    assert found.five_points is not None
    away = np.linalg.norm(found.five_points - truth, axis=1).mean()
    return float(away) / found.box.width


def test_it_is_small_and_its_sources_are_known_and_may_be_released() -> None:
    path = shipped_finder()
    assert path is not None
    assert path.stat().st_size < 1_000_000
    assert path not in [model.path for model in shipped_models()]
    card, ledger = read_finder_card(path), load_ledger()
    assert card.gflops < 0.3
    sources = [ledger.find(name) for name in card.training_sources]
    assert {"wider", "helen", "cfp", "centerface"} <= {source.key for source in sources}
    assert all(source.training and source.release for source in sources)
    assert bool(ledger.hindrances(card.training_sources)) == ("research" in card.licence)


def test_a_real_face_is_found_where_it_is(finder: Finder, portrait: np.ndarray) -> None:
    (found,) = look(finder, portrait)
    assert found.score > finder.card.score
    assert points_error(found, EYES_NOSE_MOUTH) < MEAN_ERROR


def test_the_box_of_a_face_on_its_head_lies_where_it_is(
    finder: Finder, portrait: np.ndarray
) -> None:
    """Its points do not: ``docs/decisions/0022-finder.md``."""
    (found,) = look(finder, portrait[::-1, ::-1])
    truth = np.array(portrait.shape[1::-1]) - 1 - EYES_NOSE_MOUTH
    box = found.box
    assert np.all((truth > [box.left, box.top]) & (truth < [box.right, box.bottom]))
    assert np.linalg.norm(truth.mean(axis=0) - box.centre) < 0.25 * box.width


def test_it_sees_nothing_in_noise_and_flat_pictures(finder: Finder) -> None:
    rng = np.random.default_rng(0)
    assert look(finder, rng.integers(0, 256, (300, 400, 3), dtype=np.uint8)) == []
    assert look(finder, np.full((700, 900, 3), 127, np.uint8)) == []
