"""Pictures for a face finder: photos as they are, and faces pasted into any background."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from mien.augmentation.degrade import relight
from mien.augmentation.draws import log_uniform
from mien.augmentation.pasting import Canvas, Piece, mirrored_picture, paste_mask
from mien.datasets.ours.finder_set import (
    CROP,
    EMPTY,
    SCENE,
    FinderSet,
    LabelledPicture,
    PictureFaces,
)
from mien.errors import ConfigError

__all__ = ["ComposeConfig", "Composer", "finish"]

Image = UInt8[np.ndarray, "side side 3"]

_MORE_FACES = 0.25
"""Share of the photos as they are with one or two faces pasted in."""
_BLANK = 0.5
"""Share of the close faces before one colour, as a cut crop is; the rest stand before a photo."""
_COLOURED = 0.4
"""Share of those colours that are any; the rest are black, as crops are beyond a picture's edge."""
_NO_FACE_PHOTO = 0.25
"""Share of the photos as they are that come from those without a face."""
_ABOUT_A_FACE = 0.7
"""Share of scenes that are shown about one of their faces; the rest about any place."""
_SCENE_SCALE = (0.5, 2.0)
"""Scales of scenes, evenly in their logarithm: an octave about the size they have."""
_SCENE_BEHIND = 0.3
"""Share of backdrops that are scenes with faces of their own, not photos without."""
_ZOOM = math.e
"""Most that a backdrop is magnified beyond filling the picture: nearly three times."""
_BACKDROP_MARGIN = 0.25
"""Of a backdrop's width and height, at each side: its focus lies further in, so little is black."""
_CROWD_LARGEST = 0.75
"""Largest face of a crowd as a share of the picture's side; larger ones come as close faces."""
_BEYOND = 0.1
"""Most by which a pasted face's middle lies beyond the picture, in face sizes."""
_WHOLE_PIECE = 0.25
"""Share of pieces pasted with all of their photo about them."""
_CLOSE_LEAST, _CLOSE_SLACK = 0.2, 0.3
"""Least close face as a share of the picture's side; least room it moves in, in face sizes, for one
that fills the picture is cut by its border too."""
_DECOY_SIZE, _DECOY_MARGIN = (0.1, 0.4), 0.3
"""What a decoy's photo shows as the face: its size as a share of the shorter side, and where its
middle lies: no nearer to an edge than this share."""
_DECOY_LARGEST = 0.5
"""Largest decoy as a share of the picture's side."""
_ROLL_DEG, _MOST_ROLL_DEG = 18, 45
"""Standard deviation and most of the roll of faces that are not steep."""
_SCENE_ROLLED, _SCENE_ROLL_DEG = 0.2, 8
"""Share of scenes turned any way, and standard deviation of the roll of the others."""
_RELIT, _GREY = 0.7, 0.12
"""Shares of pictures with other light, and without colour."""
_BLURRED, _BLUR_PX = 0.15, (0.3, 1.0)
"""Share of blurred pictures, and standard deviation of the blur: faces of 9 px stay faces."""
_NOISY, _NOISE = 0.2, (2, 14)
"""Share with sensor noise, and its standard deviation in grey levels."""
_PACKED, _JPEG_QUALITY = 0.25, (25, 85)
"""Share packed as JPEG once more, and how well."""


@dataclass(frozen=True)
class ComposeConfig:
    """What the pictures of a finder's training look like."""

    side: int = 256
    """Px of the square pictures; a multiple of 32."""
    photo_share: float = 0.35
    """Pictures that are a photo as it is, scenes and others, now and then with faces pasted in."""
    close_share: float = 0.25
    """Pictures with one large face as its photo has it."""
    empty_share: float = 0.06
    """Pictures without a face. The rest are crowds: faces pasted into any background."""
    least_face: float = 9.0
    """Px of the smallest faces pasted."""
    most_face: float = 320.0
    """Px of the largest."""
    most_pasted: int = 6
    """Most faces pasted into one picture."""
    decoys: float = 0.4
    """Share of the crowds with pieces pasted in that hold no face."""
    steep: float = 0.3
    """Share of the faces rolled by up to 180 degrees; the others by up to 45."""
    covered: float = 0.2
    """Share of the pasted faces with something before them."""

    def __post_init__(self) -> None:
        if self.side % 32 or self.side < 64:
            raise ConfigError(f"side is a multiple of 32, at least 64, not {self.side}")
        if not 0 < self.least_face < self.most_face or self.most_pasted < 1:
            raise ConfigError("0 < least_face < most_face, and most_pasted is at least 1")
        if self.photo_share + self.close_share + self.empty_share > 1:
            raise ConfigError("photo_share, close_share and empty_share are at most 1 together")


