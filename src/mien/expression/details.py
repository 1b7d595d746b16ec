"""What can be read of a face beyond its points and pose: blendshapes, and its place in space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from mien.errors import ConfigError
from mien.expression.basis import load_basis
from mien.expression.reader import FaceExpressions
from mien.expression.shapes import ABSENT
from mien.geometry.metric_head import USUAL_FOV_DEG, Camera, place_head
from mien.types import Face, Frame

__all__ = ["DetailReader", "Details"]


@dataclass(frozen=True)
class Details:
    """Which of them are asked for, and what is known of the camera."""

    blendshapes: bool = False
    """Fill ``Face.expression``."""
    metric: bool = False
    """Fill ``Face.head_matrix``."""
    focal_px: float | None = None
    """The camera's focal length, px of the picture as shown."""
    fov_deg: float | None = None
    """Or its diagonal field of view; 63 degrees are assumed where neither is given."""

    def __post_init__(self) -> None:
        """Refuse a camera that cannot be.

        Raises:
            ConfigError: both are given, or a value out of its range.
        """
        if self.focal_px is not None and self.fov_deg is not None:
            raise ConfigError("a camera has one focal length: give --focal or --fov, not both")
        self.camera(640, 480)

    @property
    def assumes_camera(self) -> bool:
        """Whether nothing is known of the camera."""
        return self.focal_px is None and self.fov_deg is None

    def camera(self, width: int, height: int) -> Camera:
        """The camera of pictures of that size, px."""
        fov_deg = USUAL_FOV_DEG if self.fov_deg is None else self.fov_deg
        return Camera.of_picture(width, height, focal_px=self.focal_px, fov_deg=fov_deg)

    def absent(self) -> dict[str, str]:
        """Blendshapes that were asked for and have no value, and why."""
        return dict(ABSENT) if self.blendshapes else {}


class DetailReader:
    """Fills in what was asked for, frame by frame; one for each video."""

    def __init__(self, details: Details) -> None:
        self._details = details
        self._expressions = FaceExpressions()

    def update(self, frame: Frame, faces: Sequence[Face]) -> list[Face]:
        """The faces of the next frame, with their details."""
        asked = self._details
        if not (asked.blendshapes or asked.metric):
            return list(faces)
        found = self._expressions.update(faces, frame.time_secs)
        if asked.metric:
            height, width = frame.image_rgb.shape[:2]
            camera = asked.camera(width, height)
            found = [replace(face, head_matrix=_matrix(face, camera)) for face in found]
        if not asked.blendshapes:  # it was read to place the head
            found = [replace(face, expression=None) for face in found]
        return found


def _matrix(face: Face, camera: Camera) -> Float[np.ndarray, "4 4"] | None:
    """``None`` where the points cannot be a head's."""
    try:
        moved_cm = None
        if face.expression is not None:
            moved_cm = np.tensordot(face.expression.strengths, load_basis().expression_cm, 1)
        return place_head(face.landmarks.points_image, camera, moved_cm).matrix()
    except ValueError:
        return None
