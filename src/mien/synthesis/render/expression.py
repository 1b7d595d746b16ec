"""Change the expression of a fitted head: shut eyes, open mouth, raised brows.

An edit is a change of expression coefficients. How far lids must travel is measured on the head
at hand, because a model's own blink shuts only the model's own eyes.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from mien.synthesis.fit.anchors import Anchors
from mien.synthesis.head.morphable import MorphableHead
from mien.synthesis.head.surface import SurfacePoints

__all__ = ["ExpressionEditor"]


# Vertices of the MediaPipe mesh on the middle of the upper and the lower lid.
_LIDS_IMAGE_LEFT = ((160, 159, 158), (144, 145, 153))
_LIDS_IMAGE_RIGHT = ((387, 386, 385), (373, 374, 380))
_PAST_SHUT = -1.03
"""Lids that meet a little below their rims leave no slit open between the triangles."""
_LEAST_CLOSING_CM, _MOST_BLINK = -1e-3, 1.8
"""A blink that moves the lids less is none; wide eyes need more than the model's own blink."""
_JAW_OPEN, _JAW_LEAST = (0.35, 1.0), 0.1
"""Where a jaw drops to, of the model's own range, and the least that it moves."""
_LIPS_MOST, _JAW_ASIDE_MOST = 0.6, 0.25
"""Strongest shape of the lips, and how far a jaw slides aside at most."""
_BROWS_UP, _BROWS = 0.6, (0.4, 1.0)
"""Share of moved brows that rise, and how far brows move."""
_MOUTH_ACTS = (
    *6 * (("mouthPucker",),),
    ("mouthPucker", "mouthFunnel"),
    ("mouthFunnel",),
    ("mouthSmile",),
    ("mouthFrown",),
    ("mouthStretch",),
    ("mouthDimple",),
    ("mouthPress",),
    ("mouthUpperUp", "noseSneer"),
    ("mouthLowerDown",),
    ("mouthRollLower", "mouthRollUpper"),
    ("mouthShrugLower", "mouthShrugUpper"),
    ("mouthLeft",),
    ("mouthRight",),
    ("jawLeft",),
    ("jawRight",),
    ("jawForward",),
    ("cheekPuff",),
)
"""What lips do, and jaw and cheeks with them; a pucker, which no photo here shows, most often."""
_MOUTH_MOST, _ONE_SIDED = (0.3, 1.0), 0.25
"""How strong they do it, and how often one side does less than the other."""


class ExpressionEditor:
    """Computes edits for one head model (ARKit expression names)."""

    def __init__(self, head: MorphableHead, anchors: Anchors) -> None:
        self._head = head
        self._lids = [
            (
                head.expression_index(f"eyeBlink_{side}"),
                anchors.mesh468.take(np.array(upper)),
                anchors.mesh468.take(np.array(lower)),
            )
            for side, upper, lower in (("R", *_LIDS_IMAGE_LEFT), ("L", *_LIDS_IMAGE_RIGHT))
        ]

    def shut_eyes(
        self, vertices_cm: Float[np.ndarray, "vertices 3"], strength: tuple[float, float]
    ) -> Float[np.ndarray, " expressions"]:
        """Close the eye at the image's left and the other by a part of the way, 1 being shut."""
        change = np.zeros(len(self._head.expression), np.float32)
        for (blink, upper, lower), part in zip(self._lids, strength, strict=True):
            gap = _gap(vertices_cm, upper, lower)
            closing = _gap(self._head.expression[blink], upper, lower)
            full = _PAST_SHUT * gap / min(closing, _LEAST_CLOSING_CM)
            change[blink] = np.clip(full, 0, _MOST_BLINK) * part
        return change

    def open_mouth(
        self, expression: Float[np.ndarray, " expressions"], rng: np.random.Generator
    ) -> Float[np.ndarray, " expressions"]:
        """Drop the jaw to a random width, lips as in speech or a cry."""
        change = np.zeros(len(self._head.expression), np.float32)
        jaw = self._head.expression_index("jawOpen")
        goal = rng.uniform(*_JAW_OPEN)
        change[jaw] = max(goal - max(float(expression[jaw]), 0), _JAW_LEAST)
        shapes = [
            "mouthFunnel",
            "mouthPucker",
            "mouthUpperUp_L",
            "mouthLowerDown_L",
            "mouthSmile_L",
        ]
        shape = str(rng.choice(shapes))
        amount = rng.uniform(0, _LIPS_MOST)
        for name in {shape, shape.replace("_L", "_R")}:
            index = self._head.expression_index(name)
            change[index] += np.clip(amount, 0, max(1 - float(expression[index]), 0))
        change[self._head.expression_index(str(rng.choice(["jawLeft", "jawRight"])))] += (
            rng.uniform(0, _JAW_ASIDE_MOST)
        )
        return change

    def move_mouth(
        self, expression: Float[np.ndarray, " expressions"], rng: np.random.Generator
    ) -> Float[np.ndarray, " expressions"]:
        """Purse, press, roll, draw or spread the lips, from 30 % to the whole of a shape."""
        change = np.zeros(len(self._head.expression), np.float32)
        sides = np.ones(2)
        if rng.random() < _ONE_SIDED:
            sides[rng.integers(2)] = rng.random()
        for name in _MOUTH_ACTS[rng.integers(len(_MOUTH_ACTS))]:
            goal = rng.uniform(*_MOUTH_MOST)
            for index, share in self._sided(name, sides):
                change[index] = max(goal * share - max(float(expression[index]), 0), 0)
        return change

    def _sided(self, name: str, sides: Float[np.ndarray, " 2"]) -> list[tuple[int, float]]:
        """Columns of a shape with their shares; a shape without sides has one column."""
        if name in self._head.expression_names:
            return [(self._head.expression_index(name), 1.0)]
        names = (f"{name}_R", f"{name}_L")
        return [
            (self._head.expression_index(each), float(share))
            for each, share in zip(names, sides, strict=True)
        ]

    def raise_brows(self, rng: np.random.Generator) -> Float[np.ndarray, " expressions"]:
        """Lift or lower both brows."""
        change = np.zeros(len(self._head.expression), np.float32)
        up = rng.random() < _BROWS_UP
        names = ("browInnerUp", "browOuterUp") if up else ("browDown",)
        for name in names:
            amount = rng.uniform(*_BROWS)
            for side in "LR":
                change[self._head.expression_index(f"{name}_{side}")] = amount
        return change


def _gap(
    values: Float[np.ndarray, "vertices 3"], upper: SurfacePoints, lower: SurfacePoints
) -> float:
    return float((lower.of(values)[:, 1] - upper.of(values)[:, 1]).mean())
