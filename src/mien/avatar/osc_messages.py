"""What is said by OSC of one frame: addresses and values.

VMC ("Virtual Motion Capture Protocol", performer to marionette) has Unity's axes: x to
the character's right, y up, z ahead. Ours, of the camera, point the other way in all three, so that
the numbers of a rotation are the same.
"""

from __future__ import annotations

from mien.geometry.metric_head import MetricHead
from mien.types import Face, Frame

__all__ = ["Message", "osc_messages", "vmc_messages", "vrm_messages"]

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
    """A performer's messages to a marionette: available, time, the head's bone, the 52 shapes."""
    del count
    read = _strengths(face) if face is not None else []
    return _performance(frame, face, [(name[0].upper() + name[1:], value) for name, value in read])


def vrm_messages(frame: Frame, face: Face | None, count: int) -> list[Message]:
    """The same with the shapes that every VRM avatar has: lids, A, U and O, joy."""
    del count
    read = dict(_strengths(face)) if face is not None else {}
    if not read:
        return _performance(frame, face, [])
    smile = (read["mouthSmileLeft"] + read["mouthSmileRight"]) / 2
    mouth = {"A": read["jawOpen"], "U": read["mouthPucker"], "O": read["mouthFunnel"]}
    lids = {"Blink_L": read["eyeBlinkLeft"], "Blink_R": read["eyeBlinkRight"]}
    return _performance(frame, face, [*lids.items(), *mouth.items(), ("Joy", smile)])


def _performance(frame: Frame, face: Face | None, shapes: list[tuple[str, float]]) -> list[Message]:
    said: list[Message] = [("/VMC/Ext/OK", (1,)), ("/VMC/Ext/T", (float(frame.time_secs),))]
    if face is None:
        return said
    if face.head_matrix is not None:
        turn = MetricHead.from_matrix(face.head_matrix).quaternion().tolist()
        said.append(("/VMC/Ext/Bone/Pos", ("Head", 0.0, 0.0, 0.0, *turn)))
    if shapes:
        said += [("/VMC/Ext/Blend/Val", shape) for shape in shapes]
        said.append(("/VMC/Ext/Blend/Apply", ()))
    return said


def _strengths(face: Face) -> list[tuple[str, float]]:
    return list(face.expression.to_dict().items()) if face.expression is not None else []
