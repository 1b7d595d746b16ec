"""What every output has in common: it takes frames with their faces until it is closed."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from mien.errors import OutputError
from mien.types import Face, Frame

__all__ = ["Sink"]

_log = logging.getLogger(__name__)


class Sink(ABC):
    """Takes frames in order, and on closing leaves a readable file under its final name.

    Leaving the ``with`` block closes it, also by an error or Ctrl-C: what was written until then
    is kept.
    """

    @abstractmethod
    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        """Add one frame.

        Raises:
            OutputError: it cannot be written, as on a full disk.
        """

    @abstractmethod
    def close(self) -> None:
        """Finish the file; closing twice is closing once.

        Raises:
            OutputError: it cannot be finished; nothing half-written is left behind.
        """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except OutputError as unfinished:
            if error is None:
                raise
            _log.warning("%s", unfinished)  # the error on its way out is the one to tell
