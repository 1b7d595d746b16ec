"""The pictures of docs/tour.md, made of the bundled clip: window, page, avatar and report.

Run from the root, with '.[web,avatar]' installed and Chromium on the machine:

    python benchmarks/tour_pictures.py
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path

import cv2
import numpy as np

from chromium import Chromium
from gltf_reader import GlbFile
from mien.geometry.metric_head import Camera
from mien.live import LiveOptions, open_live, run_live
from mien.live.recorder import Recorder
from mien.media import open_source
from mien.pipeline import TrackerParts
from mien.runtime import load_landmarkers, open_detector
from shaded import shaded

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
MIEN = (sys.executable, "-c", "from mien.cli import main; import sys; main(sys.argv[1:])")
CLIP = Path(str(resources.files("mien"))) / "demo" / "clip.mp4"
MOMENTS = (0.5, 1.7, 4.2)
"""Seconds: a blink, and the head turned to either side."""

SHOWS = 40
"""Pictures of the window until the head is turned."""
PAGE_SECS = 1.72
"""Where the page's player stands."""


class _Screen:
    """Keeps the picture of a moment, and closes the window after it."""

    def __init__(self, shows: int) -> None:
        self._left, self.picture = shows, np.zeros((1, 1, 3), np.uint8)

    def show(self, image_rgb: np.ndarray) -> str:
        self.picture, self._left = image_rgb, self._left - 1
        return "q" if self._left <= 0 else ""

    def close(self) -> None:
        pass


def window(folder: Path) -> np.ndarray:
    """What ``mien live`` puts into its window, the head turned by then."""
    pair = load_landmarkers("nano", points=68, threads=1)
    tracker = TrackerParts(pair, open_detector("centerface")).tracker()
    screen = _Screen(SHOWS)
    with open_live(str(CLIP), size=None, rate=None, again=True) as source:
        recorder = Recorder(folder, "live", pair.markup, source.rate)
        run_live(source, tracker, pair.markup, recorder, screen, LiveOptions())
    return screen.picture


def avatar(folder: Path) -> np.ndarray:
    """Three moments of the clip, and below them the head of the glb that was written of it."""
    words = ["track", str(CLIP), "--out", str(folder), "--format", "glb", "--no-overlay"]
    subprocess.run([*MIEN, *words], check=True)
    head = GlbFile(folder / "clip.face-0.glb")
    frames = [frame for frame, _ in zip(open_source(str(CLIP)), range(140), strict=False)]
    pairs = []
    for moment_secs in MOMENTS:
        frame = min(frames, key=lambda one: abs(one.time_secs - moment_secs))
        height, width = frame.image_rgb.shape[:2]
        camera = Camera.of_picture(width, height)
        space_cm = head.vertices(frame.time_secs) * [100, -100, -100]
        depth = space_cm[:, 2] * camera.focal_px / space_cm[:, 2].mean()
        drawn = np.column_stack([camera.project(space_cm), depth])
        drawn = shaded(drawn, head.triangles(), (width, height))
        pairs.append(np.vstack([frame.image_rgb, drawn]))
    picture = np.hstack(pairs)
    size = (960, round(960 * picture.shape[0] / picture.shape[1]))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def page() -> bytes:
    """The page with the clip followed, playing."""
    command = [*MIEN, "serve", "--port", "0", "--model", "fast"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().split()[1]
        with Chromium(size=(1180, 880)) as browser:
            browser.open(address)
            browser.choose_files("#file", [CLIP])
            browser.wait("mien.done", 120)
            browser.wait("document.getElementById('play').textContent === '❚❚'", 60)
            browser.run("document.getElementById('play').click()")
            browser.run(
                f"(seek => {{ seek.value = {PAGE_SECS}; seek.dispatchEvent(new Event('input')); }})"
                "(document.getElementById('seek'))"
            )
            browser.wait(f"Math.abs(mien.message.time_secs - {PAGE_SECS}) < 0.03", 60)
            browser.run("new Promise((done) => setTimeout(done, 300))")
            picture = browser.picture()
        server.send_signal(signal.SIGINT)
    return picture


def report(folder: Path) -> bytes:
    """The report of the clip, its first screen and a half."""
    for words in (
        ["track", str(CLIP), "--out", str(folder), "--no-overlay", "--blendshapes"],
        ["report", str(folder / "clip.csv"), "--video", str(CLIP)],
    ):
        subprocess.run([*MIEN, *words], check=True)
    with Chromium(size=(1000, 1500)) as browser:
        browser.open((folder / "clip.report.html").as_uri())
        return browser.picture()


def save(name: str, picture: np.ndarray) -> None:
    """As JPEG: the pictures show a photo."""
    path = IMAGES / f"tour-{name}.jpg"
    cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, 86])
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} kB")


def decoded(png: bytes) -> np.ndarray:
    return np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        save("report", decoded(report(Path(temporary))))
        save("page", decoded(page()))
        save("avatar", cv2.cvtColor(avatar(Path(temporary)), cv2.COLOR_RGB2BGR))
        save("window", cv2.cvtColor(window(Path(temporary)), cv2.COLOR_RGB2BGR))
