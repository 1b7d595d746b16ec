"""OpenCV's window, with OpenCV's calls stood in for: what is shown, which keys, and how it ends."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest

from mien.errors import ConfigError
from mien.live import Screen, Window, require_window


class Desk:
    """Where windows would stand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.key, self.visible = -1, 1.0
        self.sizes: list[tuple[int, int]] = []
        self.shown: list[np.ndarray] = []
        self.opened = self.closed = 0
        for name in ("namedWindow", "resizeWindow", "imshow", "waitKey", "destroyAllWindows"):
            monkeypatch.setattr(cv2, name, getattr(self, name))
        monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: self.visible)

    def namedWindow(self, *_: object) -> None:  # noqa: N802 - these are OpenCV's names
        self.opened += 1

    def resizeWindow(self, _: str, width: int, height: int) -> None:  # noqa: N802
        self.sizes.append((width, height))

    def imshow(self, _: str, image_bgr: np.ndarray) -> None:
        self.shown.append(image_bgr)

    def waitKey(self, _: int) -> int:  # noqa: N802
        return self.key

    def destroyAllWindows(self) -> None:  # noqa: N802
        self.closed += 1


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


RED = np.zeros((30, 40, 3), np.uint8)
RED[..., 0] = 255


def test_the_window_is_as_large_as_its_first_picture_and_shows_its_colours(desk: Desk) -> None:
    window = Window()
    assert isinstance(window, Screen)
    assert [window.show(RED), window.show(RED[:20])] == ["", ""]
    assert (desk.opened, desk.sizes) == (1, [(40, 30)])  # a person may size it afterwards
    assert [picture.shape for picture in desk.shown] == [(30, 40, 3), (20, 40, 3)]
    assert desk.shown[0][0, 0].tolist() == [0, 0, 255]
    window.close()
    assert desk.closed == 1


@pytest.mark.parametrize(
    ("code", "key"), [(-1, ""), (ord("r"), "r"), (0x100000 | ord("m"), "m"), (27, "q")]
)
def test_keys_and_escape(desk: Desk, code: int, key: str) -> None:
    desk.key = code  # with num lock, GTK's have a bit above the letter
    assert Window().show(RED) == key


def test_a_window_that_was_closed_ends_whatever_key_was_pressed(desk: Desk) -> None:
    desk.key, desk.visible = ord("r"), 0.0
    assert Window().show(RED) == "q"


def test_a_window_that_was_never_shown_closes_none(desk: Desk) -> None:
    Window().close()
    assert desk.closed == 0


def test_a_display_that_is_missing_or_silent_or_refuses_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(ConfigError, match="DISPLAY is not set"):
        require_window()
    monkeypatch.setenv("DISPLAY", ":9")
    codes = [0, 1]

    def trial(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        if not codes:
            raise subprocess.TimeoutExpired(command, 30)
        return subprocess.CompletedProcess(command, codes.pop(0))

    monkeypatch.setattr(subprocess, "run", trial)
    require_window()
    for words in ("OpenCV cannot open a window here", "the display does not answer"):
        with pytest.raises(ConfigError, match=words) as told:
            require_window()
        assert "\n" not in str(told.value)
