"""``docs/onnx.md``: its code, run as it stands, against mien's own numbers."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.geometry import crop_from_detection, crop_from_landmarks, warp_crop
from mien.media import open_source
from mien.runtime import load_landmarkers, open_detector
from mien.runtime.weights import find_weights

_PAGE = Path(__file__).parents[2] / "docs" / "onnx.md"


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, str(_PAGE), "exec"), names)
    return names


def test_the_page_gives_what_mien_gives(page: dict[str, Any]) -> None:
    files = resources.files("mien")
    markup = json.loads(files.joinpath("markup/menpo84.json").read_text(encoding="utf-8"))
    mean_shape = np.array(markup["mean_shape"])
    with open_source(str(files.joinpath("demo/clip.mp4"))) as source:
        frame = next(iter(source))
    (face,) = open_detector("centerface").find(frame)
    paths = find_weights("nano")
    detection = page["open_network"](str(paths.detection))
    tracking = page["open_network"](str(paths.tracking))
    pair = load_landmarkers("nano", points=84, threads=1)
    assert (detection[1], tracking[1]) == (pair.first.side, pair.following.side)

    box = (face.box.left, face.box.top, face.box.right, face.box.bottom)
    points, confidence, score, matrix = page["first_frame"](
        frame.image_rgb, box, face.five_points, detection, tracking, mean_shape
    )
    rough = crop_from_detection(face, pair.first.side)
    (ours,) = pair.refine(frame.image_rgb, [rough])
    np.testing.assert_allclose(points, ours.landmarks.points_image, atol=0.02)
    np.testing.assert_allclose(confidence, ours.landmarks.confidence, atol=1e-3)
    assert score == pytest.approx(ours.score, abs=1e-3)

    place = crop_from_landmarks(
        ours.landmarks.points_image, pair.following.mean_shape, pair.following.side
    )
    assert place.scale < 2, "the page leaves the shrinking of larger faces to the reader"
    np.testing.assert_allclose(matrix, place.matrix, atol=0.02)
    assert warp_crop(frame.image_rgb, place, tracking[1]).any()
    (again,) = pair.following.predict(frame.image_rgb, [place])
    followed, _, _, _ = page["follow"](frame.image_rgb, matrix, tracking, mean_shape)
    np.testing.assert_allclose(followed, again.landmarks.points_image, atol=0.05)
