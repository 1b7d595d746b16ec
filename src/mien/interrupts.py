"""Ctrl-C, ``kill`` and a terminal that is closed: they end a run alike, with whole files."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final

__all__ = [
    "INTERRUPTED",
    "exit_at_once",
    "raise_if_interrupted",
    "signals_answered",
    "was_interrupted",
]

INTERRUPTED: Final = 130
"""The exit code."""
_came: list[int] = []
"""Numbers of the signals that came since the command began."""


@contextlib.contextmanager
def signals_answered() -> Iterator[None]:
    """From here on each is a ``KeyboardInterrupt``."""
    _answer(_interrupt)
    try:
        yield
    finally:
        _came.clear()


def exit_at_once() -> None:
    """From here on each ends the process: while nothing is open yet, and an exception would end in
    whatever is loading."""
    _answer(lambda *_: os._exit(INTERRUPTED))


def was_interrupted() -> bool:
    """Whether one came since the command began."""
    return bool(_came)


def raise_if_interrupted() -> None:
    """Once more, where work goes on although one came: Python drops what is raised in a destructor
    or a callback of native code, and another error may have taken its place.

    Raises:
        KeyboardInterrupt: one came.
    """
    if _came:
        raise KeyboardInterrupt


def _answer(handler: Callable[[int, FrameType | None], None]) -> None:
    """A command that is told to ignore Ctrl-C (a shell's background job) or the closed terminal
    (``nohup``) goes on ignoring it."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _interrupt(number: int, stack: FrameType | None) -> None:
    _came.append(number)
    raise KeyboardInterrupt
