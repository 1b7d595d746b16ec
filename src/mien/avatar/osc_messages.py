"""What is said by OSC of one frame: addresses and values.

VMC ("Virtual Motion Capture Protocol", performer to marionette) has Unity's axes: x to
the character's right, y up, z ahead. Ours, of the camera, point the other way in all three, so that
the numbers of a rotation are the same.
"""

from __future__ import annotations

from mien.geometry.metric_head import MetricHead
from mien.types import Face, Frame

__all__ = ["Message", "osc_messages", "vmc_messages"]

Message = tuple[str, tuple[int | float | str, ...]]


def osc_messages(frame: Frame, face: Face | None, count: int) -> list[Message]:
    """``/mien/frame``, and of the face ``/mien/face``, ``pose``, ``head/...`` and ``shape/...``."""
    said: list[Message] = [("/mien/frame", (frame.index, float(frame.time_secs), count))]
    if face is None:
        return said
    pose = face.pose
    said += [
        ("/mien/face", (int(face.track_id), float(face.score))),
        ("/mien/pose", (float(pose.yaw_deg), float(pose.pitch_deg), float(pose.roll_deg))),
    ]
    if face.head_matrix is not None:
        head = MetricHead.from_matrix(face.head_matrix)
        said += [
            ("/mien/head/position", tuple(head.position_cm.tolist())),
            ("/mien/head/rotation", tuple(head.quaternion().tolist())),
        ]
    if face.expression is not None:
        said += [(f"/mien/shape/{name}", (value,)) for name, value in _strengths(face)]
    return said


def vmc_messages(frame: Frame, face: Face | None, count: int) -> list[Message]:
    """A performer's messages to a marionette: available, time, the head's bone, the shapes."""
    del count
    said: list[Message] = [("/VMC/Ext/OK", (1,)), ("/VMC/Ext/T", (float(frame.time_secs),))]
    if face is None:
        return said
    if face.head_matrix is not None:
        turn = MetricHead.from_matrix(face.head_matrix).quaternion().tolist()
        said.append(("/VMC/Ext/Bone/Pos", ("Head", 0.0, 0.0, 0.0, *turn)))
    if face.expression is not None:
        said += [
            ("/VMC/Ext/Blend/Val", (name[0].upper() + name[1:], value))
            for name, value in _strengths(face)
        ]
        said.append(("/VMC/Ext/Blend/Apply", ()))
    return said


def _strengths(face: Face) -> list[tuple[str, float]]:
    return list(face.expression.to_dict().items()) if face.expression is not None else []