class Composer:
    """Makes pictures of one split of a set; what it makes follows from the generator alone."""

    def __init__(self, pictures: FinderSet, config: ComposeConfig) -> None:
        """Sort the pictures by kind.

        Raises:
            ConfigError: the set lacks crops of faces, or anything to put behind them.
        """
        self._pictures = pictures
        self._config = config
        crops = {name: pictures.of(CROP, name) for name in pictures.sources}
        self._crops = [rows for rows in crops.values() if len(rows)]
        scenes = {name: pictures.of(SCENE, name) for name in pictures.sources}
        self._scenes = [rows for rows in scenes.values() if len(rows)]
        self._empty = pictures.of(EMPTY)
        if not self._crops or not (self._scenes or len(self._empty)):
            raise ConfigError("a finder learns from crops of faces and from scenes or empty photos")

    def make(self, rng: np.random.Generator) -> tuple[Image, PictureFaces]:
        """One picture and the faces in it."""
        config = self._config
        kind = rng.random()
        if kind < config.photo_share:
            canvas = self._photo(rng)
            if rng.random() < _MORE_FACES:
                self._paste_some(canvas, int(rng.integers(1, 3)), rng)
        elif kind < config.photo_share + config.close_share:
            canvas = self._blank(rng) if rng.random() < _BLANK else self._backdrop(rng)
            self._paste_close(canvas, rng)
        else:
            canvas = self._backdrop(rng)
            if rng.random() < config.decoys:
                for _ in range(int(rng.integers(1, 4))):
                    self._paste_decoy(canvas, rng)
            if kind < 1 - config.empty_share:
                count = int(rng.integers(1, config.most_pasted + 1))
                self._paste_some(canvas, count, rng)
        return finish(canvas.image, rng), canvas.table()

    def _photo(self, rng: np.random.Generator) -> Canvas:
        """A scene about one of its faces, or anywhere; a quarter are photos without a face."""
        if not self._scenes or (len(self._empty) and rng.random() < _NO_FACE_PHOTO):
            return self._backdrop(rng)
        rows = self._scenes[int(rng.integers(len(self._scenes)))]
        picture = _either_way(self._pictures.load(int(rng.choice(rows))), rng)
        side = self._config.side
        height, width = picture.image_rgb.shape[:2]
        scale = log_uniform(rng, *_SCENE_SCALE)
        focus = rng.uniform([0, 0], [width, height])
        sure = np.flatnonzero(picture.faces.sure)
        if len(sure) and rng.random() < _ABOUT_A_FACE:
            focus = picture.faces.centre[int(rng.choice(sure))]
        return Canvas.of(picture, focus, scale, _small_roll(rng), side, rng)

    def _backdrop(self, rng: np.random.Generator) -> Canvas:
        """What is behind pasted faces: a photo without a face, or a scene, faces and all."""
        side = self._config.side
        use_scene = self._scenes and (not len(self._empty) or rng.random() < _SCENE_BEHIND)
        rows = self._scenes[int(rng.integers(len(self._scenes)))] if use_scene else self._empty
        picture = _either_way(self._pictures.load(int(rng.choice(rows))), rng)
        height, width = picture.image_rgb.shape[:2]
        scale = side / min(height, width) * math.exp(rng.uniform(0, math.log(_ZOOM)))
        focus = _within(width, height, _BACKDROP_MARGIN, rng)
        return Canvas.of(picture, focus, scale, rng.uniform(-math.pi, math.pi), side, rng)

    def _blank(self, rng: np.random.Generator) -> Canvas:
        side = self._config.side
        colour = rng.integers(0, 256, 3) if rng.random() < _COLOURED else np.zeros(3)
        return Canvas(np.full((side, side, 3), colour, np.uint8))

    def _face(self, rng: np.random.Generator) -> LabelledPicture:
        """A crop of a known face, every source as often as another."""
        while True:
            rows = self._crops[int(rng.integers(len(self._crops)))]
            picture = self._pictures.load(int(rng.choice(rows)))
            if picture.main >= 0:
                return _either_way(picture, rng)

    def _paste_some(self, canvas: Canvas, count: int, rng: np.random.Generator) -> None:
        config = self._config
        top = min(config.most_face, _CROWD_LARGEST * config.side)
        largest = log_uniform(rng, 2 * config.least_face, top)
        for _ in range(count):
            size = log_uniform(rng, config.least_face, largest)
            picture = self._face(rng)
            cover = self._other(rng) if rng.random() < config.covered else None
            centre = rng.uniform(-_BEYOND * size, config.side + _BEYOND * size, 2)
            piece = Piece.of(picture, centre, size, _roll(config, rng))
            mask = paste_mask(picture, rng, is_whole=rng.random() < _WHOLE_PIECE)
            canvas.paste(piece, mask, rng, cover)

    def _paste_close(self, canvas: Canvas, rng: np.random.Generator) -> None:
        config = self._config
        size = log_uniform(rng, _CLOSE_LEAST * config.side, config.most_face)
        slack = 0.5 * max(config.side - size, _CLOSE_SLACK * size)
        centre = config.side / 2 + rng.uniform(-slack, slack, 2)
        picture = self._face(rng)
        cover = self._other(rng) if rng.random() < config.covered else None
        piece = Piece.of(picture, centre, size, _roll(config, rng))
        canvas.paste(piece, paste_mask(picture, rng, is_whole=True), rng, cover)

    def _paste_decoy(self, canvas: Canvas, rng: np.random.Generator) -> None:
        """A piece without a face, its mask as that of a face would be."""
        if not len(self._empty):
            return
        picture = self._pictures.load(int(rng.choice(self._empty)))
        height, width = picture.image_rgb.shape[:2]
        share = rng.uniform(*_DECOY_SIZE)
        fake = PictureFaces(
            _within(width, height, _DECOY_MARGIN, rng)[None],
            np.array([share * min(height, width)]),
            np.full((1, 5, 2), np.nan),
            np.zeros(1, bool),
        )
        held = LabelledPicture(picture.image_rgb, fake, 0)
        side = self._config.side
        size = log_uniform(rng, self._config.least_face, _DECOY_LARGEST * side)
        piece = Piece.of(held, rng.uniform(0, side, 2), size, rng.uniform(-math.pi, math.pi))
        canvas.paste(piece, paste_mask(held, rng, is_whole=False), rng, None, is_face=False)

    def _other(self, rng: np.random.Generator) -> np.ndarray:
        rows = self._empty if len(self._empty) else self._scenes[0]
        return self._pictures.load(int(rng.choice(rows))).image_rgb


