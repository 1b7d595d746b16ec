"""The three pictures of docs/tour.md, made of the bundled clip: window, page and report.

Run from the root, with '.[web]' installed, Chromium and Xvfb on the machine:

    python benchmarks/tour_pictures.py
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import cv2
import numpy as np

from chromium import Chromium
from virtual_screen import VirtualScreen

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
MIEN = (sys.executable, "-c", "from mien.cli import main; import sys; main(sys.argv[1:])")
CLIP = Path(str(resources.files("mien"))) / "demo" / "clip.mp4"
_PAPER = (24, 28, 36)


def window(command: Sequence[str]) -> np.ndarray:
    """The window of ``mien live``, cut out of the screen; the head turned by then."""
    for _ in range(6):  # without a window manager Qt now and then waits for ever to be shown
        with VirtualScreen(760, 490) as screen:
            environment = os.environ | {"DISPLAY": screen.name}
            with subprocess.Popen([*MIEN, *command], env=environment) as live:
                end = time.monotonic() + 25
                while time.monotonic() < end and not _has_panel(screen.picture()):
                    time.sleep(0.1)
                time.sleep(1.5)
                picture = screen.picture()
                live.send_signal(signal.SIGINT)
            if _has_panel(picture):
                return picture[:480, :748]
    raise TimeoutError("no window was seen")


def _has_panel(picture: np.ndarray) -> bool:
    return int((picture == _PAPER).all(axis=2).sum()) > 20_000


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
            browser.wait("mien.message.time_secs > 1.6", 60)
            browser.run("document.getElementById('play').click()")
            browser.run("new Promise((done) => setTimeout(done, 300))")
            picture = browser.picture()
        server.send_signal(signal.SIGINT)
    return picture


def report(folder: Path) -> bytes:
    """The report of the clip, its first screen and a half."""
    for words in (
        ["track", str(CLIP), "--out", str(folder), "--no-overlay"],
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
        live = window(["live", str(CLIP), "--seconds", "60", "--model", "nano"])
        save("window", cv2.cvtColor(live, cv2.COLOR_RGB2BGR))
