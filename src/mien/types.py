"""The data types that all of mien shares: immutable, and checked when they are made.

Coordinates follow ``docs/conventions.md``: pixel centres at integers, x right, y down,
z away from the camera in the unit of x and y.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

__all__ = [
    "Box",
    "Detection",
    "Expression",
    "Face",
    "FaceFinder",
    "Frame",
    "HeadPose",
    "Landmarks",
    "Prediction",
    "SmallFaceFinder",
]


@dataclass(frozen=True)
class Frame:
    """One decoded picture of a video, a folder or a camera."""

    image_rgb: UInt8[np.ndarray, "height width 3"]
    index: int
    """Position in its source, counted from 0 over decoded frames."""
    time_secs: float
    """Presentation time as the file tells it, from the start of the source."""
    source: str = ""
    """The file or camera it came from, where there is one."""

    def __post_init__(self) -> None:
        image = self.image_rgb
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(
                f"a frame is (height, width, 3) uint8, not {image.shape} {image.dtype}"
            )


@dataclass(frozen=True)
class Box:
    """An axis-aligned rectangle, px, in the coordinates of points: the top left pixel's centre is
    (0, 0)."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (self.right >= self.left and self.bottom >= self.top):  # also refuses NaN
            raise ValueError(f"a box has left <= right and top <= bottom, not {self}")

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @classmethod
    def around(cls, points: Float[np.ndarray, "points dims"]) -> Box:
        """The tightest box around points, of which x and y are read."""
        (left, top), (right, bottom) = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        return cls(float(left), float(top), float(right), float(bottom))

    def iou(self, other: Box) -> float:
        """Intersection over union with another box, 0 where both are empty."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        shared = max(width, 0.0) * max(height, 0.0)
        union = self.width * self.height + other.width * other.height - shared
        return shared / union if union > 0 else 0.0


@dataclass(frozen=True)
class Detection:
    """A face as a detector sees it."""

    box: Box
    score: float
    five_points: Float[np.ndarray, "5 2"] | None = None
    """Eyes, nose tip, corners of the mouth, in image pixels; of each pair the person's right one
    first, which is the left one of an upright picture. ``None`` from boxes alone."""

    def __post_init__(self) -> None:
        if self.five_points is not None and self.five_points.shape != (5, 2):
            raise ValueError(f"five_points is (5, 2), not {self.five_points.shape}")

    def moved(self, x: float, y: float) -> Detection:
        """The same, in a picture that begins so many px further to the left and above."""
        box, points = self.box, self.five_points
        return Detection(
            Box(box.left + x, box.top + y, box.right + x, box.bottom + y),
            self.score,
            None if points is None else points + np.array([x, y]),
        )


@dataclass(frozen=True)
class Landmarks:
    """The landmarks of one face, (points, 3) and (points,), in the order of the markup."""

    points_image: Float[np.ndarray, "points 3"]
    """x, y in image pixels; z in the same unit, away from the camera, 0 at the points' mean."""
    confidence: Float[np.ndarray, " points"]
    """For each point, the probability that it lies within the model card's radius of the truth:
    0.05 of the face's size in the models that come with mien."""

    def __post_init__(self) -> None:
        count = len(self.points_image)
        if self.points_image.shape != (count, 3) or self.confidence.shape != (count,):
            raise ValueError(
                f"landmarks are (n, 3) with (n,) confidences, not {self.points_image.shape} "
                f"with {self.confidence.shape}"
            )


@dataclass(frozen=True)
class Prediction:
    """What the network predicts from one crop, in px of the picture."""

    landmarks: Landmarks
    score: float
    """Probability that a well aligned face lies under the crop."""


@dataclass(frozen=True)
class HeadPose:
    """Rotation of a head as three angles in degrees, which ``docs/conventions.md`` defines."""

    yaw_deg: float
    """Positive when the face turns towards the image's right."""
    pitch_deg: float
    """Positive when the face looks down."""
    roll_deg: float
    """Positive when the head tilts clockwise as the picture shows it."""


