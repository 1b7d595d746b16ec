"""How fast heads move and turn, frame after frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from mien.geometry import angle_between, rotation_from_angles
from mien.types import HeadPose

__all__ = ["SPEEDS", "HeadAt", "HeadSpeed"]

SPEEDS: Final = ("head_speed_sizes_per_sec", "turn_speed_deg_per_sec")
"""Columns of the table, in the order of :meth:`HeadSpeed.step`."""


@dataclass(frozen=True)
class HeadAt:
    """A head in one frame."""

    track_id: int
    centre: Float[np.ndarray, " 2"]
    """Mean of its points, px."""
    size_px: float
    pose: HeadPose


class HeadSpeed:
    """Speeds from each frame to the next one: a head that was not there a frame ago has none.

    State: the last frame's heads as plain numbers, which ``state`` gives and takes.
    """

    def __init__(self) -> None:
        self._last: dict[int, tuple[float, ...]] = {}

    def step(
        self, time_secs: float, heads: Sequence[HeadAt]
    ) -> list[tuple[float, float] | tuple[None, None]]:
        """For each head: of its centre in face sizes a second, of its turning in degrees a second.

        The turn is the angle between the two rotations, about whatever axis.
        """
        now: dict[int, tuple[float, ...]] = {}
        speeds: list[tuple[float, float] | tuple[None, None]] = []
        for head in heads:
            x, y = (float(value) for value in head.centre)
            pose = head.pose
            here = (time_secs, x, y, head.size_px, pose.yaw_deg, pose.pitch_deg, pose.roll_deg)
            now[head.track_id] = here
            last = self._last.get(head.track_id)
            speeds.append(_between(last, here) if last is not None else (None, None))
        self._last = now
        return speeds

    def state(self) -> dict[str, Any]:
        """As ``json.dumps`` takes it."""
        return {str(track_id): list(values) for track_id, values in self._last.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where another one stood."""
        self._last = {int(track_id): tuple(values) for track_id, values in state.items()}


def _between(
    last: tuple[float, ...], here: tuple[float, ...]
) -> tuple[float, float] | tuple[None, None]:
    step_secs = here[0] - last[0]
    if step_secs <= 0:  # timestamps that stand still or jump back
        return None, None
    moved = float(np.hypot(here[1] - last[1], here[2] - last[2]))
    size = max((here[3] + last[3]) / 2, 1e-9)
    one, other = (rotation_from_angles(HeadPose(*values[4:])) for values in (last, here))
    turned = math.degrees(angle_between(one, other))
    return moved / size / step_secs, turned / step_secs
