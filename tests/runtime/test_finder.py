"""The face finder in the field: a network that finds bright squares, placed and sized by hand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from mien.errors import ModelError
from mien.geometry import crop_from_detection, crop_from_landmarks, detection_box
from mien.markup import load_markup
from mien.runtime.detectors import Finder, open_detector
from mien.runtime.detectors.finder import read_finder_card, search_ratios
from mien.runtime.detectors.finder_maps import Finds, strongest
from mien.runtime.finder_card import FinderCard
from mien.types import Detection, Frame
from squarefinder import CARD, SHARES, write_square_finder
from standin import write_standin


@pytest.fixture(scope="module")
def square_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_square_finder(tmp_path_factory.mktemp("finder") / "squares.onnx")


def white_at(height: int, width: int, left: int, top: int, side: int) -> Frame:
    image = np.zeros((height, width, 3), np.uint8)
    image[top : top + side, left : left + side] = 255
    return Frame(image, 0, 0.0)


def test_a_square_is_found_where_it_is(square_file: Path) -> None:
    (found,) = open_detector(f"finder:{square_file}").find(white_at(100, 130, 40, 24, 8))
    assert found.score == pytest.approx(1.0, abs=1e-5)
    box = found.box
    # Cell (5, 3) of stride 8 has its middle at px 43.5, 27.5; the find is 16 px wide.
    np.testing.assert_allclose(
        [box.left, box.top, box.right, box.bottom], [35.5, 19.5, 51.5, 35.5], atol=1e-4
    )
    np.testing.assert_allclose(found.five_points, [43.5, 27.5] + SHARES * 16, atol=1e-4)


def test_a_large_picture_is_shrunk_and_what_is_found_is_not(square_file: Path) -> None:
    """1600 x 1000 is searched at 800 x 500: a white square of 16 px is one cell there."""
    (found,) = Finder(square_file).find(white_at(1000, 1600, 320, 480, 16))
    box = found.box
    np.testing.assert_allclose(box.centre, (327.5, 487.5), atol=1e-4)
    np.testing.assert_allclose(box.width, 32, atol=1e-4)


@pytest.mark.parametrize(
    ("width", "height"),
    [(1920, 1080), (3840, 2160), (720, 8000), (320, 240), (450, 450), (17000, 40), (5, 5)],
)
def test_the_search_is_bounded_and_fine_enough(width: int, height: int) -> None:
    ratios = search_ratios(width, height, 400_000)
    assert all(0 < ratio <= 1 for ratio in ratios)
    assert sum(width * height * ratio**2 for ratio in ratios) <= 400_001 + 320**2
    assert ratios[-1] == 1 or width * height * ratios[-1] ** 2 > 399_000
    if max(width, height) > 480:
        assert max(width, height) * ratios[0] == pytest.approx(320)
    else:
        assert ratios == [1.0]


def test_small_faces_of_full_hd_and_of_a_long_screenshot_have_ten_pixels() -> None:
    assert search_ratios(1920, 1080, 400_000)[-1] * 28 > 10
    assert search_ratios(720, 8000, 400_000)[-1] * 130 > 20


def test_of_overlapping_finds_the_best_stays() -> None:
    centre = np.array([[10.0, 10.0], [12.0, 10.0], [60.0, 60.0]])
    finds = Finds(np.array([0.6, 0.9, 0.7]), centre, np.full(3, 20.0), np.zeros((3, 5, 2)))
    kept = strongest(finds, 0.35)
    assert kept.score.tolist() == [0.9, 0.7]
    assert strongest(finds, 0.9).score.tolist() == [0.9, 0.7, 0.6]
    assert len(strongest(finds.take(np.zeros(3, bool)), 0.35)) == 0


def test_black_and_tiny_pictures_hold_nothing(square_file: Path) -> None:
    finder = Finder(square_file)
    assert finder.find(Frame(np.zeros((240, 320, 3), np.uint8), 0, 0.0)) == []
    assert finder.find(Frame(np.zeros((1, 1, 3), np.uint8), 0, 0.0)) == []
    assert finder.find(Frame(np.zeros((1, 3000, 3), np.uint8), 0, 0.0)) == []


def test_many_threads_may_ask_one_finder(square_file: Path) -> None:
    finder = Finder(square_file)
    frames = [white_at(60 + i, 100 + 3 * i, 8 * (i % 5), 16, 8) for i in range(40)]
    alone = [finder.find(frame)[0].box for frame in frames]
    with ThreadPoolExecutor(6) as pool:
        assert [found[0].box for found in pool.map(finder.find, frames)] == alone


def test_files_that_are_no_finder_are_refused_in_one_line(tmp_path: Path) -> None:
    bare = write_square_finder(tmp_path / "bare.onnx", card=None)
    odd = write_square_finder(tmp_path / "odd.onnx", card='{"role": "finder"}')
    landmarks = write_standin(tmp_path / "landmarks.onnx")
    for file in (bare, odd, landmarks, tmp_path / "none.onnx"):
        with pytest.raises(ModelError) as caught:
            Finder(file)
        assert "\n" not in str(caught.value)


def test_a_card_is_read_as_it_was_written(square_file: Path) -> None:
    assert read_finder_card(square_file) == CARD
    assert FinderCard.from_json(CARD.to_json()) == CARD
    for wrong in ("{}", "[]", "no", CARD.to_json().replace("finder", "tracking")):
        with pytest.raises(ModelError):
            FinderCard.from_json(wrong)


def test_a_detection_s_box_leads_to_the_crop_that_the_landmarks_place() -> None:
    """`detection_box` undoes `crop_from_detection`, for any size and roll."""
    markup = load_markup(68)
    for size, angle in ((60.0, 0.0), (140.0, 0.6), (33.0, -2.4)):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        points = markup.mean_shape[:, :2] @ turn.T * size + [200.0, 150.0]
        place = crop_from_landmarks(points, markup.mean_shape, 128)
        five = np.stack(
            [points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]]
        )
        back = crop_from_detection(Detection(detection_box(place, 128), 1.0, five), 128)
        assert back.scale == pytest.approx(place.scale, rel=1e-6)
        np.testing.assert_allclose(
            back.apply(np.array([[0.0, 0.0], [127.0, 127.0]])),
            place.apply(np.array([[0.0, 0.0], [127.0, 127.0]])),
            atol=0.02 * size,
        )
