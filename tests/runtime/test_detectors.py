"""Detectors: the decoding against a synthetic head, the whole against a real face."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.errors import ConfigError, InputError, MienError, ModelError
from mien.runtime.detectors import BoxesCsv, CenterFace, Finder, YuNet, open_detector
from mien.runtime.detectors.centerface import HeadMaps, decode_heads
from mien.types import Detection, Frame

SHARES = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])


def empty_maps(rows: int = 10, cols: int = 12) -> HeadMaps:
    return HeadMaps(
        np.zeros((rows, cols), np.float32),
        np.zeros((2, rows, cols), np.float32),
        np.zeros((2, rows, cols), np.float32),
        np.zeros((10, rows, cols), np.float32),
    )


def put(maps: HeadMaps, left: float, top: float, width: float, height: float, score: float) -> None:
    """Encode a box, in pixels with centres at integers, as the network was taught to."""
    centre_y, centre_x = top + height / 2 + 0.5, left + width / 2 + 0.5
    row, col = int(centre_y / 4), int(centre_x / 4)
    maps.heat[row, col] = score
    maps.scale[:, row, col] = np.log([height / 4, width / 4])
    maps.offset[:, row, col] = centre_y / 4 - row - 0.5, centre_x / 4 - col - 0.5
    maps.landmarks[:, row, col] = SHARES[:, ::-1].ravel()


def test_a_head_is_decoded_to_the_box_it_encodes() -> None:
    maps = empty_maps()
    put(maps, 10.25, 7.5, 17.0, 21.0, 0.8)
    (found,) = decode_heads(maps, 0.5, 0.3)
    assert found.score == pytest.approx(0.8)
    box = found.box
    np.testing.assert_allclose(
        [box.left, box.top, box.right, box.bottom], [10.25, 7.5, 27.25, 28.5], atol=1e-5
    )
    expected = np.array([10.25, 7.5]) + SHARES * [17, 21]
    np.testing.assert_allclose(found.five_points, expected, atol=1e-4)


def test_the_weaker_of_two_overlapping_boxes_goes_and_the_order_is_by_score() -> None:
    maps = empty_maps()
    put(maps, 2, 2, 12, 12, 0.6)
    put(maps, 26, 20, 12, 12, 0.9)
    put(maps, 30, 20, 12, 12, 0.7)
    found = decode_heads(maps, 0.5, 0.3)
    assert [round(one.score, 2) for one in found] == [0.9, 0.6]
    assert [round(one.score, 2) for one in decode_heads(maps, 0.5, 0.6)] == [0.9, 0.7, 0.6]
    assert decode_heads(maps, 0.95, 0.3) == []


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    import skimage.data  # a photo by NASA, inside scikit-image's wheel

    return np.asarray(skimage.data.astronaut())


@pytest.fixture(scope="module")
def detector() -> CenterFace:
    return CenterFace()


def corners(found: Detection) -> np.ndarray:
    assert found.five_points is not None
    box = found.box
    return np.array([[box.left, box.top], [box.right, box.bottom], *found.five_points])


def look(detector: CenterFace, image_rgb: np.ndarray) -> Sequence[Detection]:
    return detector.find(Frame(image_rgb, 0, 0.0))


def test_a_real_face_is_found_where_it_is(detector: CenterFace, portrait: np.ndarray) -> None:
    (found,) = look(detector, portrait)
    assert found.score > 0.8
    # Eyes, nose tip and mouth corners as seen by eye in the picture.
    truth = [[203, 101], [246, 104], [223, 124], [203, 142], [241, 144]]
    np.testing.assert_allclose(corners(found)[2:], truth, atol=4)


def test_a_mirrored_face_is_found_in_the_mirrored_place(
    detector: CenterFace, portrait: np.ndarray
) -> None:
    (found,), (twin,) = (
        look(detector, portrait),
        detector.find(Frame(portrait[:, ::-1].copy(), 0, 0.0)),
    )
    back = corners(twin)
    back[:, 0] = portrait.shape[1] - 1 - back[:, 0]
    back[:2, 0] = back[1::-1, 0]
    back[2:] = back[[3, 2, 4, 6, 5]]
    assert np.abs(back - corners(found)).mean() < 2.5


def test_the_place_does_not_hang_on_the_picture_s_size(
    detector: CenterFace, portrait: np.ndarray
) -> None:
    """Both are searched at the same working size; odd sides and borders must not shift it."""
    large = cv2.resize(portrait, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    (found,), (twin,) = look(detector, portrait), look(detector, large)
    assert np.abs((corners(twin) + 0.5) / 2 - 0.5 - corners(found)).max() < 1.0
    (cut,) = look(detector, portrait[:301, :333].copy())
    assert np.abs(corners(cut) - corners(found)).max() < 5


def test_six_threads_may_ask_one_detector(detector: CenterFace, portrait: np.ndarray) -> None:
    """Sixty answers at once are the serial ones."""
    places = [(10 * (index % 6), 6 * (index // 6)) for index in range(60)]
    pictures = [np.ascontiguousarray(portrait[y:, x:]) for x, y in places]
    alone = [corners(look(detector, picture)[0]) for picture in pictures]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda picture: look(detector, picture), pictures))
    for serial, (found, *_) in zip(alone, together, strict=True):
        np.testing.assert_array_equal(corners(found), serial)


def test_a_picture_without_a_face_and_a_tiny_one(detector: CenterFace) -> None:
    assert look(detector, np.zeros((240, 320, 3), np.uint8)) == []
    assert look(detector, np.zeros((1, 1, 3), np.uint8)) == []


def test_boxes_from_a_table(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    path.write_text("frame,left,top,right,bottom\n0,1,2,3,4\n2,5,6,7,8\n2,1,1,2,2\n")
    boxes = open_detector(f"boxes:{path}")
    assert isinstance(boxes, BoxesCsv)
    picture = np.zeros((9, 9, 3), np.uint8)
    counts = {index: len(boxes.find(Frame(picture, index, 0.0))) for index in (2, 0, 3, 1)}
    assert counts == {0: 1, 1: 0, 2: 2, 3: 0}


@pytest.mark.parametrize(
    "text", ["frame,left,top\n0,1,2\n", "frame,left,top,right,bottom\n0,9,2,3,4\n", "", "\0\0"]
)
def test_a_table_that_is_none_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "boxes.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        BoxesCsv(path)
    assert "\n" not in str(caught.value)


def test_words_that_name_no_detector_are_refused(tmp_path: Path) -> None:
    for words in ("", "haar", "yunet", "boxes:", "centerface:big", "centerface:3"):
        with pytest.raises(ConfigError, match="unknown detector"):
            open_detector(words)
    with pytest.raises(MienError):
        open_detector(f"boxes:{tmp_path / 'none.csv'}")
    assert isinstance(open_detector("centerface:256"), CenterFace)


def test_yunet_says_what_is_wrong_with_its_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        YuNet(tmp_path / "none.onnx")
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"not a network")
    with pytest.raises(ModelError) as caught:
        YuNet(bad)
    assert "\n" not in str(caught.value)


class RedSquares:
    """Stands in for OpenCV's YuNet: the red squares of a BGR picture, in its rows of 15 numbers."""

    def __init__(self) -> None:
        self.size = (0, 0)

    def setInputSize(self, size: tuple[int, int]) -> None:  # noqa: N802 - OpenCV's name
        self.size = size

    def detect(self, image_bgr: np.ndarray) -> tuple[int, np.ndarray | None]:
        assert self.size in ((0, 0), image_bgr.shape[1::-1])
        count, _, stats, centres = cv2.connectedComponentsWithStats(
            (image_bgr[..., 2] > 200).astype(np.uint8)
        )
        if count == 1:
            return 1, None
        boxes = stats[1:, :4].astype(np.float32)  # left, top, width, height of what is not ground
        scores = boxes[:, 2:3] / 100  # the larger, the surer
        rows = np.concatenate([boxes, np.tile(centres[1:] + 0.5, 5), scores], axis=1)
        return 1, rows[np.argsort(scores[:, 0])].astype(np.float32)


