"""The few numbers of one run, as ``STEM.json``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

from mien.files import write_atomically

__all__ = ["PROGRAM", "StageSeconds", "Summary", "write_summary"]

PROGRAM = "mien"
"""By which mien knows its own JSON again."""


@dataclasses.dataclass(frozen=True)
class StageSeconds:
    """How long one stage of the run took in total."""

    name: str
    seconds: float


@dataclasses.dataclass(frozen=True)
class Summary:
    """What one input gave and cost."""

    frames_decoded: int
    frames_with_face: int
    tracks: int
    """How many track ids appeared."""
    seconds: float
    """Wall time of the run, reading and writing included."""
    fps: float
    """Frames decoded in one second of that."""
    stage_seconds: tuple[StageSeconds, ...]
    model: str
    markup: int
    """Landmarks a face: 68 or 84."""
    version: str
    """mien's own."""
    complete: bool = True
    """Whether the whole input is in the table."""
    incomplete_because: str | None = None
    """What ended the run before the input's end."""
    notes: tuple[str, ...] = ()
    """What a reader of the table must know: limits that cut it, results that could not be made."""
    width: int | None = None
    height: int | None = None
    """Of the picture as shown, px: what the table's points are counted in. ``None``: no frame."""
    camera: Mapping[str, float | bool] | None = None
    """Where heads were placed in space: ``focal_px``, ``fov_diagonal_deg``, and whether they are
    ``assumed``."""
    absent_blendshapes: Mapping[str, str] | None = None
    """Shapes that were asked for and have no value, and why."""

    def as_json(self) -> str:
        """An object with ``program`` and the fields as keys, stages as an object of seconds."""
        fields: dict[str, object] = {"program": PROGRAM}
        fields |= {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        fields["seconds"] = round(self.seconds, 4)
        fields["fps"] = round(self.fps, 3)
        fields["stage_seconds"] = {
            stage.name: round(stage.seconds, 4) for stage in self.stage_seconds
        }
        return json.dumps(fields, indent=2, allow_nan=False) + "\n"


def write_summary(path: Path, summary: Summary) -> None:
    """Write the file whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    write_atomically(path, summary.as_json().encode("utf-8"))
