"""Several faces or pictures at once give what each gives alone, with the weights that ship."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib import resources

import numpy as np
import pytest

import mien
from mien.geometry import Similarity, crop_from_box
from mien.media import open_source
from mien.pipeline import make_tracker
from mien.runtime import LandmarkerPair, load_landmarkers, open_detector
from mien.types import Face, Frame

MODELS = ["nano", "fast"]
CROPS = 11
"""More than one run of a network takes."""
CLOSE = 1e-5


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    """Four of the demo clip, far apart."""
    clip = resources.files("mien") / "demo" / "clip.mp4"
    with resources.as_file(clip) as path, open_source(str(path)) as source:
        return list(source)[:100:25]


@pytest.fixture(scope="module", params=MODELS)
def pair(request: pytest.FixtureRequest) -> LandmarkerPair:
    return load_landmarkers(request.param, points=68, threads=1)


def told(faces: list[Face]) -> np.ndarray:
    """Every number of the faces: points and box in face sizes of about 1, the rest as it is."""
    return np.array(
        [
            [
                *(face.landmarks.points_image / face.box.width).ravel(),
                *face.landmarks.confidence,
                face.score,
            ]
            for face in faces
        ]
    )


def test_a_batch_of_crops_equals_a_loop_over_them(
    pair: LandmarkerPair, frames: list[Frame]
) -> None:
    image = frames[0].image_rgb
    tracker = make_tracker(pair, open_detector("centerface"))
    (face,) = mien.find_faces(image, tracker)
    rng = np.random.default_rng(4)
    for model in (pair.first, pair.following):
        place = crop_from_box(face.box, model.side)
        middle = ((model.side - 1) / 2, (model.side - 1) / 2)
        crops = [
            place @ Similarity.about(middle, scale=scale, angle_rad=angle)
            for scale, angle in zip(
                rng.uniform(0.8, 1.3, CROPS), rng.uniform(-0.6, 0.6, CROPS), strict=True
            )
        ]
        together = model.predict(image, crops)
        alone = [model.predict(image, [crop])[0] for crop in crops]
        for one, other in zip(together, alone, strict=True):
            apart = one.landmarks.points_image - other.landmarks.points_image
            assert np.abs(apart).max() / face.box.width < CLOSE
            sure = one.landmarks.confidence - other.landmarks.confidence
            assert np.abs(sure).max() < CLOSE
            assert abs(one.score - other.score) < CLOSE
        spread = np.std([one.landmarks.points_image for one in alone], axis=0).max()
        assert spread / face.box.width > 100 * CLOSE, "the crops are seen differently"


def test_pictures_at_once_equal_a_loop_over_them(pair: LandmarkerPair, frames: list[Frame]) -> None:
    tracker = make_tracker(pair, open_detector("centerface"))
    images = [frame.image_rgb for frame in frames]
    loop = [told(mien.find_faces(image, tracker)) for image in images]
    assert [len(one) for one in loop] == [1] * len(images)
    with ThreadPoolExecutor(4) as threads:
        at_once = list(threads.map(lambda image: told(mien.find_faces(image, tracker)), images))
    for one, other in zip(at_once, loop, strict=True):
        assert np.abs(one - other).max() < CLOSE
    assert np.abs(loop[0] - loop[1]).max() > 100 * CLOSE, "the pictures differ"


def test_videos_at_once_equal_one_after_the_other(
    pair: LandmarkerPair, frames: list[Frame]
) -> None:
    """``update`` in two trackers, frame about: neither knows of the other."""
    parts = make_tracker(pair, open_detector("centerface"))
    forth, back = frames, frames[::-1]

    def alone(order: list[Frame]) -> list[np.ndarray]:
        tracker = parts.fresh()
        return [
            told(tracker.update(frame.image_rgb, index / 25)) for index, frame in enumerate(order)
        ]

    serial = alone(forth), alone(back)
    one, other = parts.fresh(), parts.fresh()
    for index in range(len(frames)):
        for tracker, order, expected in ((one, forth, serial[0]), (other, back, serial[1])):
            seen = told(tracker.update(order[index].image_rgb, index / 25))
            assert seen.shape == expected[index].shape
            assert np.abs(seen - expected[index]).max() < CLOSE
