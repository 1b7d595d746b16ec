"""What a face finder learns from: pictures as they are and every face in them.

A folder of two files. ``pictures.bin`` holds the pixels, RGB, one picture after the other, so that
several processes share one copy of them in memory. ``finder.npz`` has one row a picture
(``offset``, ``height``, ``width``, ``kind``, ``source``, ``split``) and one row a face
(``picture``, ``centre``, ``size``, ``points``, ``sure``, ``main``), px of the stored picture.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8

from mien.errors import DataError, reason_of
from mien.files import PendingFile, told_as_output_error, write_npz

__all__ = [
    "CROP",
    "EMPTY",
    "SCENE",
    "FinderSet",
    "FinderSetWriter",
    "LabelledPicture",
    "PictureFaces",
]

CROP, SCENE, EMPTY = "crop", "scene", "empty"
"""Kinds of picture: one wanted face in the middle, a whole photo, and a photo without a face."""

_PIXELS, _TABLE = "pictures.bin", "finder.npz"
_COLUMNS = ("offset", "height", "width", "kind", "source", "split")
_FACES = ("picture", "centre", "points", "size", "sure", "main")


@dataclass(frozen=True)
class PictureFaces:
    """The faces of one picture; a face is placed as ``geometry.crop_from_detection`` reads it."""

    centre: Float[np.ndarray, "faces 2"]
    """Middle of the detection's box, x and y, px."""
    size: Float[np.ndarray, " faces"]
    """sqrt(width * height) of that box, px."""
    points: Float[np.ndarray, "faces 5 2"]
    """Eyes, nose tip and mouth corners, the person's right first; NaN where nobody knows them."""
    sure: Bool[np.ndarray, " faces"]
    """Whether it is to be found; what is not sure is neither right nor wrong to find."""

    def __len__(self) -> int:
        return len(self.size)

    @classmethod
    def empty(cls) -> PictureFaces:
        """No face."""
        return cls(np.zeros((0, 2)), np.zeros(0), np.zeros((0, 5, 2)), np.zeros(0, bool))

    def take(self, rows: np.ndarray) -> PictureFaces:
        """Some of them, by index or flag."""
        return PictureFaces(self.centre[rows], self.size[rows], self.points[rows], self.sure[rows])

    @classmethod
    def joined(cls, *tables: PictureFaces) -> PictureFaces:
        """All faces of several tables."""
        columns = ([getattr(one, name) for one in tables] for name in cls.__dataclass_fields__)
        return cls(*(np.concatenate(column) for column in columns))


@dataclass(frozen=True)
class LabelledPicture:
    """One picture and its faces."""

    image_rgb: UInt8[np.ndarray, "height width 3"]
    faces: PictureFaces
    main: int
    """Row of the face that a crop is of; -1 in pictures of another kind."""


class FinderSet:
    """The pictures of one split of a folder; pixels stay on disk until they are looked at."""

    def __init__(self, root: Path, split: str) -> None:
        """Read the table.

        Raises:
            DataError: no such set, a damaged one, or no picture of that split.
        """
        self._opened = root, split
        self._table, self._face_table = _read(root / _TABLE)
        self._pixels = _map(root / _PIXELS, self._table)
        chosen = np.flatnonzero(self._table["split"] == split)
        if not len(chosen):
            raise DataError(f"{root} has no pictures of the split '{split}'")
        self._rows = chosen
        picture = self._face_table["picture"]
        self._first = np.searchsorted(picture, np.arange(len(self._table["kind"]) + 1))

    def __reduce__(self) -> tuple[type[FinderSet], tuple[Path, str]]:
        """Another process opens the files anew: the pixels are not sent."""
        return type(self), self._opened

    def __len__(self) -> int:
        return len(self._rows)

    def of(self, kind: str, source: str = "") -> np.ndarray:
        """Numbers of the pictures of a kind, and of one source if it is named."""
        same = self._table["kind"][self._rows] == kind
        if source:
            same &= self._table["source"][self._rows] == source
        return np.flatnonzero(same)

    def source(self, index: int) -> str:
        """The set that a picture is from."""
        return str(self._table["source"][self._rows[index]])

    @property
    def sources(self) -> list[str]:
        """Every set that there are pictures of."""
        return sorted(set(self._table["source"][self._rows].tolist()))

    def load(self, index: int) -> LabelledPicture:
        """One picture, which is not to be written into."""
        row = self._rows[index]
        height, width = int(self._table["height"][row]), int(self._table["width"][row])
        start = int(self._table["offset"][row])
        pixels = self._pixels[start : start + 3 * height * width].reshape(height, width, 3)
        rows = slice(self._first[row], self._first[row + 1])
        faces = self._face_table
        table = PictureFaces(
            faces["centre"][rows], faces["size"][rows], faces["points"][rows], faces["sure"][rows]
        )
        main = np.flatnonzero(faces["main"][rows])
        return LabelledPicture(np.asarray(pixels), table, int(main[0]) if len(main) else -1)


class FinderSetWriter:
    """Writes a set picture by picture; it is there once it is closed."""

    def __init__(self, root: Path) -> None:
        """Begin.

        Raises:
            OutputError: the folder cannot be written.
        """
        self._root = root
        self._pending = PendingFile(root / _PIXELS)
        self._file = self._pending.part.open("wb")
        self._offset = 0
        self._rows: list[tuple[int, int, int, str, str, str]] = []
        self._faces: list[tuple[int, PictureFaces, int]] = []

    def add(self, picture: LabelledPicture, *, kind: str, source: str, split: str) -> None:
        """One more picture.

        Raises:
            OutputError: the disk is full.
        """
        height, width = picture.image_rgb.shape[:2]
        with told_as_output_error(self._pending.path):
            self._file.write(np.ascontiguousarray(picture.image_rgb).tobytes())
        self._faces.append((len(self._rows), picture.faces, picture.main))
        self._rows.append((self._offset, height, width, kind, source, split))
        self._offset += 3 * height * width

    def close(self) -> None:
        """Publish both files."""
        self._file.close()
        columns = dict(zip(_COLUMNS, map(np.array, zip(*self._rows, strict=True)), strict=True))
        counts = [len(table) for _, table, _ in self._faces]
        tables = PictureFaces.joined(PictureFaces.empty(), *(table for _, table, _ in self._faces))
        main = [np.arange(len(table)) == row for _, table, row in self._faces]
        faces = {
            "picture": np.repeat(np.arange(len(counts)), counts),
            "main": np.concatenate([np.zeros(0, bool), *main]),
            **{name: getattr(tables, name) for name in PictureFaces.__dataclass_fields__},
        }
        self._pending.publish()
        write_npz(self._root / _TABLE, {**columns, **faces})

    @property
    def counts(self) -> tuple[int, int]:
        """Pictures and faces so far."""
        return len(self._rows), sum(len(table) for _, table, _ in self._faces)


def _read(file: Path) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    if not file.is_file():
        raise DataError(f"no {file}: make the set with mien data finder")
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in _COLUMNS}, {
                name: arrays[name] for name in _FACES
            }
    except (OSError, ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(f"{file} is damaged ({reason_of(error)}): make it again") from error


def _map(file: Path, table: dict[str, np.ndarray]) -> np.ndarray:
    wanted = int((table["offset"] + 3 * table["height"] * table["width"]).max(initial=0))
    if not file.is_file() or file.stat().st_size != wanted:
        raise DataError(
            f"{file} is not that of its table: make the set again with mien data finder"
        )
    return np.memmap(file, np.uint8, "r")
