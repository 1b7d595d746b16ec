"""A take as BVH: a head that moves and two eyes on it, centimetres, y up, facing +z.

The origin is the camera. BVH has one frame time for all: frames are taken at the clip's rate, each
row the newest frame up to its time; where the face is not seen its last place is held (its first,
before it came). The eyes rest, as gaze is not in this model.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from mien.expression.basis import load_basis
from mien.geometry import angles_of, matrix_of_quaternion
from mien.outputs.take import Clip, Take

__all__ = ["bvh_hierarchy", "encode_bvh"]

_TURNS = "Zrotation Xrotation Yrotation"
_FASTEST = 240.0
_USUAL_RATE = 25.0
"""Of a clip that does not tell its own: the format wants one."""


def bvh_hierarchy() -> str:
    """Everything before the word MOTION."""
    basis = load_basis()
    right_cm, left_cm = (basis.eyeballs_cm - basis.mean_cm.mean(axis=0)) * [1, -1, -1]
    joints = ""
    for name, (x, y, z) in (("LeftEye", left_cm), ("RightEye", right_cm)):
        joints += (
            f"\tJOINT {name}\n\t{{\n\t\tOFFSET {x:.4f} {y:.4f} {z:.4f}\n"
            f"\t\tCHANNELS 3 {_TURNS}\n"
            "\t\tEnd Site\n\t\t{\n\t\t\tOFFSET 0.0000 0.0000 1.2000\n\t\t}\n\t}\n"
        )
    return (
        "HIERARCHY\nROOT Head\n{\n\tOFFSET 0.0000 0.0000 0.0000\n"
        f"\tCHANNELS 6 Xposition Yposition Zposition {_TURNS}\n{joints}}}\n"
    )


def encode_bvh(clip: Clip, take: Take) -> bytes:
    """The whole file."""
    rate = min(clip.rate, _FASTEST) if clip.rate > 0 else _USUAL_RATE
    rows = _newest(clip, rate)
    seen = np.clip(np.searchsorted(take.frames, rows, side="right") - 1, 0, None)
    place_cm = 100 * take.position_m[seen]
    turns = np.degrees(angles_of(matrix_of_quaternion(take.quaternion[seen]), "ZXY"))
    turns = np.unwrap(turns, period=360, axis=0)
    rest = " 0.0000" * 6
    lines = [
        " ".join(f"{value:.4f}" for value in (*place, *turn)) + rest
        for place, turn in zip(place_cm, turns, strict=True)
    ]
    head = f"{bvh_hierarchy()}MOTION\nFrames: {len(lines)}\nFrame Time: {1 / rate:.8f}\n"
    return (head + "\n".join(lines) + "\n").encode()


def _newest(clip: Clip, rate: float) -> Int[np.ndarray, " rows"]:
    """For each row the newest frame; half a frame time is not too early."""
    times_secs = np.array(clip.times_secs)
    count = round((times_secs[-1] - times_secs[0]) * rate) + 1
    due_secs = times_secs[0] + (np.arange(count) + 0.5) / rate
    newest: Int[np.ndarray, " rows"] = np.searchsorted(times_secs, due_secs, side="left") - 1
    newest[newest < 0] = 0
    return newest
