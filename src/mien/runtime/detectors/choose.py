"""The detector that a user's words name."""

from __future__ import annotations

from pathlib import Path

from mien.errors import ConfigError
from mien.runtime.detectors.boxes_csv import BoxesCsv
from mien.runtime.detectors.centerface import CenterFace
from mien.runtime.detectors.finder import Finder
from mien.runtime.detectors.yunet import YuNet
from mien.types import FaceFinder

__all__ = ["open_detector"]


def open_detector(words: str, threads: int | None = None) -> FaceFinder:
    """``centerface``, ``centerface:LONG_SIDE``, ``finder``, ``finder:LONG_SIDE``,
    ``finder:MODEL_FILE``, ``yunet:MODEL_FILE`` or ``boxes:FILE.csv``.

    Args:
        threads: of CenterFace; ``None``: all cores.

    Raises:
        ConfigError: none of these.
        ModelError, InputError: the file named cannot be used.
    """
    name, _, rest = words.partition(":")
    if name == "centerface" and not rest:
        return CenterFace(threads=threads)
    if name == "centerface" and rest.isdecimal() and int(rest) >= 64:
        return CenterFace(long_side=int(rest), threads=threads)
    if name == "finder" and rest.isdecimal() and int(rest) >= 64:
        return Finder.as_fine_as(int(rest))
    if name == "finder" and not rest.isdecimal():
        return Finder(Path(rest) if rest else None)
    if name == "yunet" and rest:
        return YuNet(Path(rest))
    if name == "boxes" and rest:
        return BoxesCsv(Path(rest))
    raise ConfigError(
        f"unknown detector {words!r}: expected centerface, centerface:LONG_SIDE (px, at least 64), "
        "finder, finder:LONG_SIDE, finder:MODEL_FILE, yunet:MODEL_FILE or boxes:FILE.csv"
    )
