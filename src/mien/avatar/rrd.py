"""All faces of a clip as a recording for Rerun's viewer (``.rrd``).

Importing this module needs rerun-sdk. It writes in a thread of its own, and says on closing whether
that went well.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mien.errors import ConfigError, OutputError
from mien.expression import SHAPES, Details
from mien.files import PendingFile
from mien.outputs import Sink
from mien.types import Face, Frame

try:
    import rerun as rr
except ImportError as missing:
    raise ConfigError("rrd files need rerun-sdk: pip install 'mien[rerun]'") from missing

__all__ = ["RerunRecording"]

_PROGRAM = "mien"
_ANGLES = ["yaw_deg", "pitch_deg", "roll_deg"]


class RerunRecording(Sink):
    """``STEM.rrd``, written as it grows, with the timelines ``frame`` and ``time``.

    For each face, as ``face-3``: ``picture/face-3`` (points, px) and ``picture/face-3/box``,
    ``space/face-3`` (points in 3D, px; x right, y down, z away), ``numbers/face-3/pose`` (yaw,
    pitch, roll, degrees), ``numbers/face-3/score``, and where ``details`` asks for them
    ``numbers/face-3/blendshapes`` and ``head/face-3`` (the head's place in cm and its rotation).
    """

    def __init__(self, path: Path, details: Details) -> None:
        """Begin the file.

        Raises:
            OutputError: it cannot be made.
        """
        self._details, self._known, self._shown = details, set[int](), set[int]()
        self._pending = PendingFile(path)
        self._recording = rr.RecordingStream(_PROGRAM, recording_id=path.stem)
        self._recording.save(self._pending.part)
        self._closed = False
        spaces = ("space", "head") if details.metric else ("space",)
        self._places = ("picture", *spaces)
        for space in spaces:
            self._recording.log(space, rr.ViewCoordinates.RDF, static=True)

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        recording = self._recording
        recording.set_time("frame", sequence=frame.index)
        recording.set_time("time", duration=frame.time_secs)
        for face in faces:
            self._log(face)
        seen = {face.track_id for face in faces}
        for gone in self._shown - seen:
            for place in self._places:
                recording.log(f"{place}/face-{gone}", rr.Clear(recursive=True))
        self._shown = seen

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._recording.flush()
            self._recording.disconnect()
        except RuntimeError as error:
            self._pending.drop()
            path = self._pending.path
            raise OutputError(
                f"{path}: cannot be written ({error}); is the disk full? name another folder"
            ) from error
        self._pending.publish()

    def _log(self, face: Face) -> None:
        recording, name, points = self._recording, f"face-{face.track_id}", face.landmarks
        if face.track_id not in self._known:
            self._known.add(face.track_id)
            self._name_lines(name)
        xyz, box, pose = points.points_image, face.box, face.pose
        recording.log(f"picture/{name}", rr.Points2D(xyz[:, :2]))
        corner, size = [box.left, box.top], [box.width, box.height]
        recording.log(f"picture/{name}/box", rr.Boxes2D(mins=[corner], sizes=[size]))
        recording.log(f"space/{name}", rr.Points3D(xyz))
        angles = [pose.yaw_deg, pose.pitch_deg, pose.roll_deg]
        recording.log(f"numbers/{name}/pose", rr.Scalars(angles))
        recording.log(f"numbers/{name}/score", rr.Scalars(face.score))
        if self._details.blendshapes and face.expression is not None:
            recording.log(f"numbers/{name}/blendshapes", rr.Scalars(face.expression.strengths))
        if self._details.metric and face.head_matrix is not None:
            turn, place = face.head_matrix[:3, :3], face.head_matrix[:3, 3]
            recording.log(f"head/{name}", rr.Transform3D(translation=place, mat3x3=turn))

    def _name_lines(self, name: str) -> None:
        lines = {"pose": _ANGLES}
        if self._details.blendshapes:
            lines["blendshapes"] = list(SHAPES)
        for part, names in lines.items():
            place = f"numbers/{name}/{part}"
            self._recording.log(place, rr.SeriesLines(names=names), static=True)
