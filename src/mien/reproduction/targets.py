"""What can be reproduced, and how large. Names alone: the command reads them without torch."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["ScaleName", "Target"]


class Target(StrEnum):
    """What can be reproduced."""

    TABLE_1 = "table-1"
    TABLE_2 = "table-2"
    TABLE_3 = "table-3"
    TABLE_4 = "table-4"
    FIGURE_7 = "figure-7"
    DEPARTURES = "departures"
    """Not the paper's: what `fast` does otherwise, switched off one at a time."""

    @property
    def on_video(self) -> bool:
        """Whether the tracker is measured on clips; stills otherwise."""
        return self in (Target.TABLE_4, Target.FIGURE_7)


class ScaleName(StrEnum):
    """How large a reproduction is; ``scale`` says what each means."""

    SMOKE = "smoke"
    SMALL = "small"
    FULL = "full"
