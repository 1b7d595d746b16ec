"""Contact sheets: many faces with their labels in one picture, because sets must be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from mien.datasets.ours.pack import FacePack
from mien.datasets.ours.shards import list_shards, read_shard, read_shard_labels
from mien.datasets.photo import decode_rgb
from mien.errors import DataError, OutputError
from mien.files import write_atomically
from mien.geometry.pose import rotation_from_angles
from mien.synthesis.fit.labels import FaceLabels
from mien.synthesis.fit.photo_border import read_photo
from mien.synthesis.fit.solver import HeadFits
from mien.synthesis.make.session import SynthesisSession
from mien.synthesis.render.turning import Turn
from mien.types import HeadPose

__all__ = ["SheetCell", "draw_sheet", "sheet_of_set", "sheet_of_turns", "worst_fits", "write_sheet"]

_SEEN, _HIDDEN, _TEXT = (0, 255, 0), (0, 0, 255), (255, 255, 0)
_TEXT_SIZE = 0.45


@dataclass(frozen=True)
class SheetCell:
    """One picture of a sheet, in OpenCV's colour order."""

    image: UInt8[np.ndarray, "height width 3"]
    points_image: Float[np.ndarray, "points dims"]
    """Points to draw; empty for a bare picture."""
    hidden: Bool[np.ndarray, " points"]
    caption: str = ""


def draw_sheet(
    cells: list[SheetCell], columns: int = 7, side: int = 260
) -> UInt8[np.ndarray, "height width 3"]:
    """Squares in rows: seen points green, hidden ones red."""
    rows = max(1, -(-len(cells) // columns))
    sheet = np.zeros((rows * side, columns * side, 3), np.uint8)
    for number, cell in enumerate(cells):
        zoom = side / max(cell.image.shape[:2])
        small = cv2.resize(cell.image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
        for point, hidden in zip(cell.points_image, cell.hidden, strict=True):
            spot = (int((point[0] + 0.5) * zoom), int((point[1] + 0.5) * zoom))
            cv2.circle(small, spot, 2, _HIDDEN if hidden else _SEEN, -1)
        cv2.putText(small, cell.caption, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, _TEXT_SIZE, _TEXT, 1)
        top, left = number // columns * side, number % columns * side
        sheet[top : top + small.shape[0], left : left + small.shape[1]] = small[:side, :side]
    return sheet


def worst_fits(fits: HeadFits, photos: FacePack, labels: FaceLabels, count: int) -> list[SheetCell]:
    """Half of them the worst that sets still use, half from those left out."""
    used = np.flatnonzero(labels.usable)
    used = used[np.argsort(fits.residual_cm[used])[::-1]][: count // 2]
    left_out = np.flatnonzero(~labels.usable)
    left_out = left_out[np.argsort(fits.residual_cm[left_out])[::-1]][: count // 2]
    return [
        SheetCell(
            read_photo(photos, row),
            labels.points_image[row],
            np.zeros(68, bool),
            f"{photos.source[row]} {fits.residual_cm[row]:.2f} {'' if labels.usable[row] else 'X'}",
        )
        for row in np.concatenate([used, left_out]).tolist()
    ]


def sheet_of_set(
    folder: Path, pictures: int, rng: np.random.Generator, with_points: bool = True
) -> UInt8[np.ndarray, "height width 3"]:
    """A sheet of random pictures of a set of shards: none twice, so all of a small set."""
    shards = list_shards(folder)
    counts = [len(read_shard_labels(shard)) for shard in shards]
    chosen = np.sort(rng.choice(sum(counts), min(pictures, sum(counts)), replace=False))
    cells, first = list[SheetCell](), 0
    for file, count in zip(shards, counts, strict=True):
        rows = chosen[(chosen >= first) & (chosen < first + count)] - first
        first += count
        if not len(rows):
            continue
        shard = read_shard(file)
        labels = shard.labels
        for row in rows.tolist():
            image_rgb = decode_rgb(shard.encoded(row), f"{file}, picture {row}")
            drawn = 68 if with_points else 0
            cells.append(
                SheetCell(
                    np.ascontiguousarray(image_rgb[:, :, ::-1]),
                    labels.points_image[row][:drawn],
                    labels.hidden[row][:drawn],
                    f"{labels.yaw_deg[row]:.0f} {labels.edit[row]}",
                )
            )
    return draw_sheet(cells)


def sheet_of_turns(
    session: SynthesisSession, split: str, photos: int, rng: np.random.Generator
) -> UInt8[np.ndarray, "height width 3"]:
    """Random photos of a split and their heads at yaw 0, 30, 60 and 90, to the side that each
    photo shows better."""
    usable = np.flatnonzero(session.usable(split))
    if not len(usable):
        raise DataError(f"no photo of split {split} can be used: fit others")
    cells = []
    for row in rng.permutation(usable)[:photos]:
        photo = session.warp.photo(int(row))
        side = 1 if photo.rotation[0, 2] <= 0 else -1
        nothing = np.zeros((0, 3), np.float32), np.zeros(0, bool)
        cells.append(SheetCell(photo.image, *nothing, "photo"))
        for yaw in (0, 30, 60, 90):
            rotation = rotation_from_angles(HeadPose(float(side * yaw), 0, 0))
            turned = session.turner.turn(photo, Turn(rotation))
            cells.append(SheetCell(turned.image, *nothing, f"{side * yaw}"))
    return draw_sheet(cells, columns=10)


def write_sheet(path: Path, sheet: UInt8[np.ndarray, "height width 3"]) -> None:
    """Write a sheet as a picture, its format by the name's ending.

    Raises:
        OutputError: the ending is no picture's, or the file cannot be written.
    """
    try:
        done, data = cv2.imencode(path.suffix, sheet)
    except cv2.error as error:
        raise OutputError(f"expected a picture's name (.png, .jpg), not {path}") from error
    if not done:
        raise OutputError(f"the sheet is too large to be stored as {path.suffix}")
    write_atomically(path, data.tobytes())
