"""Faces cut from their photos and laid into other pictures.

They come at any size and roll, more or less sharp, partly covered, partly beyond the border. A
paste leaves a seam that a network would learn to find, so masks and feathers vary, and the light is
brought near to that around.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from mien.augmentation.draws import log_uniform
from mien.augmentation.occlude import occlude
from mien.datasets.ours.finder_set import LabelledPicture, PictureFaces
from mien.geometry import Similarity, warp_crop

__all__ = ["Canvas", "Piece", "mirrored_picture", "moved_faces", "paste_mask"]

_MIRRORED = np.array([1, 0, 2, 4, 3])
_LEAST_SIZE = 8.0
"""Faces smaller than this, px, are not sure to be found."""
_SEEN, _GONE = 0.55, 0.25
"""Visible shares of a face's box from which it is to be found, and below which it is not there."""
_LEAST_PIXELS = 12.0
"""A face is not made coarser than this many px."""
_COARSE = 0.35
"""Share of the pieces that come with fewer pixels than they cover."""
_FOCUS_MARGIN = 0.15
"""Of the side: a photo's focus comes to lie no nearer to the picture's edge."""
_RELIT, _MOST_RELIT = 0.6, 0.8
"""Share of the pieces whose light is brought nearer to that around, and most of the way that goes:
all of the way, and no face would ever stand out of what is behind it."""
_NO_LIGHT = 7
"""Grey levels up to which a pixel is the black beyond a photo's edge."""
_MASK_SHRUNK = 4
"""A mask has this share of the photo's resolution: its edge is soft anyway."""
_WHOLE_PHOTO = 0.3
"""Share of the other masks that are of the whole photo too, with a wide edge."""
_HARD_EDGE, _WIDE_EDGE, _HEAD_EDGE = (0, 0.05), (0.05, 0.3), (0.02, 0.2)
"""Width of the edge, in face sizes: of a whole piece, of a photo that fades, of a head alone."""
_HEAD_SPREAD = 0.05
"""Standard deviation of the oval's middle about the face's, in face sizes."""
_HEAD = (0.6, 0.75), (0.95, 1.15)
"""Least and largest half axes of the oval, across and down, in face sizes: a face alone to a head
with its hair."""
_HEAD_LEAN_DEG = 15
_LEAST_EDGE_PX = 0.3
"""Below this a blur changes nothing."""

Image = UInt8[np.ndarray, "side side 3"]


