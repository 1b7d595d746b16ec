"""Where training pictures come from: our face pack, and folders of shards made from it.

Both give the same thing: a picture with one face, its 3D points and which of them to trust.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped, UInt8

from mien.datasets.labelled_face import LabelledFace, TrainingFaces
from mien.datasets.ours.pack_labels import load_pack_labels
from mien.datasets.ours.shards import list_shards, read_shard
from mien.datasets.photo import decode_rgb, read_encoded
from mien.errors import DataError
from mien.geometry.convention import Convention, in_convention
from mien.geometry.jaw import with_dense_jaw, with_dense_jaw_flags

__all__ = ["PackFaces", "ShardFaces", "faces_by_source", "pick"]


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
        self._bytes: dict[int, UInt8[np.ndarray, " bytes"]] = {}

    def __len__(self) -> int:
        return len(self._files)

    def load(self, index: int) -> LabelledFace:
        file = self._files[index]
        if index not in self._bytes:
            self._bytes[index] = read_encoded(file)
        image = decode_rgb(self._bytes[index], str(file))
        return LabelledFace(image, self._points[index], self._trusted[index])


class ShardFaces:
    """Faces of a folder of ``shard-*.npz`` files, as ``mien data profile`` writes them.

    Shards (``mien.datasets.ours.shards``) are read into memory once. ``points``, 68 or 84, says
    which of their labels to give out, ``convention`` where they lie on the head: the set's own are
    clicked.
    """

    def __init__(
        self, folder: Path, points: int = 68, convention: Convention = Convention.CLICKED
    ) -> None:
        self._convention = convention
        self.name = folder.name
        self._jpegs: list[UInt8[np.ndarray, " bytes"]] = []
        found, edits = list[Float[np.ndarray, "n points 3"]](), list[Shaped[np.ndarray, " n"]]()
        for file in list_shards(folder):
            shard = read_shard(file)
            labels = shard.labels
            label = labels.points_image if points == 68 else labels.points84_image
            if label is None:
                raise DataError(
                    f"{file} has no {points}-point labels: make the set again with mien data "
                    "profile, or train a network of 68 points"
                )
            self._jpegs += [shard.encoded(row) for row in range(len(labels))]
            found.append(label)
            edits.append(labels.edit)
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
        image = decode_rgb(self._jpegs[row], f"{self.name}, picture {row}")
        points = in_convention(self._points[row], Convention.CLICKED, self._convention)
        points = points - [0, 0, points[:, 2].mean()]
        return LabelledFace(image, points.astype(np.float32), np.ones(len(points), bool))


def faces_by_source(root: Path, split: str) -> dict[str, int]:
    """How many faces of a split each source of the pack has, with any point to learn from.

    Raises:
        DataError: the folder holds no face pack.
    """
    labels = load_pack_labels(root)
    good = labels.trusted.any(axis=1) & (np.array(labels.split) == split)
    names, counts = np.unique(np.array(labels.source)[good], return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def pick(
    sets: Sequence[TrainingFaces], shares: Sequence[float], rng: np.random.Generator
) -> LabelledFace:
    """One face: first a set by its share, then any face of it."""
    probabilities = np.array(shares) / sum(shares)
    chosen = sets[int(rng.choice(len(sets), p=probabilities))]
    return chosen.load(int(rng.integers(len(chosen))))
