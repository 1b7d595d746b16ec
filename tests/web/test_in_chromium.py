"""The page in a real browser: a webcam that plays a still face, and a video dropped on it."""

from __future__ import annotations

import base64
import importlib
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

import mien
from mien.cli import main
from mien.media import open_source
from patience import PATIENCE_SECS

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
chromium = importlib.import_module("chromium")
gltf_reader = importlib.import_module("gltf_reader")
raster = importlib.import_module("mien.synthesis.head.raster")
pytestmark = pytest.mark.skipif(
    chromium.find_chromium() is None, reason="no chromium here: apt-get install chromium"
)
CLIP = Path(str(resources.files("mien"))) / "demo" / "clip.mp4"


@pytest.fixture
def address() -> Iterator[str]:
    code = "from mien.cli import main; main(['serve', '--port', '0', '--model', 'nano'])"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout is not None
        yield one.stdout.readline().split()[1]
        one.send_signal(signal.SIGINT)
        assert one.wait(PATIENCE_SECS) == 130


def write_camera(path: Path, image_rgb: np.ndarray) -> Path:
    """A still webcam: what time the browser reads it does not matter."""
    with av.open(str(path), "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.height, stream.width = image_rgb.shape[:2]
        stream.pix_fmt, stream.options = "yuvj420p", {"qmin": "2", "qmax": "2"}
        for index in range(5):
            picture = av.VideoFrame.from_ndarray(image_rgb, format="rgb24")
            picture.pts, picture.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def test_the_webcams_numbers_are_the_trackers(address: str, tmp_path: Path) -> None:
    with open_source(CLIP) as source:
        still = next(iter(source))
    tracker = mien.load_tracker("nano")
    for index in range(12):
        (face,) = tracker.update(mien.Frame(still.image_rgb, index, index / 10))
    with chromium.Chromium(camera=write_camera(tmp_path / "cam.mjpeg", still.image_rgb)) as browser:
        browser.open(address)
        browser.wait("mien.about !== null")
        browser.run("document.getElementById('camera').click()")
        browser.wait("mien.message && mien.message.frame >= 12 && mien.message.faces.length")
        told = browser.run("mien.message.faces[0]")
        shown = browser.run("document.getElementById('yaw').textContent")
        size = browser.run("mien.message.size")
        lacking = browser.run("document.getElementById('absent').textContent")
        assert browser.said == []
    assert lacking.startswith("Not in this model: ")
    assert "eyeLookUpLeft" in lacking
    # The browser may scale its camera; JPEG is written twice on the way.
    scale = np.array(size) / still.image_rgb.shape[1::-1]
    assert scale[0] == pytest.approx(scale[1], rel=0.02)
    points = np.array(told["points"]).reshape(-1, 3)[:, :2] / scale
    apart = np.linalg.norm(points - face.landmarks.points_image[:, :2], axis=1)
    assert apart.mean() < 0.01 * np.sqrt(face.box.width * face.box.height)
    expected = (face.pose.yaw_deg, face.pose.pitch_deg, face.pose.roll_deg)
    np.testing.assert_allclose(told["pose_deg"], expected, atol=1.0)
    assert float(re.sub("[^-0-9.]", "", shown)) == pytest.approx(face.pose.yaw_deg, abs=1.1)


def test_a_dropped_video_gives_mien_tracks_table(address: str, tmp_path: Path) -> None:
    clip = tmp_path / "a clip.mp4"
    clip.write_bytes(CLIP.read_bytes())
    words = ["--model", "nano", "--no-overlay", "--blendshapes"]
    with pytest.raises(SystemExit):
        main(["track", str(clip), "--out", str(tmp_path), *words])
    with chromium.Chromium() as browser:
        browser.open(address)
        browser.choose_files("#file", [clip])
        browser.wait("mien.done")
        table = browser.run("fetch(document.getElementById('table').href).then((a) => a.text())")
        assert browser.run("document.getElementById('table').download") == "a clip.csv"
        # Played in the browser, each picture has the points of its own frame.
        browser.wait("mien.message && mien.message.frame > 3")
        numbers = browser.run("mien.frames.map((one) => one.faces[0].pose_deg[0])")
        assert browser.said == []
    assert table == (tmp_path / "a clip.csv").read_text()
    lines = [line.split(",") for line in table.splitlines()]
    yaw = lines[0].index("yaw_deg")
    assert [float(line[yaw]) for line in lines[1:]] == numbers


def test_the_page_draws_the_head_of_a_video(address: str, tmp_path: Path) -> None:
    """Weights, turn and outline in WebGL are those of the file as another reader has it."""
    with chromium.Chromium() as browser:
        browser.open(address)
        browser.choose_files("#file", [CLIP])
        browser.wait("mien.done && mien.heads.length === 1")
        browser.run("document.getElementById('show-avatar').click()")
        browser.wait("mien.avatar.time > 0")
        browser.run("document.getElementById('play').click()")
        browser.wait("document.getElementById('play').textContent === '▶'")
        data = browser.run(
            "fetch(document.getElementById('glb').href).then((a) => a.arrayBuffer())"
            ".then((a) => Array.from(new Uint8Array(a), (b) => String.fromCharCode(b)))"
            ".then((a) => btoa(a.join('')))"
        )
        path = tmp_path / "head.glb"
        path.write_bytes(base64.b64decode(data))
        read = gltf_reader.GlbFile(path)
        for moment in (0.5, 1.7, 4.2):
            browser.run(f"mien.avatar.draw({moment})")
            picture, weights = browser.run(
                "[mien.avatar.canvas.toDataURL().split(',')[1],"
                f"Array.from(mien.avatar.glb.weights({moment}))]"
            )
            np.testing.assert_allclose(weights, read.weights(moment), atol=1e-5)
            drawn = cv2.imdecode(np.frombuffer(base64.b64decode(picture), np.uint8), -1)
            shown, expected = drawn[..., 3] > 127, outline(read, moment, drawn.shape[:2])
            assert 0.2 < expected.mean() < 0.8
            assert (shown & expected).sum() / (shown | expected).sum() > 0.97
        name = browser.run("document.getElementById('glb').download")
        gone = browser.run("fetch(mien.results + 'face-7.glb').then((a) => a.status)")
        faults = [one for one in browser.said if "WebGL" not in one and "404" not in one]
    assert (name, gone) == ("clip.face-0.glb", 404)
    assert faults == []


def outline(read: Any, moment: float, size: tuple[int, int]) -> np.ndarray:
    """Where a pinhole a metre before the head sees it; 17 cm are half the picture's height."""
    height, width = size
    space = read.vertices(moment) - read.place(moment)
    nearer = 1 / (1 - space[:, 2:])
    per_m = height / 2 / 0.17 * min(1, width / height)
    places = space[:, :2] * nearer * per_m * [1, -1] + [width / 2 - 0.5, height / 2 - 0.5]
    points = np.column_stack([places, -space[:, 2] * per_m]).astype(np.float32)
    seen = raster.rasterise(points, read.triangles().astype(np.int64), height, width)
    mask = np.zeros(height * width, bool)
    mask[seen.pixel] = True
    return mask.reshape(height, width)