def test_yunet_s_rows_are_faces_in_pixels_of_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2.FaceDetectorYN, "create", lambda *_: RedSquares())
    (tmp_path / "yunet.onnx").write_bytes(b"for the stand-in")
    yunet = open_detector(f"yunet:{tmp_path / 'yunet.onnx'}")
    picture = np.zeros((960, 1280, 3), np.uint8)
    picture[..., 2] = 255  # blue: taken for red where the order of the colours is wrong
    assert yunet.find(Frame(picture, 0, 0.0)) == []
    picture[100:140, 200:240] = picture[500:580, 900:980] = 255, 0, 0
    found = yunet.find(Frame(picture, 0, 0.0))
    assert [one.score for one in found] == pytest.approx([0.4, 0.2])  # of the halved picture
    for one, (left, top, side) in zip(found, ((900, 500, 80), (200, 100, 40)), strict=True):
        ends = np.array([[left, top], [left + side, top + side]]) - 0.5
        np.testing.assert_allclose(corners(one)[:2], ends)
        np.testing.assert_allclose(corners(one)[2:], np.tile(ends.mean(axis=0), (5, 1)))
    small = np.ascontiguousarray(picture[90:150, 190:250])  # is not made larger
    (only,) = yunet.find(Frame(small, 0, 0.0))
    np.testing.assert_allclose(corners(only)[:2], [[9.5, 9.5], [49.5, 49.5]])


def test_a_finder_looks_as_finely_as_its_words_say() -> None:
    fine = open_detector("finder:256")
    assert isinstance(fine, Finder)
    for words in ("finder:63", "finder:0"):
        with pytest.raises(ConfigError, match="unknown detector"):
            open_detector(words)