class Canvas:
    """A picture being made, its faces, and how much of each is still to be seen."""

    def __init__(self, image: Image, faces: PictureFaces | None = None) -> None:
        self.image = image
        self.faces = faces or PictureFaces.empty()
        self._seen = _share_inside(self.faces, len(image))

    @classmethod
    def of(
        cls,
        picture: LabelledPicture,
        focus: Float[np.ndarray, " 2"],
        scale: float,
        angle_rad: float,
        side: int,
        rng: np.random.Generator,
    ) -> Canvas:
        """A photo warped so that ``focus`` comes to lie somewhere in it."""
        turn = Similarity(scale, angle_rad, (0.0, 0.0))
        shift = rng.uniform(_FOCUS_MARGIN * side, (1 - _FOCUS_MARGIN) * side, 2)
        shift -= turn.apply(np.asarray(focus, np.float64))
        canvas_from_image = Similarity(scale, angle_rad, (float(shift[0]), float(shift[1])))
        image = warp_crop(picture.image_rgb, canvas_from_image.inverse(), side)
        return cls(image, moved_faces(picture.faces, canvas_from_image))

    def table(self) -> PictureFaces:
        """Every face that can be seen; those that hardly can are not sure."""
        there = self._seen >= _GONE
        sure = self.faces.sure & (self._seen >= _SEEN) & (self.faces.size >= _LEAST_SIZE)
        faces = PictureFaces(self.faces.centre, self.faces.size, self.faces.points, sure)
        return faces.take(there)

    def paste(
        self,
        piece: Piece,
        mask: UInt8[np.ndarray, "rows cols"],
        rng: np.random.Generator,
        cover: np.ndarray | None,
        *,
        is_face: bool = True,
    ) -> None:
        """Lay a piece over the picture where its mask is white."""
        side = len(self.image)
        tile, left, top = piece.cut(side, rng)
        if cover is not None and len(tile) >= 16:
            tile = occlude(tile, cover, rng)
        alpha = piece.cut_mask(mask, left, top, len(tile))
        behind = self.image[top : top + len(tile), left : left + len(tile)]
        part = np.s_[: behind.shape[0], : behind.shape[1]]
        if not behind.size:
            return
        tile, alpha = tile[part], alpha[part]
        if rng.random() < _RELIT:
            tile = _towards(tile, behind, rng.uniform(0, _MOST_RELIT))
        weight = alpha[..., None].astype(np.float32) / 255
        mixed = behind + (tile.astype(np.float32) - behind) * weight
        behind[:] = mixed.astype(np.uint8)
        self._hide(alpha >= 128, left, top)
        if is_face:
            self._enter(moved_faces(piece.picture.faces, piece.canvas_from_image), piece, mask)

    def _hide(self, covered: np.ndarray, left: int, top: int) -> None:
        for row in range(len(self.faces)):
            x0, y0, x1, y1 = _corners(self.faces, row) - np.array([left, top, left, top])
            x0, y0 = max(int(x0), 0), max(int(y0), 0)
            under = covered[y0 : max(int(y1) + 1, 0), x0 : max(int(x1) + 1, 0)]
            if under.size:
                share = float(under.sum()) / max(float(self.faces.size[row]) ** 2, 1.0)
                self._seen[row] -= min(share, 1.0)

    def _enter(self, faces: PictureFaces, piece: Piece, mask: np.ndarray) -> None:
        """The faces of a piece that its mask lets through."""
        height, width = piece.picture.image_rgb.shape[:2]
        own = piece.picture.faces.centre
        rows = np.clip(own[:, 1] / height * mask.shape[0], 0, mask.shape[0] - 1).astype(int)
        cols = np.clip(own[:, 0] / width * mask.shape[1], 0, mask.shape[1] - 1).astype(int)
        through = mask[rows, cols] >= 128
        through[piece.picture.main] = True
        faces = faces.take(through)
        self.faces = PictureFaces.joined(self.faces, faces)
        self._seen = np.concatenate([self._seen, _share_inside(faces, len(self.image))])


@dataclass(frozen=True)
class Piece:
    """A crop of a face on its way to a place in a picture."""

    picture: LabelledPicture
    canvas_from_image: Similarity

    @classmethod
    def of(
        cls,
        picture: LabelledPicture,
        centre: Float[np.ndarray, " 2"],
        size: float,
        angle_rad: float,
    ) -> Piece:
        """Its main face of ``size`` px about ``centre``."""
        faces, main = picture.faces, picture.main
        scale = size / float(faces.size[main])
        moved = Similarity(scale, angle_rad, (0.0, 0.0)).apply(faces.centre[main])
        shift = centre - moved
        return cls(picture, Similarity(scale, angle_rad, (float(shift[0]), float(shift[1]))))

    def cut(self, canvas: int, rng: np.random.Generator) -> tuple[np.ndarray, int, int]:
        """The square around what of it lies in a canvas of that side, and its left top corner.

        Now and then coarser than it could be, as a face before a poor camera is.
        """
        height, width = self.picture.image_rgb.shape[:2]
        corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float64)
        placed = self.canvas_from_image.apply(corners - 0.5)
        start = np.clip(np.floor(placed.min(axis=0)), 0, canvas)
        left, top = (int(v) for v in start)
        side = max(int(np.ceil((placed.max(axis=0).clip(0, canvas) - start).max())), 2)
        image_from_tile = self.canvas_from_image.inverse() @ Similarity(1.0, 0.0, (left, top))
        size = self.canvas_from_image.scale * float(self.picture.faces.size[self.picture.main])
        if size <= _LEAST_PIXELS or rng.random() >= _COARSE:
            return warp_crop(self.picture.image_rgb, image_from_tile, side), left, top
        coarse = log_uniform(rng, _LEAST_PIXELS, size) / size
        few = max(round(side * coarse), 2)
        ratio = side / few
        widen = Similarity(ratio, 0.0, ((ratio - 1) / 2, (ratio - 1) / 2))
        small = warp_crop(self.picture.image_rgb, image_from_tile @ widen, few)
        return np.asarray(cv2.resize(small, (side, side))), left, top

    def cut_mask(
        self, mask: UInt8[np.ndarray, "rows cols"], left: int, top: int, side: int
    ) -> UInt8[np.ndarray, "side side"]:
        """The mask as it lies over that square."""
        image_from_tile = self.canvas_from_image.inverse() @ Similarity(1.0, 0.0, (left, top))
        height, width = self.picture.image_rgb.shape[:2]
        to_mask = np.array([mask.shape[1] / width, mask.shape[0] / height])
        matrix = image_from_tile.matrix * to_mask[:, None]
        matrix[:, 2] += 0.5 * to_mask - 0.5
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(mask, matrix, (side, side), flags=flags))


