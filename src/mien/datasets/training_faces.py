"""Where training pictures come from: our face pack, and folders of shards made from it.

Both give the same thing: a picture with one face, its 3D points and which of them to trust.
"""

from __future__ import annotations

import copy
import itertools
import zipfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from mien.datasets.labelled_face import LabelledFace, TrainingFaces
from mien.datasets.ours.pack_labels import load_pack_labels
from mien.errors import DataError
from mien.geometry.convention import Convention, in_convention
from mien.geometry.jaw import with_dense_jaw, with_dense_jaw_flags

__all__ = ["PackFaces", "ShardFaces", "pick"]


class PackFaces:
    """Faces of one source and split of the pack; compressed pictures stay in memory.

    The pack's labels have 68 points. Where 84 are asked for, the 16 new jaw points are put on the
    spline through the old ones (`mien.geometry.jaw`) and trusted where both neighbours are.
    """

    def __init__(
        self,
        root: Path,
        *,
        split: str,
        source: str,
        points: int = 68,
        convention: Convention = Convention.CLICKED,
    ) -> None:
        self.name = source
        labels = load_pack_labels(root)
        self._chosen = [
            index
            for index in range(len(labels))
            if labels.split[index] == split
            and labels.source[index] == source
            and labels.trusted[index].any()
        ]
        if not self._chosen:
            raise DataError(f"{root} has no {split} faces of source '{source}'")
        self._points = np.stack(
            [
                in_convention(face, Convention.CLICKED, convention)
                for face in labels.points[self._chosen]
            ]
        )
        self._trusted = labels.trusted[self._chosen]
        if points == 84:
            self._points = with_dense_jaw(self._points)
            self._trusted = with_dense_jaw_flags(self._trusted)
        self._points[..., 2] -= self._points[..., 2].mean(axis=1, keepdims=True)
        self._files = [root / "faces" / labels.path[index] for index in self._chosen]
        self._bytes: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self._files)

    def load(self, index: int) -> LabelledFace:
        if index not in self._bytes:
            self._bytes[index] = _read(self._files[index])
        image = _decode(self._bytes[index], str(self._files[index]))
        return LabelledFace(image, self._points[index], self._trusted[index])


class ShardFaces:
    """Faces of a folder of ``shard-*.npz`` files, as ``mien data profile`` writes them.

    A shard holds ``jpeg`` (all pictures, one after the other), ``offsets``, ``points`` (n, 68, 3),
    ``points84`` (n, 84, 3; not in shards of before November 2026) and ``split``; it is read into
    memory once. ``points`` says which of the two labels to give out, ``convention`` where they lie
    on the head: the set's own are clicked.
    """

    def __init__(
        self, folder: Path, points: int = 68, convention: Convention = Convention.CLICKED
    ) -> None:
        self._convention = convention
        self.name = folder.name
        labels = {68: "points", 84: "points84"}[points]
        files = sorted(folder.glob("shard-*.npz"))
        if not files:
            raise DataError(f"{folder} holds no shard-*.npz: give a folder of turned faces")
        self._jpegs: list[np.ndarray] = []
        found: list[np.ndarray] = []
        edits: list[np.ndarray] = []
        for file in files:
            try:
                with file.open("rb") as stream, np.load(stream) as shard:
                    if labels not in shard and "points" in shard:
                        raise DataError(
                            f"{file} has no {points}-point labels: make the set again with mien "
                            "data profile, or train a network of 68 points"
                        )
                    jpeg, offsets = shard["jpeg"], shard["offsets"]
                    self._jpegs += [jpeg[start:end] for start, end in itertools.pairwise(offsets)]
                    found.append(shard[labels])
                    none = np.full(len(found[-1]), "")
                    edits.append(shard.get("edit", none))
            except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
                raise DataError(f"{file} is not a whole shard ({error}): make it again") from error
        self._points = np.concatenate(found)
        self._edits = np.concatenate(edits)
        self._rows = np.arange(len(self._points))

    def edited(self, edit: str) -> ShardFaces:
        """The pictures whose faces were so edited, such as ``eyes shut``; nothing is read anew."""
        chosen = copy.copy(self)
        chosen.name = f"{self.name}, {edit}"
        chosen._rows = np.flatnonzero(np.char.find(self._edits, edit) >= 0)
        return chosen

    def __len__(self) -> int:
        return len(self._rows)

    def load(self, index: int) -> LabelledFace:
        row = self._rows[index]
        image = _decode(self._jpegs[row], f"{self.name}, picture {row}")
        points = in_convention(self._points[row], Convention.CLICKED, self._convention)
        points = points - [0, 0, points[:, 2].mean()]
        return LabelledFace(image, points.astype(np.float32), np.ones(len(points), bool))


def _read(file: Path) -> np.ndarray:
    try:
        return np.fromfile(file, dtype=np.uint8)
    except OSError as error:
        raise DataError(f"the pack names {file}, which cannot be read: {error.strerror}") from error


def _decode(encoded: np.ndarray, name: str) -> UInt8[np.ndarray, "height width 3"]:
    image = cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB) if len(encoded) else None
    if image is None:
        raise DataError(f"{name} is not a picture OpenCV can read")
    return np.asarray(image, dtype=np.uint8)


def pick(
    sets: Sequence[TrainingFaces], shares: Sequence[float], rng: np.random.Generator
) -> LabelledFace:
    """One face: first a set by its share, then any face of it."""
    probabilities = np.array(shares) / sum(shares)
    chosen = sets[int(rng.choice(len(sets), p=probabilities))]
    return chosen.load(int(rng.integers(len(chosen))))
