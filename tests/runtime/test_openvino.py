"""A model run by OpenVINO gives what onnxruntime gives, up to its number format."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

import mien
from mien.errors import ConfigError, ModelError
from mien.geometry import crop_from_box
from mien.media import open_source
from mien.runtime import find_weights, load_landmarkers
from mien.runtime.openvino_engine import OpenVinoNetwork
from mien.runtime.weights import absolute_model
from mien.types import Frame

FAR = 0.004
"""Face sizes that bfloat16 may move a point; without it a hundredth of that is usual."""

needs_openvino = pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None,
    reason="the extra [openvino] is not here",
)


@pytest.fixture(scope="module")
def frame() -> Frame:
    clip = resources.files("mien") / "demo" / "clip.mp4"
    with resources.as_file(clip) as path, open_source(str(path)) as source:
        return next(iter(source))


def test_the_engine_is_part_of_the_models_name(standin_model: Path) -> None:
    assert find_weights("nano").engine == "onnxruntime"
    paths = find_weights("nano:openvino")
    assert paths.engine == "openvino"
    assert paths.tracking == find_weights("nano").tracking
    assert find_weights(f"{standin_model}:openvino").tracking == standin_model
    for words in ("nano:tensorrt", ":openvino", "nonesuch:openvino"):
        with pytest.raises(ModelError, match="unknown model"):
            find_weights(words)


def test_a_misspelt_engine_is_told_which_there_is() -> None:
    with pytest.raises(ModelError, match=":openvino may follow"):
        find_weights("fast:OpenVINO")


def test_a_model_is_the_same_from_whichever_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one.onnx", "two-detection.onnx", "two-tracking.onnx"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    for words in ("one.onnx", "one.onnx:openvino", "two", "two:openvino"):
        assert absolute_model(words) == f"{tmp_path}/{words}"
        assert find_weights(absolute_model(words)) == find_weights(f"{tmp_path}/{words}")
    for words in ("fast", "nano:openvino", "nonesuch"):
        assert absolute_model(words) == words


def test_without_the_extra_one_line_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ConfigError, match=r"pip install 'mien\[openvino\]'"):
        load_landmarkers("nano:openvino", threads=1)


@needs_openvino
@pytest.mark.parametrize("model", ["nano", "fast"])
def test_points_are_those_of_onnxruntime(model: str, frame: Frame) -> None:
    face = mien.find_faces(frame.image_rgb, mien.load_tracker(model, threads=1))[0]
    crop = crop_from_box(face.box, load_landmarkers(model, threads=1).first.side)
    size = np.sqrt(face.box.width * face.box.height)
    ours, theirs = (load_landmarkers(f"{model}{end}", threads=2) for end in ("", ":openvino"))
    for count in (1, 3):  # the graph for one face, and that for any number
        seen, other = (
            pair.first.predict(frame.image_rgb, [crop] * count) for pair in (ours, theirs)
        )
        for one, two in zip(seen, other, strict=True):
            moved = np.abs(one.landmarks.points_image - two.landmarks.points_image).max()
            assert moved < FAR * size
            assert abs(one.score - two.score) < 0.01
            np.testing.assert_allclose(
                two.landmarks.confidence, one.landmarks.confidence, atol=0.02
            )


@needs_openvino
def test_threads_at_once_do_not_mix_their_answers(frame: Frame) -> None:
    paths = find_weights("nano")
    card = load_landmarkers("nano", threads=1).following.card
    network = OpenVinoNetwork(paths.tracking, threads=2, lanes=2)
    rng = np.random.default_rng(3)
    crops = [rng.integers(0, 256, (1, card.side, card.side, 3), dtype=np.uint8) for _ in range(40)]

    def points(one: np.ndarray) -> np.ndarray:
        return network.run(["points"], {"crops": one})[0]

    alone = [points(one) for one in crops]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(points, crops))
    np.testing.assert_array_equal(together, alone)


@needs_openvino
def test_no_socket_is_opened() -> None:
    program = """
import socket
def refuse(*args, **kwargs):
    print("a socket was opened", flush=True)
    raise OSError
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
import numpy as np, mien
tracker = mien.load_tracker("nano:openvino", threads=1)
tracker.update(np.zeros((64, 64, 3), np.uint8))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == done.stderr == ""


@needs_openvino
def test_a_file_it_cannot_run_is_one_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.onnx"
    bad.write_text("weights? no.")
    with pytest.raises(ModelError, match=r"OpenVINO cannot run .*bad\.onnx") as caught:
        OpenVinoNetwork(bad, 1, 1)
    assert "\n" not in str(caught.value)
