"""OpenCV's window, where there is one."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import UInt8

from mien.errors import ConfigError

__all__ = ["Screen", "Window", "require_window"]

_TITLE = "mien live"
_TRIAL = "import cv2; cv2.namedWindow('mien'); cv2.waitKey(1); cv2.destroyAllWindows()"
_ADVICE = "mien serve shows the same in a browser, and --no-window only measures"


@runtime_checkable
class Screen(Protocol):
    """Takes pictures, gives keys."""

    def show(self, image_rgb: UInt8[np.ndarray, "height width 3"]) -> str:
        """Show it; the key that was pressed, empty if none, ``q`` if the window was closed."""

    def close(self) -> None: ...


def require_window() -> None:
    """See whether a window can be opened, in a process of its own: a missing display ends it.

    Raises:
        ConfigError: it cannot.
    """
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        raise ConfigError(f"there is no display for a window (DISPLAY is not set); {_ADVICE}")
    try:
        done = subprocess.run(
            [sys.executable, "-c", _TRIAL], capture_output=True, timeout=30, check=False
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(f"the display does not answer; {_ADVICE}") from None
    if done.returncode:
        raise ConfigError(
            "OpenCV cannot open a window here: it is the headless build that mien comes with "
            "('pip install --force-reinstall opencv-python' brings the other), or no display "
            "answers; "
            f"{_ADVICE}"
        )


class Window:
    """A window that a person can size and close."""

    def __init__(self) -> None:
        self._is_new = True

    def show(self, image_rgb: UInt8[np.ndarray, "height width 3"]) -> str:
        if self._is_new:
            # Without the tool bar that OpenCV's Qt windows come with.
            cv2.namedWindow(_TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_GUI_NORMAL)
            cv2.resizeWindow(_TITLE, image_rgb.shape[1], image_rgb.shape[0])
            self._is_new = False
        cv2.imshow(_TITLE, cv2.cvtColor(image_rgb, cv2.COLOR_RGB2BGR))
        key = cv2.waitKey(1)
        if cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) < 1:
            return "q"
        return "q" if key & 0xFF == 27 else chr(key & 0xFF) if key >= 0 else ""

    def close(self) -> None:
        if not self._is_new:
            cv2.destroyAllWindows()
