"""Menpo 3D: 84 points of faces in photos and in 300VW's videos (Zafeiriou et al., ICCVW 2017).

Both parts of the training set hold a file a picture in each of two folders::

    model_space/NAME.ljson              84 x 3, in the head model's own axes and unit
    projected_image_space/NAME.ljson    84 x 2, in the picture

For photos, ``NAME`` is that of a ``.jpg`` or ``.png`` nearby; for the videos it is ``001/000001``,
the video and the frame of 300VW, from 1, and only some frames have files: paper 4.2 draws lines
between them (``LabelledVideo.continuous``).

What is converted, and on what evidence:

* **Axes.** Menpo writes the row first, and the University of Surrey's entry to the challenge reads
  these files that way; shriyakak/3D-FaceAlignment-in-the-wild takes the column first. So the faces
  decide: with rows and columns exchanged a head would show its back to the camera. 32 files vote
  for their folder.
* **Origin.** Menpo counts pixels from 0, at their centres: nothing is subtracted.
* **Depth.** ``model_space`` is not turned to the camera. Its points, brought to the mean head's
  axes by the similarity (a mirrored one if that fits better), are posed to the picture's points as
  a scaled orthographic camera sees them; z is the depth in that pose, in pixels, its mean 0. The
  makers' camera has a perspective, which this leaves out.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from mien.datasets.lazy import OnDemand
from mien.datasets.photo import LabelledPhoto, read_labelled_rgb
from mien.datasets.public.ljson import parse_ljson
from mien.datasets.video import LabelledVideo
from mien.errors import DataError
from mien.geometry import pose_head, umeyama
from mien.markup import load_markup

__all__ = ["Menpo3dPhoto", "read_menpo3d", "read_menpo3d_videos"]

_log = logging.getLogger(__name__)

_PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png")
_VOTERS = 32
_IMAGE_SPACE, _MODEL_SPACE = "projected_image_space", "model_space"


@dataclass(frozen=True)
class Menpo3dPhoto:
    """One face with 84 true points, hidden ones too."""

    name: str
    """Unique within its folder."""
    image_path: Path
    points_image: Float[np.ndarray, "84 3"]
    """x, y in image pixels, z in the same unit, away from the camera."""

    def read_rgb(self) -> UInt8[np.ndarray, "height width 3"]:
        """The picture, by :func:`mien.datasets.photo.read_labelled_rgb`."""
        return read_labelled_rgb(self.image_path)

    def to_68(self) -> LabelledPhoto:
        """The 68 points among them, for whoever measures in 68."""
        points = np.take(self.points_image, load_markup(84).ibug68, axis=0)
        return LabelledPhoto(self.name, self.image_path, points)


@dataclass(frozen=True)
class _Labels:
    projected: Path
    model: Path

    def read(self, rows_first: bool) -> Float[np.ndarray, "84 3"]:
        plane = parse_ljson(self.projected, points=84, dims=2)
        head = parse_ljson(self.model, points=84, dims=3)
        if not (np.isfinite(plane).all() and np.isfinite(head).all()):
            broken = self.model if np.isfinite(plane).all() else self.projected
            raise DataError(f"{broken} has points without coordinates: copy it again")
        try:
            return _with_depth(plane[:, ::-1] if rows_first else plane, head)
        except ValueError as error:
            raise DataError(f"{self.projected} and its head are no face: {error}") from error


@dataclass(frozen=True)
class _Photo:
    name: str
    image: Path
    labels: _Labels


@dataclass(frozen=True)
class _Video:
    name: str
    path: Path
    frames: tuple[tuple[int, _Labels], ...]


def read_menpo3d(root: Path, *, pictures: Path | None = None) -> OnDemand[_Photo, Menpo3dPhoto]:
    """The photos, in the order of their names; points and pictures are read on demand.

    ``root`` holds the two folders of annotations, and the photos anywhere below it, or below
    ``pictures``.

    Raises:
        DataError: no such folders, an annotation without its other half, without its photo or
            with two. Broken files are reported when their photo is asked for.
    """
    labels = _list_labels(root)
    found: dict[str, list[Path]] = defaultdict(list)
    for path in (pictures or root).rglob("*"):
        if path.suffix.lower() in _PICTURE_SUFFIXES and not path.name.startswith("."):
            found[path.stem].append(path)
    entries = []
    for name, one in labels.items():
        tail = Path(name).parts[:-1]
        own = [path for path in found[Path(name).name] if _ends_with(path.parent, tail)]
        if len(own) != 1:
            came = "none" if not own else f"{own[0]} and {own[1]}"
            raise DataError(
                f"{one.projected} belongs to one photo {name}{_PICTURE_SUFFIXES[0]} below "
                f"{pictures or root}, but there is {came}"
            )
        entries.append(_Photo(name, own[0], one))
    read = partial(_read_photo, rows_first=_stores_rows_first(list(labels.values())))
    return OnDemand(tuple(entries), read)


def read_menpo3d_videos(root: Path, videos: Path) -> OnDemand[_Video, LabelledVideo]:
    """The annotated videos of 300VW, in the order of their names; labels are read on demand.

    ``root`` holds the two folders of annotations; ``videos`` is the folder of 300VW that holds
    ``001/vid.avi``.

    Raises:
        DataError: no such folders, an annotation that is not named after a video and a frame, or
            a video that is not there. Broken files are reported when their video is asked for.
    """
    labels = _list_labels(root)
    frames: dict[str, list[tuple[int, _Labels]]] = defaultdict(list)
    for name, one in labels.items():
        video, _, frame = name.rpartition("/")
        if not video or not frame.isdecimal() or int(frame) < 1:
            raise DataError(
                f"{one.projected} is not named after a frame of 300VW: expected 001/000001.ljson"
            )
        frames[video].append((int(frame) - 1, one))
    entries = []
    for video, own in frames.items():
        path = videos / video / "vid.avi"
        if not path.is_file():
            raise DataError(f"{path} is missing: give the folder of 300VW that holds {video}")
        entries.append(_Video(video, path, tuple(sorted(own, key=lambda frame: frame[0]))))
    read = partial(_read_video, rows_first=_stores_rows_first(list(labels.values())))
    return OnDemand(tuple(entries), read)


def _read_photo(entry: _Photo, *, rows_first: bool) -> Menpo3dPhoto:
    return Menpo3dPhoto(entry.name, entry.image, entry.labels.read(rows_first))


def _read_video(entry: _Video, *, rows_first: bool) -> LabelledVideo:
    indices = np.array([index for index, _ in entry.frames])
    points = np.stack([labels.read(rows_first) for _, labels in entry.frames])
    return LabelledVideo(entry.name, entry.path, indices, points)


def _list_labels(root: Path) -> dict[str, _Labels]:
    """By name, such as ``image00002`` or ``001/000001``."""
    places = [root, root / "final_published"]
    found = [place for place in places if (place / _IMAGE_SPACE).is_dir()]
    if not found:
        raise DataError(
            f"{root} holds no {_IMAGE_SPACE}: give the folder of Menpo 3D that holds it beside "
            f"{_MODEL_SPACE}"
        )
    projected, model = found[0] / _IMAGE_SPACE, found[0] / _MODEL_SPACE
    halves = [
        {path.relative_to(folder).as_posix() for path in folder.rglob("[!.]*.ljson")}
        for folder in (projected, model)
    ]
    if not halves[0]:
        raise DataError(f"{projected} holds no .ljson file: unpack Menpo 3D again")
    for name in sorted(halves[0] - halves[1]):
        raise DataError(f"{projected / name} has no {model / name}: unpack Menpo 3D again")
    return {
        name.removesuffix(".ljson"): _Labels(projected / name, model / name)
        for name in sorted(halves[0])
    }


def _ends_with(folder: Path, tail: Sequence[str]) -> bool:
    return not tail or folder.parts[-len(tail) :] == tuple(tail)


def _stores_rows_first(labels: Sequence[_Labels]) -> bool:
    """Whether the files hold y before x, by the sum of what single faces say."""
    voters = [labels[at] for at in range(0, len(labels), max(1, len(labels) // _VOTERS))]
    votes = 0.0
    for one in voters:
        points = parse_ljson(one.projected, points=84, dims=2)
        if np.isfinite(points).all():
            votes += _facing(points)
    _log.info("%s: %s first", labels[0].projected.parent, "rows" if votes < 0 else "columns")
    return votes < 0


def _facing(points_image: Float[np.ndarray, "84 2"]) -> float:
    """Cosine between the head's way of looking and the way to the camera, columns being first."""
    shape = load_markup(84).mean_shape
    centred = points_image - points_image.mean(axis=0)
    right, down = np.linalg.lstsq(shape, centred, rcond=None)[0].T
    away = np.cross(right, down)
    length = float(np.linalg.norm(away))
    return float(away[2]) / length if length > 0 else 0.0


def _with_depth(
    points_image: Float[np.ndarray, "84 2"], head: Float[np.ndarray, "84 3"]
) -> Float[np.ndarray, "84 3"]:
    posed_model = _to_mean_axes(head)
    posed = pose_head(points_image, posed_model)
    depth = posed.scale * posed_model @ posed.rotation[2]
    return np.column_stack([points_image, depth - depth.mean()])


def _to_mean_axes(head: Float[np.ndarray, "84 3"]) -> Float[np.ndarray, "84 3"]:
    """The head in the axes and the unit of the mean head, whatever axes it is stored in."""
    shape = load_markup(84).mean_shape
    candidates = []
    for axes in (np.eye(3), np.diag([-1.0, 1.0, 1.0])):
        turned = head @ axes
        scale, rotation, translation = umeyama(turned, shape)
        candidates.append(scale * turned @ rotation.T + translation)
    return min(candidates, key=lambda moved: float(((moved - shape) ** 2).sum()))
