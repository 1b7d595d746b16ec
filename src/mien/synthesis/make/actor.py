"""One photo's head in a plane that goes on past the photo's edges, and a camera before it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from mien.synthesis.fit.residual_warp import FittedPhoto
from mien.synthesis.make.session import SynthesisSession
from mien.synthesis.render.turning import Turn, Window

__all__ = ["Actor", "Shot"]

_FAR = 2.0
"""How far the plane goes on around the photo, in the photo's sides."""
_FACE_CM = 14.0
"""Size of a face, sqrt(width * height) of its landmark box seen from the front."""
_SQUARE_CM = 42.0
"""What a shot shows of a head and its surroundings."""
_MIDDLE_CM = np.array([0, 2, 0], np.float32)


@dataclass(frozen=True)
class Shot:
    """A square of a frame that shows one head, its middle at the square's."""

    image: UInt8[np.ndarray, "side side 3"]
    left: int
    top: int
    points_image: Float[np.ndarray, "68 3"]
    """In px of the frame."""
    hidden: Bool[np.ndarray, " 68"]
    """By the head itself."""
    head: Float[np.ndarray, "side side"]
    """1 on the head and the shoulders below it, 0 far from them."""
    yaw_deg: float


class Actor:
    """One photo's head, played frame by frame."""

    def __init__(self, session: SynthesisSession, row: int) -> None:
        self._session = session
        self.source_path = str(session.photos.path[row])
        self._plane = _go_on(session.warp.photo(row))
        photo = self._plane
        self._middle = photo.project((photo.rotation @ _MIDDLE_CM)[None])[0, :2]
        self._jaw = session.head.expression_index("jawOpen")

    def plate(
        self, centre: Float[np.ndarray, " 2"], face_px: float, width: int, height: int
    ) -> UInt8[np.ndarray, "height width 3"]:
        """The plane as the camera sees it: the head's middle at ``centre``, a face so large."""
        zoom = face_px / (_FACE_CM * self._plane.scale)
        shift = centre - zoom * self._middle
        matrix = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
        image = cv2.warpAffine(
            self._plane.image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(image, np.uint8)

    def play(
        self,
        rotation: Float[np.ndarray, "3 3"],
        blink: float,
        mouth: float,
        centre: Float[np.ndarray, " 2"],
        face_px: float,
    ) -> Shot:
        """The head so turned, its middle at ``centre`` of the frame, a face so large."""
        photo, session = self._plane, self._session
        side = round(_SQUARE_CM / _FACE_CM * face_px)
        corner = np.round(centre - (side - 1) / 2)
        zoom = face_px / (_FACE_CM * photo.scale)
        window = Window((self._middle - (centre - corner) / zoom).astype(np.float32), zoom, side)
        change = session.editor.shut_eyes(photo.vertices_cm, (blink, blink))
        change[self._jaw] += mouth * max(1 - float(photo.expression[self._jaw]), 0)
        turn = Turn(rotation, 0.5, change, eyes_shut=blink**2)
        turned = session.turner.turn(photo, turn, window)
        points = turned.points_image.copy()
        points[:, :2] += corner
        head = _person(turned.mask, side / _SQUARE_CM)
        left, top = (int(value) for value in corner)
        return Shot(turned.image, left, top, points, turned.hidden, head, turned.yaw_deg)


def _person(
    mask: Bool[np.ndarray, "side side"], px_per_cm: float
) -> Float[np.ndarray, "side side"]:
    """A soft mask of head and shoulders."""
    person = mask.astype(np.uint8)
    outline = np.array([[-6, 10], [6, 10], [9, 15], [19, 19], [20, 21], [-20, 21], [-19, 19]])
    outline = np.concatenate([outline, [[-9, 15]]]) * px_per_cm + (len(mask) - 1) / 2
    cv2.fillPoly(person, [np.round(outline).astype(np.int32)], 1)
    soft = cv2.blur(person.astype(np.float32), (2 * round(px_per_cm / 2) + 1,) * 2)
    fade = np.clip((len(mask) - np.arange(len(mask))) / (2 * px_per_cm), 0, 1)
    return np.asarray(soft * fade[:, None], np.float32)


def _go_on(photo: FittedPhoto) -> FittedPhoto:
    """The photo on a plane where its rim goes on, ever more blurred: no face is mirrored."""
    height, width = photo.image.shape[:2]
    far = round(_FAR * max(height, width))
    wide = cv2.copyMakeBorder(photo.image, far, far, far, far, cv2.BORDER_REPLICATE)
    small = cv2.resize(wide, None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), width / 8 / 12)
    soft = cv2.resize(soft, wide.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    inside = np.zeros(wide.shape[:2], np.float32)
    inside[far + 4 : far + height - 4, far + 4 : far + width - 4] = 1
    inside = cv2.blur(inside, (9, 9))[..., None]
    plane = wide * inside + soft * (1 - inside)
    shift = photo.shift + np.float32(far)
    return replace(photo, image=np.clip(np.round(plane), 0, 255).astype(np.uint8), shift=shift)
