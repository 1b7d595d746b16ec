"""How far a run is: a bar on a terminal, a line every ten seconds in a log file."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from mien.cli.said import one_line
from mien.interrupts import raise_if_interrupted

__all__ = ["CorpusProgress", "FilesProgress", "RunProgress", "TaskProgress", "bars"]

_LOG_EVERY_SECS = 10.0


def bars(console: Console, *columns: ProgressColumn) -> Progress:
    """Bars that leave nothing behind; a log file gets none, nor their empty lines."""
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


class RunProgress:
    """The progress of a run over inputs, on standard error."""

    def __init__(self, log_every_secs: float = _LOG_EVERY_SECS) -> None:
        self._console = Console(stderr=True)
        self._log_every_secs = log_every_secs
        self._bars = bars(
            self._console,
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    @contextlib.contextmanager
    def of(self, title: str) -> Iterator[TaskProgress]:
        """The progress of one input."""
        number = self._bars.add_task(escape(one_line(title)), total=None)
        try:
            yield TaskProgress(self, number, title)
        finally:
            self._bars.remove_task(number)

    def update(self, number: TaskID, total: int | None, done: int) -> None:
        raise_if_interrupted()
        self._bars.update(number, total=total, completed=done)

    def due(self, since_secs: float) -> bool:
        """Whether a log that had its last line then should have another."""
        return (
            not self._console.is_terminal and time.monotonic() - since_secs >= self._log_every_secs
        )

    def log(self, text: str) -> None:
        self._console.print(
            f"mien: {one_line(text)}", markup=False, highlight=False, soft_wrap=True
        )


class TaskProgress:
    """The progress of one input, in frames."""

    def __init__(self, run: RunProgress, number: TaskID, title: str) -> None:
        self._run, self._number, self._title = run, number, title
        self._total: int | None = None
        self._start_secs = self._last_secs = time.monotonic()

    def expect(self, total: int | None) -> None:
        """So many frames will come; ``None``: nobody knows."""
        self._total = total
        self._run.update(self._number, total, 0)

    def step(self, done: int) -> None:
        """So much is done; the bar alone shows it."""
        self._run.update(self._number, self._total, done)

    def show(self, done: int) -> None:
        """So many frames are done."""
        self.step(done)
        if self._run.due(self._last_secs):
            self._last_secs = time.monotonic()
            speed = done / (self._last_secs - self._start_secs)
            of_all = f" of {self._total}" if self._total else ""
            self._run.log(f"{self._title}: {done}{of_all} frames, {speed:.1f} frames/s")


class FilesProgress:
    """The progress of a run over files, any number of them at once."""

    def __init__(self, names: Sequence[str]) -> None:
        self._places = {name: number for number, name in enumerate(names, start=1)}
        self._run = RunProgress()
        self._open: dict[str, tuple[contextlib.ExitStack, TaskProgress]] = {}

    def __enter__(self) -> Self:
        self._run.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in list(self._open):
            self.end(name)
        self._run.__exit__(kind, error, trace)

    def show(self, name: str, done: int, total: int | None) -> None:
        """So many frames of that file are done."""
        if name not in self._open:
            closing = contextlib.ExitStack()
            of_all = f" ({self._places.get(name, 1)}/{len(self._places)})"
            title = name + (of_all if len(self._places) > 1 else "")
            self._open[name] = closing, closing.enter_context(self._run.of(title))
            self._open[name][1].expect(total)
        self._open[name][1].show(done)

    def end(self, name: str) -> None:
        """That file is done."""
        if name in self._open:
            self._open.pop(name)[0].close()


class CorpusProgress:
    """The progress of very many files, by what they weigh."""

    def __init__(
        self, bytes_of: Mapping[str, int], where: str, log_every_secs: float = _LOG_EVERY_SECS
    ) -> None:
        self._bytes_of, self._where = bytes_of, where
        self._all_bytes = max(sum(bytes_of.values()), 1)
        self._run = RunProgress(log_every_secs)
        self._files = self._bytes = self._frames = 0
        self._start_secs = self._last_secs = time.monotonic()
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._closing.enter_context(self._run)
        self._bar = self._closing.enter_context(self._run.of(self._where))
        self._bar.expect(len(self._bytes_of))
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.close()

    def end(self, name: str, frames: int) -> None:
        """That file is done, or failed."""
        self._files += 1
        self._frames += frames
        self._bytes += self._bytes_of.get(name, 0)
        self._bar.step(self._files)
        if self._run.due(self._last_secs):
            self._last_secs = time.monotonic()
            self._run.log(self.line(self._last_secs - self._start_secs))

    def line(self, secs: float) -> str:
        """How far it is after so many seconds."""
        share = self._bytes / self._all_bytes
        left = f", about {secs / share * (1 - share) / 60:.0f} min left" if share > 0 else ""
        return (
            f"{self._files} of {len(self._bytes_of)} files, {self._frames / secs:.1f} frames/s on "
            f"{self._where}{left}"
        )
