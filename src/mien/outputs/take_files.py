"""Files for formats that know only one face: one of each face of a clip."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from mien.errors import OutputError
from mien.expression import Details
from mien.files import write_atomically
from mien.outputs.ownership import is_ours
from mien.outputs.sink import Sink
from mien.outputs.take import Clip, Take
from mien.types import Face, Frame

__all__ = ["TakeFiles", "take_paths"]


def take_paths(folder: Path, stem: str, ending: str) -> list[Path]:
    """Files of that kind that lie there already."""
    start, last = f"{Path(stem).name}.face-", f".{ending}"
    with contextlib.suppress(OSError):
        return sorted(
            path
            for path in (folder / stem).parent.iterdir()
            if path.name.startswith(start)
            and path.name.endswith(last)
            and path.name[len(start) : -len(last)].isdigit()
        )
    return []


class TakeFiles(Sink):
    """``STEM.face-0.ENDING``, ...: whole at the end; held in memory till then.

    A face and frame take 250 bytes.
    """

    def __init__(
        self,
        folder: Path,
        stem: str,
        ending: str,
        rate: float,
        encode: Callable[[Clip, Take], bytes],
        details: Details,
        most: int | None = None,
    ) -> None:
        """``most``: files of no more than so many faces, those seen longest; all without it."""
        self._most = most
        self._folder, self._stem, self._ending, self._encode = folder, stem, ending, encode
        self._clip, self._takes, self._details = Clip(rate), dict[int, Take](), details
        self._closed = False

    @staticmethod
    def details_of(details: Details) -> Details:
        """What faces must come with."""
        return Details(True, True, details.focal_px, details.fov_deg)

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        clip = self._clip
        if not clip.times_secs:
            clip.size = (frame.image_rgb.shape[1], frame.image_rgb.shape[0])
            clip.focal_px = self._details.camera(*clip.size).focal_px
        clip.times_secs.append(frame.time_secs)
        for face in faces:
            take = self._takes.setdefault(face.track_id, Take(face.track_id))
            take.add(len(clip.times_secs) - 1, face)

    @property
    def left_out(self) -> int:
        """Faces that have no file, for there are more than ``most``."""
        return 0 if self._most is None else max(0, len(self._takes) - self._most)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        old = set(take_paths(self._folder, self._stem, self._ending))
        unwritten: OutputError | None = None
        for take in sorted(self._takes.values(), key=len, reverse=True)[: self._most]:
            if not len(take):
                continue
            path = self._folder / f"{self._stem}.face-{take.track_id}.{self._ending}"
            try:
                write_atomically(path, self._encode(self._clip, take))
            except OutputError as error:
                unwritten = unwritten or error
            old.discard(path)
        for path in old:  # faces of an earlier run
            if is_ours(path):
                path.unlink(missing_ok=True)
        if unwritten is not None:
            raise unwritten
