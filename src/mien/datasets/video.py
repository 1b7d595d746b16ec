"""A video whose face is labelled in some of its frames, and the straight lines between them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

__all__ = ["LabelledVideo"]


@dataclass(frozen=True)
class LabelledVideo:
    """The true landmarks of one face in one video; the video itself is opened by who needs it.

    ``frame_indices`` are those of ``mien.types.Frame.index``, counted from 0 over decoded frames,
    so that a label finds its frame whatever the frame rate.
    """

    name: str
    """Unique within its data set."""
    video_path: Path
    frame_indices: Int[np.ndarray, " frames"]
    """The frames that have labels, ascending."""
    points_image: Float[np.ndarray, "frames points dims"]
    """x, y in image pixels, and z where the data set has depth; 68 or 84 points."""

    def __post_init__(self) -> None:
        indices, shape = self.frame_indices, self.points_image.shape
        if len(indices) == 0 or indices[0] < 0 or (np.diff(indices) <= 0).any():
            raise ValueError(
                f"{self.name}: labelled frames ascend from 0, and there is one at least"
            )
        if len(shape) != 3 or shape[0] != len(indices) or shape[1] not in (68, 84):
            raise ValueError(
                f"{self.name}: {len(indices)} frames have ({len(indices)}, 68 or 84, 2 or 3) "
                f"points, not {shape}"
            )

    def __len__(self) -> int:
        return len(self.frame_indices)

    def continuous(self, *, max_gap_frames: int | None = None) -> LabelledVideo:
        """With labels for the frames between too, each point on the straight line in time.

        Paper 4.2 makes its continuous test videos of sparse frames this way. Nothing is added
        before the first and after the last labelled frame, nor between two that lie more than
        ``max_gap_frames`` apart: the face may have been away.
        """
        first, last = int(self.frame_indices[0]), int(self.frame_indices[-1])
        wanted = np.arange(first, last + 1)
        after = np.searchsorted(self.frame_indices, wanted)
        before = np.where(self.frame_indices[after] == wanted, after, after - 1)
        gaps = self.frame_indices[after] - self.frame_indices[before]
        if max_gap_frames is not None:
            near = gaps <= max_gap_frames
            wanted, after, before, gaps = wanted[near], after[near], before[near], gaps[near]
        share = (wanted - self.frame_indices[before]) / np.maximum(gaps, 1)
        start, end = self.points_image[before], self.points_image[after]
        points = start + share[:, None, None] * (end - start)
        return LabelledVideo(self.name, self.video_path, wanted, points)