def finish(image: Image, rng: np.random.Generator) -> Image:
    """Light, grain and compression over the whole, mild enough that small faces stay faces."""
    if rng.random() < _RELIT:
        image = relight(image, rng)
    if rng.random() < _GREY:
        image = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    if rng.random() < _BLURRED:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(*_BLUR_PX)))
    if rng.random() < _NOISY:
        grain = rng.standard_normal(image.shape, dtype=np.float32) * rng.uniform(*_NOISE)
        image = np.clip(image + grain, 0, 255).astype(np.uint8)
    if rng.random() < _PACKED:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*_JPEG_QUALITY))]
        image = np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_COLOR))
    return image


def _within(
    width: int, height: int, margin: float, rng: np.random.Generator
) -> Float[np.ndarray, " 2"]:
    """A place in a picture, this share of its width and height or more away from its edges."""
    far = 1 - margin
    return rng.uniform([margin * width, margin * height], [far * width, far * height])


def _either_way(picture: LabelledPicture, rng: np.random.Generator) -> LabelledPicture:
    return mirrored_picture(picture) if rng.random() < 0.5 else picture


def _roll(config: ComposeConfig, rng: np.random.Generator) -> float:
    most = math.radians(_MOST_ROLL_DEG)
    if rng.random() < config.steep:
        return float(rng.uniform(-math.pi, math.pi))
    return float(np.clip(rng.normal(0, math.radians(_ROLL_DEG)), -most, most))


def _small_roll(rng: np.random.Generator) -> float:
    if rng.random() < _SCENE_ROLLED:
        return float(rng.uniform(-math.pi, math.pi))
    return float(rng.normal(0, math.radians(_SCENE_ROLL_DEG)))
