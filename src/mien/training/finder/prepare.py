"""From face packs, scenes and photos to the one set that a face finder learns from.

Faces whose landmarks are known are placed by them. A teacher, another face finder, looks at every
picture: what it finds beside a known face is labelled too where it is sure, and left out of the
loss where it is not, so that nobody is punished for finding the second face of a photo.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from mien.datasets.ours.finder_set import (
    CROP,
    EMPTY,
    SCENE,
    FinderSetWriter,
    LabelledPicture,
    PictureFaces,
)
from mien.datasets.ours.pack_labels import load_pack_labels
from mien.datasets.photo import read_labelled_rgb
from mien.datasets.public.cfp import complete_profile, read_cfp
from mien.errors import DataError
from mien.geometry import crop_from_landmarks, detection_box
from mien.markup import load_markup
from mien.types import Box, Detection, FaceFinder, Frame

__all__ = ["FinderSources", "five_points", "picture_files", "prepare_finder_set"]

_SURE, _PERHAPS = 0.6, 0.25
"""Scores of the teacher above which a find is a face, and above which it may be one."""
_SAME = 0.3
"""IoU above which two boxes are of one face."""
_LEAST_SIZE = 8.0
"""Scenes' faces smaller than this, px, are neither right nor wrong to find."""
_LONGEST = {CROP: 288, SCENE: 480, EMPTY: 480}
_LOOKED_AT = {CROP: 160, SCENE: 480, EMPTY: 320}
"""Px of the long side at which the teacher sees a picture: a crop's faces are large."""
_VAL_EVERY = 5
"""Of folders without a split, every fifth picture is kept for validation."""
_SIDE = 256
_ENDINGS = (".jpg", ".jpeg", ".png")

Image = UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True)
class FinderSources:
    """Where the pictures come from; any may be missing."""

    faces: Path | None = None
    """A face pack: its train and val faces."""
    profiles: Path | None = None
    """Clicked CFP profiles."""
    scenes: Path | None = None
    """Photos with ``boxes.json``: ``files`` gives each a list of x, y, width, height, blur,
    invalid, occlusion, as WIDER FACE has them; the last 30 are val."""
    photos: Sequence[Path] = ()
    """Folders of photos of which nothing is known: the teacher says where faces are."""
    empty: Path | None = None
    """Photos without any face."""


@dataclass(frozen=True)
class _Raw:
    """A picture before the teacher has seen it."""

    file: Path
    kind: str
    source: str
    split: str
    faces: PictureFaces
    is_main: bool = False


def prepare_finder_set(
    sources: FinderSources,
    out: Path,
    teacher: FaceFinder,
    report: Callable[[int, int], None] = lambda done, of: None,
) -> tuple[int, int]:
    """Write the set into ``out``; how many pictures and faces it has.

    Raises:
        DataError: nothing to learn from, or a source that cannot be read.
        OutputError: the set cannot be written.
    """
    every = list(_raw_pictures(sources))
    if not every:
        raise DataError("no picture to make a set of: name at least one source")
    writer = FinderSetWriter(out)
    for number, raw in enumerate(every, start=1):
        picture = _reduced(read_labelled_rgb(raw.file), raw)
        small, ratio = _shrunk(picture.image_rgb, _LOOKED_AT[raw.kind])
        finds = _table_of(teacher.find(Frame(small, 0, 0.0)), ratio)
        faces = _with_finds(picture.faces, finds, raw.kind)
        writer.add(
            LabelledPicture(picture.image_rgb, faces, picture.main),
            kind=raw.kind, source=raw.source, split=raw.split,
        )  # fmt: skip
        report(number, len(every))
    writer.close()
    return writer.counts


def five_points(points68: Float[np.ndarray, "68 dims"]) -> Float[np.ndarray, "5 2"]:
    """Middles of the eyes, nose tip, mouth corners of the 68 points, the person's right first."""
    right, left = points68[36:42].mean(axis=0), points68[42:48].mean(axis=0)
    return np.stack([right, left, points68[30], points68[48], points68[54]])[:, :2]


def _raw_pictures(sources: FinderSources) -> Iterator[_Raw]:
    if sources.faces is not None:
        yield from _of_pack(sources.faces)
    if sources.profiles is not None:
        for split in ("train", "val"):
            for one in read_cfp(sources.profiles, split=split):
                face = _of_landmarks(complete_profile(one.points_image))
                yield _Raw(one.image_path, CROP, "cfp", split, face, is_main=True)
    if sources.scenes is not None:
        yield from _of_scenes(sources.scenes)
    for folder in sources.photos:
        for file, split in _files(folder):
            yield _Raw(file, SCENE, folder.name, split, PictureFaces.empty())
    if sources.empty is not None:
        for file, split in _files(sources.empty):
            yield _Raw(file, EMPTY, sources.empty.name, split, PictureFaces.empty())


def _of_pack(root: Path) -> Iterator[_Raw]:
    labels = load_pack_labels(root)
    for row, (path, split) in enumerate(zip(labels.path, labels.split, strict=True)):
        if split not in ("train", "val"):
            continue
        trusted = bool(labels.trusted[row].any())
        face = _of_landmarks(labels.points[row]) if trusted else PictureFaces.empty()
        file, source = root / "faces" / path, labels.source[row]
        yield _Raw(file, CROP, source, split, face, is_main=trusted)


