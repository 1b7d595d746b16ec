"""Ctrl-C, ``kill`` and a terminal that is closed: they end a run alike, with whole files.

This is the first code of mien that a command runs, so it loads nothing: whoever interrupts Python
before it sees Python's own traceback, and every module more would lengthen that moment.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # of ``typing``, which would take longer than all of this
if TYPE_CHECKING:
    from typing import Final

try:
    import _signal as signals  # what ``signal`` is made of, and in the interpreter itself
except ImportError:  # another Python than CPython
    import signal as signals

__all__ = [
    "INTERRUPTED",
    "exit_at_once",
    "raise_if_interrupted",
    "signals_answered",
    "signals_awaited",
    "signals_left_to_the_parent",
    "was_interrupted",
]

INTERRUPTED: Final = 130
"""The exit code."""
_OF_TERMINALS = ("SIGINT", "SIGHUP")
"""A terminal sends them to all processes at once. Windows has no SIGHUP."""
_came: list[int] = []
"""Numbers of the signals that came since the command began."""


class signals_answered:  # noqa: N801  (used as contextlib's are)
    """From here on each is a ``KeyboardInterrupt``."""

    def __enter__(self) -> None:
        _answer_by(_interrupt)

    def __exit__(self, *error: object) -> None:
        _came.clear()


class signals_awaited:  # noqa: N801
    """For starting another process: it is born deaf to the terminal's signals, and stays so until
    it calls :func:`signals_left_to_the_parent`. This process hears of them when the block ends."""

    def __enter__(self) -> None:
        if hasattr(signals, "pthread_sigmask"):
            from multiprocessing import resource_tracker

            resource_tracker.ensure_running()  # started in the block, it would end the masking
        self._before = _mask("SIG_BLOCK")

    def __exit__(self, *error: object) -> None:
        if self._before is not None:
            signals.pthread_sigmask(signals.SIG_SETMASK, self._before)


def signals_left_to_the_parent() -> None:
    """In a process started under :class:`signals_awaited`: the terminal's signals are the parent's
    to answer."""
    for number in _numbers(_OF_TERMINALS):
        signals.signal(number, signals.SIG_IGN)
    _mask("SIG_UNBLOCK")


def exit_at_once() -> None:
    """From here on each ends the process: while nothing is open, and an exception would end in
    whatever is loading or being torn down."""
    _answer_by(_exit)


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


def _answer_by(handler: object) -> None:
    """A command that is told to ignore Ctrl-C (a shell's background job) or the closed terminal
    (``nohup``) goes on ignoring it."""
    for number in _numbers((*_OF_TERMINALS, "SIGTERM")):
        if signals.getsignal(number) != signals.SIG_IGN:
            signals.signal(number, handler)


def _numbers(names: tuple[str, ...]) -> list[int]:
    every = (getattr(signals, name, None) for name in names)
    return [number for number in every if number is not None]


def _mask(how: str) -> object:
    """What was masked before; ``None`` on Windows, where nothing is."""
    if not hasattr(signals, "pthread_sigmask"):
        return None
    return signals.pthread_sigmask(getattr(signals, how), _numbers(_OF_TERMINALS))


def _exit(number: int, stack: object) -> None:
    os._exit(INTERRUPTED)


def _interrupt(number: int, stack: object) -> None:
    _came.append(number)
    raise KeyboardInterrupt
