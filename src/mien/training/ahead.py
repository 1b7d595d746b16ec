"""Batches by the number of the step, made ahead in a thread or in processes.

What step k learns from follows from k alone, so a resumed run sees exactly the data that an
unbroken one would have seen; no state of the loader is saved.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, Self, TypeVar

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mien.training.config import ComputeConfig
from mien.training.device import Device

__all__ = ["TensorBatch", "loaders_for", "made_ahead"]

_AHEAD = 3
_MOST_LOADERS = 16


class TensorBatch:
    """A dataclass of tensors, and tuples of tensors, whose rows are the batch's pictures."""

    def to(self, device: torch.device) -> Self:
        """The same on a device; from pinned memory the copy goes on beside what follows."""
        return self._of_each(lambda each: each.to(device, non_blocking=True))

    def pin_memory(self) -> Self:
        """The same in memory that a card reads by itself (torch's loader calls this)."""
        return self._of_each(lambda each: each.pin_memory())

    def __len__(self) -> int:
        return len(next(_tensors(self)))

    def parts(self, count: int) -> list[Self]:
        """Its rows in ``count`` batches, in their order, as equal as they come; none is empty."""
        count = min(count, len(self))
        return [self._part(number, count) for number in range(count)]

    def _part(self, number: int, count: int) -> Self:
        return self._of_each(lambda each: each.tensor_split(count)[number])

    def _of_each(self, change: Callable[[Tensor], Tensor]) -> Self:
        changed = {
            name: tuple(map(change, value)) if isinstance(value, tuple) else change(value)
            for name, value in vars(self).items()
        }
        return type(self)(**changed)


def _tensors(batch: TensorBatch) -> Iterator[Tensor]:
    for value in vars(batch).values():
        yield from value if isinstance(value, tuple) else (value,)


B = TypeVar("B", bound=TensorBatch)


def loaders_for(compute: ComputeConfig, device: Device, workers: int) -> int:
    """Processes that make batches for each of ``workers`` that learn; 0: a thread makes them."""
    if compute.loaders >= 0:
        return compute.loaders
    return 0 if device.kind == "cpu" else min((os.cpu_count() or 1) // workers, _MOST_LOADERS)


def made_ahead(
    make: Callable[[int], B], steps: range, *, loaders: int = 0, pinned: bool = False
) -> Iterator[B]:
    """``make(step)`` of each step, in order, the same for any ``loaders``.

    Args:
        make: can be sent to another process, where there are loaders.
        loaders: processes that make them; 0 makes them in a thread.
        pinned: in memory that a card reads by itself, where loaders make them.
    """
    if loaders > 0 and steps:
        loaded: DataLoader[Any] = DataLoader(
            _ByStep(make, steps.stop),
            batch_size=None,
            sampler=steps,
            num_workers=loaders,
            prefetch_factor=_AHEAD,
            pin_memory=pinned,
            worker_init_fn=_one_thread,
            multiprocessing_context="spawn",  # a fork of a process with threads may hang
        )
        yield from loaded
        return
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as pool:
        waiting: list[Future[B]] = []
        for step in steps:
            waiting.append(pool.submit(make, step))
            if len(waiting) > _AHEAD:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()


class _ByStep(Dataset[B], Generic[B]):
    """What torch's loader reads from."""

    def __init__(self, make: Callable[[int], B], steps: int) -> None:
        self._make, self._steps = make, steps

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, step: int) -> B:
        return self._make(step)


def _one_thread(worker: int) -> None:
    """In each loader: as many of them as cores, a thread each."""
    cv2.setNumThreads(1)
