"""A screen without a monitor (Xvfb), read as a person would see it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

__all__ = ["VirtualScreen", "find_xvfb"]


def find_xvfb() -> str | None:
    """The program's path; ``None`` where there is none."""
    return shutil.which("Xvfb")


class VirtualScreen:
    """Its ``name`` is what DISPLAY shall be."""

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        screen = f"{width}x{height}x24"
        words = ["Xvfb", "-displayfd", "1", "-noreset", "-fbdir", self._folder.name]
        self._process = subprocess.Popen(
            [*words, "-screen", "0", screen], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdout is not None
        self.name = f":{self._process.stdout.readline().decode().strip()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(300)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._folder.cleanup()

    def picture(self) -> np.ndarray:
        """(height, width, 3) RGB, from the screen's memory."""
        data = np.fromfile(Path(self._folder.name) / "Xvfb_screen0", np.uint8)
        # An X window dump: its header's length and number of colours, then the pixels, BGRX.
        header = data[:100].view(">u4")
        start = int(header[0]) + 12 * int(header[19])
        rows = data[start : start + 4 * self._width * self._height]
        return rows.reshape(self._height, self._width, 4)[:, :, 2::-1].copy()
