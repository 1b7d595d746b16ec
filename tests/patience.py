"""How long a test waits for what must come: far longer than a machine at rest needs for it.

What is fast is measured by ``time.thread_time``, which does not run while others compute; the clock
on the wall bounds nothing but how long a test that hangs is left alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["PATIENCE_SECS", "came", "least_ms", "until"]

PATIENCE_SECS = 600.0


def came(happened: Callable[[], object], patience_secs: float = PATIENCE_SECS) -> bool:
    """Whether it came true in time; asked a hundred times a second."""
    end_secs = time.monotonic() + patience_secs
    while not happened():
        if time.monotonic() > end_secs:
            return bool(happened())
        time.sleep(0.01)
    return True


def until(happened: Callable[[], object]) -> None:
    """Wait until it is so."""
    assert came(happened), "it never came true"


def least_ms(work: Callable[[], object], times: int) -> float:
    """The processor time of this thread that the cheapest of so many runs took."""
    taken_secs = []
    for _ in range(times):
        start_secs = time.thread_time()
        work()
        taken_secs.append(time.thread_time() - start_secs)
    return 1e3 * min(taken_secs)