def _of_scenes(root: Path) -> Iterator[_Raw]:
    file = root / "boxes.json"
    try:
        told = sorted(json.loads(file.read_text(encoding="utf-8"))["files"].items())
        boxes = [(name, np.array(rows, np.float64).reshape(len(rows), 7)) for name, rows in told]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{file} holds no boxes of scenes ({error!r})") from error
    for number, (name, rows) in enumerate(boxes):
        split = "val" if number >= len(boxes) - 30 else "train"
        yield _Raw(root / name, SCENE, root.name, split, _of_boxes(rows))


def _of_boxes(rows: Float[np.ndarray, "faces 7"]) -> PictureFaces:
    rows = rows[(rows[:, 2] > 0) & (rows[:, 3] > 0)]
    size = np.sqrt(rows[:, 2] * rows[:, 3])
    centre = rows[:, :2] + rows[:, 2:4] / 2 - 0.5
    sure = (rows[:, 5] == 0) & (rows[:, 6] < 2) & (size >= _LEAST_SIZE)
    return PictureFaces(centre, size, np.full((len(rows), 5, 2), np.nan), sure)


def _of_landmarks(points: Float[np.ndarray, "68 dims"]) -> PictureFaces:
    place = crop_from_landmarks(points.astype(np.float64), load_markup(68).mean_shape, _SIDE)
    box = detection_box(place, _SIDE)
    return PictureFaces(
        np.array([box.centre]), np.array([box.width]), five_points(points)[None].astype(np.float64),
        np.ones(1, bool),
    )  # fmt: skip


def picture_files(folder: Path) -> list[Path]:
    """What is read of a folder of which nothing is known: JPEG and PNG files, not those of folders
    inside."""
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in _ENDINGS)


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    for number, file in enumerate(picture_files(folder)):
        yield file, "val" if number % _VAL_EVERY == _VAL_EVERY - 1 else "train"


def _reduced(image_rgb: Image, raw: _Raw) -> LabelledPicture:
    """At most as large as its kind is kept."""
    small, ratio = _shrunk(image_rgb, _LONGEST[raw.kind])
    return LabelledPicture(small, _enlarged(raw.faces, ratio), 0 if raw.is_main else -1)


def _shrunk(image_rgb: Image, longest: int) -> tuple[Image, Float[np.ndarray, " 2"]]:
    """A picture of at most that long side, and how it was resized in x and y."""
    height, width = image_rgb.shape[:2]
    ratio = longest / max(height, width)
    if ratio >= 1:
        return image_rgb, np.ones(2)
    size = (max(round(width * ratio), 1), max(round(height * ratio), 1))
    small = np.asarray(cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA))
    return small, np.array([size[0] / width, size[1] / height])


def _enlarged(faces: PictureFaces, ratio: Float[np.ndarray, " 2"]) -> PictureFaces:
    return PictureFaces(
        (faces.centre + 0.5) * ratio - 0.5,
        faces.size * ratio.mean(),
        (faces.points + 0.5) * ratio - 0.5,
        faces.sure,
    )


def _table_of(
    found: Sequence[Detection], ratio: Float[np.ndarray, " 2"]
) -> tuple[PictureFaces, Float[np.ndarray, " faces"]]:
    """Finds in a picture that was resized by ``ratio`` before, and their scores."""
    if not found:
        return PictureFaces.empty(), np.zeros(0)
    unknown = np.full((5, 2), np.nan)
    score = np.array([one.score for one in found])
    table = PictureFaces(
        np.array([one.box.centre for one in found]),
        np.array([max((one.box.width * one.box.height) ** 0.5, 1.0) for one in found]),
        np.array([unknown if one.five_points is None else one.five_points for one in found]),
        score >= _SURE,
    )
    return _enlarged(table, 1 / ratio), score


def _with_finds(
    known: PictureFaces, finds: tuple[PictureFaces, Float[np.ndarray, " faces"]], kind: str
) -> PictureFaces:
    """The known faces first, then what else the teacher found.

    In scenes people marked every face: there the teacher's finds add five points to the faces
    marked, and nothing else.
    """
    found, score = finds
    points = known.points.copy()
    other = score >= _PERHAPS
    for i in range(len(found)):
        for j in range(len(known)):
            if _iou(found, i, known, j) < _SAME:
                continue
            other[i] = False
            if found.sure[i] and np.isnan(points[j]).all():
                points[j] = found.points[i]
    known = PictureFaces(known.centre, known.size, points, known.sure)
    rest = found.take(other)
    if kind == EMPTY or (kind == SCENE and len(known)):
        rest = PictureFaces(rest.centre, rest.size, rest.points, np.zeros(len(rest), bool))
    return PictureFaces.joined(known, rest)


def _iou(one: PictureFaces, i: int, other: PictureFaces, j: int) -> float:
    return _box(one, i).iou(_box(other, j))


def _box(table: PictureFaces, row: int) -> Box:
    (x, y), half = table.centre[row], table.size[row] / 2
    return Box(float(x - half), float(y - half), float(x + half), float(y + half))
