"""The head model behind 300W-LP and AFLW2000-3D: from a photo's parameters to 68 points in 3D."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from mien.errors import DataError, reason_of

__all__ = ["HeadBasis"]


@dataclass(frozen=True)
class HeadBasis:
    """``mean + shape @ a + expression @ b``, with y up and z towards the camera.

    The Basel face model's first dimensions at the 68 landmark vertices. Its licence forbids us to
    ship it: 3DDFA's users have it.
    """

    mean: Float[np.ndarray, "68 3"]
    shape: Float[np.ndarray, "68 3 identities"]
    """For the first numbers of ``Shape_Para``: 40 of its 199 in 3DDFA."""
    expression: Float[np.ndarray, "68 3 expressions"]
    """For the first numbers of ``Exp_Para``: 10 of its 29."""

    def __post_init__(self) -> None:
        _check([self.mean.shape, self.shape.shape, self.expression.shape])

    @classmethod
    def load(cls, path: Path) -> HeadBasis:
        """From an ``.npz`` with ``mean``, ``shape`` and ``expression``.

        Raises:
            DataError: no such file, or not such a basis.
        """
        try:
            with path.open("rb") as stream, np.load(stream) as stored:
                arrays = [
                    np.asarray(stored[key], np.float64) for key in ("mean", "shape", "expression")
                ]
            _check([array.shape for array in arrays])
            return cls(*arrays)
        except (OSError, ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile) as error:
            raise DataError(
                f"{path} is no head basis ({reason_of(error)}): expected an .npz with mean "
                "(68, 3), shape (68, 3, n) and expression (68, 3, m)"
            ) from error

    def project(
        self,
        pose: Float[np.ndarray, " 7"],
        identity: Float[np.ndarray, " identities"],
        expression: Float[np.ndarray, " expressions"],
        height_px: int,
    ) -> Float[np.ndarray, "68 3"]:
        """The 68 points in the picture: pixel centres from 0, y down, z away, its mean 0.

        ``pose`` is ``Pose_Para``: pitch, yaw and roll in radians, a translation, and a scale. The
        model lands at ``scale * R @ point + translation`` with y up, and the makers' MATLAB turns
        it over with ``height + 1 - y``: the picture's rows count from 1, and so do its columns.
        """
        points = self.mean + self.shape @ identity + self.expression @ expression
        x, y, z = pose[6] * _rotation(*pose[:3]) @ points.T + pose[3:6, None]
        return np.stack([x - 1, height_px - y, z.mean() - z], axis=1)


def _check(shapes: list[tuple[int, ...]]) -> None:
    if shapes[0] != (68, 3) or any(len(one) != 3 or one[:2] != (68, 3) for one in shapes[1:]):
        raise ValueError(f"a basis is (68, 3), (68, 3, n) and (68, 3, m), not {shapes}")


def _rotation(pitch: float, yaw: float, roll: float) -> Float[np.ndarray, "3 3"]:
    """Their ``R``, as ``docs/conventions.md`` writes it: roll first, pitch last."""
    cos, sin = np.cos([pitch, yaw, roll]), np.sin([pitch, yaw, roll])
    about_x = np.array([[1, 0, 0], [0, cos[0], sin[0]], [0, -sin[0], cos[0]]])
    about_y = np.array([[cos[1], 0, -sin[1]], [0, 1, 0], [sin[1], 0, cos[1]]])
    about_z = np.array([[cos[2], sin[2], 0], [-sin[2], cos[2], 0], [0, 0, 1]])
    rotation: Float[np.ndarray, "3 3"] = about_x @ about_y @ about_z
    return rotation