def moved_faces(faces: PictureFaces, target_from_source: Similarity) -> PictureFaces:
    """The faces where a similarity takes them."""
    points = target_from_source.apply(faces.points.astype(np.float64))
    size = faces.size * target_from_source.scale
    return PictureFaces(target_from_source.apply(faces.centre), size, points, faces.sure.copy())


def mirrored_picture(picture: LabelledPicture) -> LabelledPicture:
    """A picture and its faces, left and right exchanged."""
    faces, width = picture.faces, picture.image_rgb.shape[1]
    centre, points = faces.centre.copy(), faces.points[:, _MIRRORED].copy()
    centre[:, 0] = width - 1 - centre[:, 0]
    points[..., 0] = width - 1 - points[..., 0]
    image = np.ascontiguousarray(picture.image_rgb[:, ::-1])
    return LabelledPicture(
        image, PictureFaces(centre, faces.size, points, faces.sure), picture.main
    )


def paste_mask(
    picture: LabelledPicture, rng: np.random.Generator, *, is_whole: bool
) -> UInt8[np.ndarray, "rows cols"]:
    """White where a piece is laid on, at a quarter of the picture's size.

    All of the photo, or the head alone, with an edge between hard and wide.
    """
    image, faces = picture.image_rgb, picture.faces
    few = image[::_MASK_SHRUNK, ::_MASK_SHRUNK]
    bright = (few[..., 0] | few[..., 1] | few[..., 2]) > _NO_LIGHT
    rows, cols = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
    mask = np.zeros(bright.shape, np.uint8)
    if not len(rows):
        return mask
    size = float(faces.size[picture.main]) / _MASK_SHRUNK
    photo = np.s_[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    if is_whole:
        mask[photo] = 255
        feather = rng.uniform(*_HARD_EDGE) * size
    elif rng.random() < _WHOLE_PHOTO:
        mask[photo] = 255
        feather = rng.uniform(*_WIDE_EDGE) * size
    else:
        centre = faces.centre[picture.main] / _MASK_SHRUNK
        centre = centre + rng.normal(0, _HEAD_SPREAD, 2) * size
        axes = rng.uniform(*_HEAD) * size
        spot = np.zeros_like(mask)
        where, wide = (tuple(map(float, pair)) for pair in (centre, 2 * axes))
        cv2.ellipse(spot, (where, wide, rng.uniform(-_HEAD_LEAN_DEG, _HEAD_LEAN_DEG)), 255, -1)
        mask[photo] = spot[photo]
        feather = rng.uniform(*_HEAD_EDGE) * size
    if feather > _LEAST_EDGE_PX:
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), feather, borderType=cv2.BORDER_REPLICATE))
    return mask


def _towards(tile: np.ndarray, behind: np.ndarray, share: float) -> np.ndarray:
    """The tile's light moved towards that of what it covers."""
    step = max(len(tile) // 32, 1)  # some of the pixels tell the light
    light = [part[::step, ::step].mean(axis=(0, 1)) for part in (behind, tile)]
    change = share * (light[0] - light[1])
    return np.asarray(np.clip(tile + change.astype(np.float32), 0, 255).astype(np.uint8))


def _corners(faces: PictureFaces, row: int) -> np.ndarray:
    half = faces.size[row] / 2
    return np.concatenate([faces.centre[row] - half, faces.centre[row] + half])


def _share_inside(faces: PictureFaces, side: int) -> np.ndarray:
    half = faces.size[:, None] / 2
    start, end = np.clip([faces.centre - half, faces.centre + half], -0.5, side - 0.5)
    area = (end - start).prod(axis=1)
    return np.asarray(area / np.maximum(faces.size, 1e-6) ** 2)
