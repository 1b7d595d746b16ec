"""The 52 blendshapes by ARKit's names: which of them landmarks can show, and which they cannot.

Left and right are the person's own.
"""

from __future__ import annotations

__all__ = ["ABSENT", "ARKIT", "HEAD_COLUMNS", "PAIRS", "SHAPES"]

ARKIT: tuple[str, ...] = (
    *("eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft"),
    *("eyeSquintLeft", "eyeWideLeft"),
    *("eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight"),
    *("eyeSquintRight", "eyeWideRight"),
    *("jawForward", "jawRight", "jawLeft", "jawOpen"),
    *("mouthClose", "mouthFunnel", "mouthPucker", "mouthRight", "mouthLeft"),
    *("mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight"),
    *("mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *("mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight"),
    *("mouthUpperUpLeft", "mouthUpperUpRight"),
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    *("cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight"),
    "tongueOut",
)
"""In the order of Apple's Live Link Face."""

_GAZE = tuple(name for name in ARKIT if name.startswith("eyeLook"))

ABSENT: dict[str, str] = {
    "tongueOut": "no landmark lies on the tongue, and the head model has no such shape",
    "cheekPuff": "no landmark lies on the cheeks",
    "cheekSquintLeft": "no landmark lies on the cheeks",
    "cheekSquintRight": "no landmark lies on the cheeks",
    **dict.fromkeys(_GAZE, "needs the irises, which this model does not have"),
}
"""Shapes that the landmarks do not show, and why: they have no value, which is not a value of 0."""

SHAPES: tuple[str, ...] = tuple(name for name in ARKIT if name not in ABSENT)
"""The shapes that are read, in ARKit's order."""

PAIRS: tuple[tuple[int, int], ...] = tuple(
    (SHAPES.index(name), SHAPES.index(name.replace("Left", "Right")))
    for name in SHAPES
    if name.endswith("Left") and name not in ("jawLeft", "mouthLeft")
)
"""Places in ``SHAPES`` of what the person's left and right side can do apart."""


def _head_names(name: str) -> tuple[str, ...]:
    """What the ICT head calls a shape of ARKit's: brows' inner ends are two there."""
    if name == "browInnerUp":
        return ("browInnerUp_L", "browInnerUp_R")
    if name in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
        return (name,)
    return (name.replace("Left", "_L").replace("Right", "_R"),)


HEAD_COLUMNS: dict[str, tuple[str, ...]] = {name: _head_names(name) for name in SHAPES}
"""For each shape that is read, the expressions of the ICT head that make it up together."""