@dataclass(frozen=True)
class Expression:
    """A facial expression, as strengths of blendshapes.

    A shape that cannot be read has no strength here, which is not a strength of 0.
    """

    names: tuple[str, ...] = ()
    """By ARKit's names: ``jawOpen``, ``eyeBlinkLeft``; left is the person's own."""
    strengths: Float[np.ndarray, " shapes"] = field(default_factory=lambda: np.zeros(0))
    """0 to 1, one a name."""

    def __post_init__(self) -> None:
        if self.strengths.shape != (len(self.names),):
            raise ValueError(
                f"an expression has one strength a name, not {self.strengths.shape} for "
                f"{len(self.names)} names"
            )

    def __getitem__(self, name: str) -> float:
        """The strength of one shape; ``KeyError`` where it was not read."""
        if name not in self.names:
            raise KeyError(f"{name} was not read of this face")
        return float(self.strengths[self.names.index(name)])

    def to_dict(self) -> dict[str, float]:
        """Strengths by their names."""
        return dict(zip(self.names, self.strengths.tolist(), strict=True))


@dataclass(frozen=True)
class Face:
    """One face in one frame, as the tracker returns it."""

    track_id: int
    score: float
    """Probability that the crop under these points holds a well aligned face."""
    landmarks: Landmarks
    pose: HeadPose
    expression: Expression | None = None
    """``None`` where it was not asked for: ``mien.track(where, blendshapes=True)``."""
    head_matrix: Float[np.ndarray, "4 4"] | None = None
    """(4, 4), from the mean head's points to the camera's frame (x right, y down, z away; cm);
    ``None`` where it was not asked for: ``mien.track(where, metric=True)``."""
    iris: Float[np.ndarray, "2 3"] | None = None
    """Centres of the person's right and left iris, as points are; ``None``: not in this model."""

    @property
    def is_seen(self) -> bool:
        """False for a face that passes behind another and is handed out where its motion leads:
        its score and confidences are 0, which nothing that was seen has."""
        return self.score > 0

    @property
    def head_position_cm(self) -> tuple[float, float, float] | None:
        """Position of the mean of the 68 points in the camera's frame, (3,), cm; ``None`` without a
        ``head_matrix``."""
        if self.head_matrix is None:
            return None
        x, y, z = self.head_matrix[:3, 3].tolist()
        return x, y, z

    @property
    def box(self) -> Box:
        """The tightest box around the landmarks."""
        return Box.around(self.landmarks.points_image)

    def to_dict(self) -> dict[str, Any]:
        """Numbers, lists and dicts alone, as ``json.dumps`` takes them; units as above.

        Keys: ``track_id``, ``score``, ``box`` and ``pose`` (by their fields' names), ``points``
        (x, y, z each), ``confidence``, ``expression`` by its shapes' names, ``head_matrix`` by rows
        and ``iris``; the last three are ``None`` where they were not asked for or cannot be had.
        """
        box, pose, landmarks = self.box, self.pose, self.landmarks
        return {
            "track_id": int(self.track_id),
            "score": float(self.score),
            "box": {name: float(getattr(box, name)) for name in ("left", "top", "right", "bottom")},
            "pose": {
                name: float(getattr(pose, name)) for name in ("yaw_deg", "pitch_deg", "roll_deg")
            },
            "points": landmarks.points_image.tolist(),
            "confidence": landmarks.confidence.tolist(),
            "expression": None if self.expression is None else self.expression.to_dict(),
            "head_matrix": None if self.head_matrix is None else self.head_matrix.tolist(),
            "iris": None if self.iris is None else self.iris.tolist(),
        }


@runtime_checkable
class FaceFinder(Protocol):
    """Looks for faces in a whole frame."""

    def find(self, frame: Frame) -> Sequence[Detection]:
        """Every face it sees; empty where there is none."""
        ...


@runtime_checkable
class SmallFaceFinder(FaceFinder, Protocol):
    """One that can look closer."""

    def find_small(self, frame: Frame) -> Sequence[Detection]:
        """Faces that are too small for ``find``, and maybe others; empty where ``find`` looks as
        closely as pays."""
        ...
