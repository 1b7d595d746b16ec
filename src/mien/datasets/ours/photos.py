"""The photos a set is made from, and what is known of the faces in them.

``faces.npz`` beside the photos holds one row a face: ``path`` below the folder ``faces``,
``source``, ``split``, ``size`` px, and points as integers: ``manual68`` (x 32), ``mediapipe478``
(x 16, z away from the camera), ``tddfa68`` (x 32, z *towards* the camera, turned round here),
-32768 where unknown; ``disagreement``: NME between the two teachers. Faces found by our own network
(`mien data annotate`) have their points in ``tddfa68``, and ``confidence68``: the probability that
each lies within 0.05 face sizes of the truth; NaN, or no such array, for all others.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, Shaped, UInt8

from mien.errors import DataError, InputError

__all__ = ["FacePhotos", "load_photos", "read_photo"]

_UNKNOWN = -32768
_DISAGREEMENT = 0.05
_ARRAYS = ("path", "source", "split", "size", "manual68", "mediapipe478", "tddfa68", "disagreement")
# Sources whose 68 manual points were clicked by people on sharp photos.
_TRUSTED = ("helen", "afw")


@dataclass(frozen=True)
class FacePhotos:
    """One row a face; points are NaN where unknown, in px of the stored photo."""

    table: Path
    path: Shaped[np.ndarray, " faces"]
    source: Shaped[np.ndarray, " faces"]
    split: Shaped[np.ndarray, " faces"]
    manual68: Float[np.ndarray, "faces 68 2"]
    mesh478: Float[np.ndarray, "faces 478 3"]
    teacher68: Float[np.ndarray, "faces 68 3"]
    disagreement: Float[np.ndarray, " faces"]
    confidence68: Float[np.ndarray, "faces 68"] | None = None
    """Of ``teacher68`` where our own network made it; NaN in rows of other teachers."""

    def __len__(self) -> int:
        return len(self.path)

    @property
    def trusted_manual(self) -> Bool[np.ndarray, " faces"]:
        """Faces whose inner manual points are better than any teacher's."""
        known = np.isfinite(self.manual68[:, 0, 0])
        trusted: Bool[np.ndarray, " faces"] = known & np.isin(self.source, _TRUSTED)
        return trusted

    @property
    def teachers_agree(self) -> Bool[np.ndarray, " faces"]:
        """Faces whose two teachers say the same; where they do not, the mesh is not believed."""
        seen = np.isfinite(self.mesh478).all(axis=(1, 2))
        agree: Bool[np.ndarray, " faces"] = seen & (self.disagreement <= _DISAGREEMENT)
        return agree

    @property
    def point_confidence(self) -> Float[np.ndarray, "faces 68"]:
        """Of our own network's points, NaN where others made them."""
        if self.confidence68 is None:
            return np.full((len(self), 68), np.nan, np.float32)
        return self.confidence68

    @property
    def annotated(self) -> Bool[np.ndarray, " faces"]:
        """Faces whose points come from our own network: jaw as 300W-LP's, the rest as clicked."""
        own: Bool[np.ndarray, " faces"] = np.isfinite(self.point_confidence).all(axis=1)
        return own

    def take(self, rows: Int[np.ndarray, " rows"]) -> FacePhotos:
        """Some of the faces."""
        return FacePhotos(
            self.table,
            self.path[rows],
            self.source[rows],
            self.split[rows],
            self.manual68[rows],
            self.mesh478[rows],
            self.teacher68[rows],
            self.disagreement[rows],
            self.point_confidence[rows],
        )


def load_photos(table: Path) -> FacePhotos:
    """Read ``faces.npz`` (or the folder it is in); the photos lie in ``faces`` beside it."""
    table = table / "faces.npz" if table.is_dir() else table
    try:
        with table.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            missing = [name for name in _ARRAYS if name not in file]
            if missing:
                raise DataError(f"a table of faces holds {', '.join(missing)}; {table} does not")
            arrays = {name: file[name] for name in _ARRAYS}
            confidence = file.get("confidence68")
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"expected a table of faces (.npz), not {table}: {error}") from error
    teacher = _pixels(arrays["tddfa68"], 32)
    teacher[..., 2] *= -1
    return FacePhotos(
        table=table,
        path=arrays["path"],
        source=arrays["source"],
        split=arrays["split"],
        manual68=_pixels(arrays["manual68"], 32),
        mesh478=_pixels(arrays["mediapipe478"], 16),
        teacher68=teacher,
        disagreement=arrays["disagreement"].astype(np.float32),
        confidence68=None if confidence is None else confidence.astype(np.float32),
    )


def read_photo(photos: FacePhotos, row: int) -> UInt8[np.ndarray, "height width 3"]:
    """One photo in OpenCV's colour order."""
    path = photos.table.parent / "faces" / str(photos.path[row])
    image = cv2.imread(str(path))
    if image is None:
        raise InputError(f"expected a photo, but {path} cannot be read; is the folder complete?")
    return _continue_past_border(np.asarray(image, np.uint8))


def _continue_past_border(
    image: UInt8[np.ndarray, "height width 3"],
) -> UInt8[np.ndarray, "height width 3"]:
    """Fill the black where the photo ended with a blurred continuation of it."""
    dark = (image.max(axis=2) < 10).astype(np.uint8)
    framed = cv2.copyMakeBorder(dark, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    _, regions = cv2.connectedComponents(framed, connectivity=4)
    ended = (regions[1:-1, 1:-1] == regions[0, 0]).astype(np.uint8)
    if ended.mean() < 0.005 or ended.mean() > 0.8:
        return image
    ended = cv2.dilate(ended, np.ones((9, 9), np.uint8))
    small = (max(image.shape[1] // 4, 8), max(image.shape[0] // 4, 8))
    hole = cv2.resize(ended, small, interpolation=cv2.INTER_NEAREST)
    hole = cv2.dilate(hole, np.ones((3, 3), np.uint8))
    known = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    filled = cv2.inpaint(known, hole, 3, cv2.INPAINT_TELEA)
    smooth = cv2.resize(filled, image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    soft = cv2.blur(ended.astype(np.float32), (5, 5))[..., None]
    return np.asarray(np.round(image * (1 - soft) + smooth * soft), np.uint8)


def _pixels(points: Int[np.ndarray, "*any"], parts: int) -> Float[np.ndarray, "*any"]:
    values = points.astype(np.float32) / parts
    values[points == _UNKNOWN] = np.nan
    return values
