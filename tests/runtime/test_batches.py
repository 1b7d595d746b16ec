"""Several faces or pictures at once give what each gives alone, with the weights that ship."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import mien
from mien.geometry import Similarity, crop_from_box
from mien.media import open_source
from mien.pipeline import make_tracker
from mien.runtime import LandmarkerPair, load_landmarkers, open_detector
from mien.runtime.session import WeightFile
from mien.tracking import Tracker
from mien.types import Box, Detection, Face, Frame

MODELS = [("nano", 1), ("fast", 2)]
"""And threads: `nano` in batches, `fast` a face a thread."""
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
    model, threads = request.param
    return load_landmarkers(model, points=68, threads=threads)


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


def test_a_large_network_reads_a_face_a_core_once_there_are_as_many(
    monkeypatch: pytest.MonkeyPatch, frames: list[Frame]
) -> None:
    """Fewer would leave cores idle: those are read one by one, by all cores together."""
    first = load_landmarkers("fast", points=68, threads=3).first
    asked: list[int] = []

    def recorded(
        self: WeightFile, work: Callable[..., object], shares: Sequence[object]
    ) -> list[object]:
        asked.append(len(shares))
        return [work(self.run, share) for share in shares]

    monkeypatch.setattr(WeightFile, "side_by_side", recorded)
    place = Similarity.about((0, 0), scale=1.0)
    for count in (1, 2, 3, 4):
        assert len(first.predict(frames[0].image_rgb, [place] * count)) == count
    assert asked == [3, 4]


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


class Told:
    """A detector that is told where the faces are."""

    def __init__(self, *boxes: Box) -> None:
        self._found = [Detection(box, 0.9) for box in boxes]

    def find(self, frame: Frame) -> list[Detection]:
        return self._found


def test_faces_of_one_picture_are_followed_as_if_each_were_alone(
    pair: LandmarkerPair, frames: list[Frame]
) -> None:
    """Three in one picture, each a film of its own; nobody's crop shows a neighbour."""
    films, side = (frames, frames[::-1], frames[:1] * 4), 240
    pictures = [
        np.concatenate([cv2.resize(film[index].image_rgb, (side, side)) for film in films], axis=1)
        for index in range(len(frames))
    ]
    (face,) = mien.find_faces(
        pictures[0][:, :side], make_tracker(pair, open_detector("centerface"))
    )
    places = [Detection(face.box, 0.9).moved(number * side, 0) for number in range(len(films))]
    boxes = [place.box for place in places]

    def followed(*chosen: Box) -> list[np.ndarray]:
        tracker = make_tracker(pair, Told(*chosen))
        return [
            told(sorted(tracker.update(one, index / 25), key=lambda face: face.box.left))
            for index, one in enumerate(pictures)
        ]

    together, alone = followed(*boxes), [followed(box) for box in boxes]
    for index, every in enumerate(together):
        assert len(every) == len(films)
        for number, single in enumerate(alone):
            assert np.abs(every[number] - single[index][0]).max() < CLOSE
    assert np.abs(together[0] - together[-1]).max() > 100 * CLOSE, "the faces move"


def test_a_second_video_is_followed_as_by_a_fresh_tracker(
    pair: LandmarkerPair, frames: list[Frame], tmp_path: Path
) -> None:
    """``track(a)``, then ``track(b)``: nothing of the first is left, bit for bit."""
    films = {"a.mkv": frames * 2, "b.mkv": frames[::-1]}
    for name, film in films.items():
        with av.open(str(tmp_path / name), "w") as container:
            stream = container.add_stream("ffv1", rate=25)
            stream.height, stream.width, _ = film[0].image_rgb.shape
            stream.pix_fmt = "bgr0"
            for frame in film:
                picture = av.VideoFrame.from_ndarray(frame.image_rgb, format="rgb24")
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))

    def run(tracker: Tracker, name: str) -> list[np.ndarray]:
        return [
            np.insert(told(faces), 0, [face.track_id for face in faces], axis=1)
            for _, faces in mien.track(tmp_path / name, tracker)
        ]

    def fresh() -> Tracker:
        return make_tracker(pair, open_detector("centerface"))

    expected = {name: run(fresh(), name) for name in films}
    assert [len(rows) for rows in expected.values()] == [8, 4]
    tracker = fresh()
    for name in ("a.mkv", "b.mkv", "a.mkv"):
        for one, other in zip(run(tracker, name), expected[name], strict=True):
            np.testing.assert_array_equal(one, other)
    for frame in films["a.mkv"]:
        tracker.update(frame)
    tracker.reset()
    with open_source(tmp_path / "b.mkv") as source:
        seen = [told(tracker.update(frame)) for frame in source]
    for one, other in zip(seen, expected["b.mkv"], strict=True):
        np.testing.assert_array_equal(one, other[:, 1:])
