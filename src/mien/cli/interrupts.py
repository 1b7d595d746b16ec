"""Ctrl-C, ``kill`` and a terminal that is closed: they end a run alike, with whole files."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import Final

__all__ = ["INTERRUPTED", "raise_if_interrupted", "signals_answered", "was_interrupted"]

INTERRUPTED: Final = 130
"""The exit code."""
_came: list[int] = []
"""Numbers of the signals that came since the command began."""


@contextlib.contextmanager
def signals_answered() -> Iterator[None]:
    """From here on each is a ``KeyboardInterrupt``. A command that is told to ignore Ctrl-C (a
    shell's background job) or the closed terminal (``nohup``) goes on ignoring it."""
    signal.signal(signal.SIGTERM, _interrupt)
    for name in ("SIGINT", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    try:
        yield
    finally:
        _came.clear()


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


def _interrupt(number: int, stack: object) -> None:
    _came.append(number)
    raise KeyboardInterrupt
