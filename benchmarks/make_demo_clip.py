"""Make the bundled clip: one public-domain photo, its head turned in depth, the landmarks exact.

    python benchmarks/make_demo_clip.py ICT_FACE_MODEL.npz --out src/mien/demo

The photo is `skimage.data.astronaut()` (NASA, public domain); scikit-image is in the `test` extra.
Its 68 points (`astronaut_points.json`, placed by hand) are fitted with a morphable head;
the head is turned along a smooth path, blinks, and the camera moves. Landmarks undergo the very
motion of the skin below them, so they are exact up to the hand-placed points of the photo.
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import av
import cv2
import numpy as np
from jaxtyping import Float, UInt8
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation
from skimage import data

from mien.datasets.ours.pack import FacePack
from mien.geometry.pose import yaw_deg
from mien.synthesis.fit.anchors import Anchors, load_anchors
from mien.synthesis.fit.fits import fit_photos
from mien.synthesis.fit.residual_warp import FittedPhoto, ResidualWarp
from mien.synthesis.head.morphable import MorphableHead, load_head
from mien.synthesis.render.expression import ExpressionEditor
from mien.synthesis.render.turning import HeadTurner, Turn, Window

_log = logging.getLogger("make_demo_clip")
POINTS = Path(__file__).with_name("astronaut_points.json")
FRAMES, RATE, SIDE = 150, 25, 480
ENLARGE = 2
"""The photo is enlarged before it is warped, so that bilinear sampling loses nothing of it."""
HAIR_CM = 0.5

# Seconds, then degrees: yaw (to the image's right), pitch (down), roll (clockwise).
_POSES = np.array(
    [
        (0.0, 0, 0, 0),
        (0.7, -4, 2, 0),
        (1.5, 25, -4, 3),
        (2.3, 50, 0, 0),
        (2.9, 38, 8, -4),
        (3.6, 0, 9, -10),
        (4.4, -36, 0, -3),
        (5.0, -50, -7, 2),
        (5.6, -28, -3, 8),
        (6.0, -10, 2, 5),
    ]
)
# Seconds, then the camera: enlargement of the photo, and its px at the picture's top middle.
_CAMERA = np.array(
    [
        (0.0, 1.55, 225, 0),
        (1.5, 1.6, 245, 4),
        (3.0, 1.95, 232, 10),
        (4.5, 1.75, 208, 22),
        (6.0, 1.58, 222, 2),
    ]
)
_BLINKS_SECS, _BLINK_HALF_SECS = (0.55, 3.55), 0.18


@dataclass(frozen=True)
class Moment:
    """What a frame shall show."""

    rotation: Float[np.ndarray, "3 3"]
    """Head to image."""
    window: Window
    """From the enlarged photo."""
    blink: float
    """0 open, 1 shut."""


def plan(photo_rotation: Float[np.ndarray, "3 3"]) -> list[Moment]:
    """The path of head and camera."""
    poses = CubicSpline(_POSES[:, 0], _POSES[:, 1:], bc_type="clamped")
    camera = CubicSpline(_CAMERA[:, 0], _CAMERA[:, 1:], bc_type="clamped")
    moments = []
    for index in range(FRAMES):
        time = index / RATE
        yaw, pitch, roll = poses(time)
        turn = Rotation.from_euler("ZYX", [roll, -yaw, pitch], degrees=True)
        zoom, middle, top = camera(time)
        zoom /= ENLARGE
        corner = np.array([middle - SIDE / zoom / 2 / ENLARGE, max(top, 0)]) * ENLARGE
        away = min(abs(time - blink) for blink in _BLINKS_SECS) / _BLINK_HALF_SECS
        moments.append(
            Moment(
                (turn.as_matrix() @ photo_rotation).astype(np.float32),
                Window(corner.astype(np.float32), float(zoom), SIDE),
                float(np.cos(np.clip(away, 0, 1) * np.pi / 2) ** 2),
            )
        )
    return moments


def fit_still(head: MorphableHead, anchors: Anchors) -> FittedPhoto:
    """The head in the photo, drawn onto the hand-placed points."""
    points = np.array(json.loads(POINTS.read_text())["points_image"], np.float32)
    # Pixel centres at integers: px of the photo to px of its enlargement.
    points = points * ENLARGE
    points[:, :2] += (ENLARGE - 1) / 2
    photo: UInt8[np.ndarray, "512 512 3"] = data.astronaut()  # type: ignore[no-untyped-call]
    bgr = cv2.cvtColor(photo, cv2.COLOR_RGB2BGR)
    image = cv2.resize(bgr, None, fx=ENLARGE, fy=ENLARGE, interpolation=cv2.INTER_CUBIC)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "faces").mkdir()
        cv2.imwrite(f"{folder}/faces/astronaut.png", image)
        photos = FacePack(
            table=Path(folder) / "faces.npz",
            path=np.array(["astronaut.png"]),
            source=np.array(["helen"]),  # a source of points placed by hand
            split=np.array(["test"]),
            manual68=points[None, :, :2],
            mesh478=np.full((1, 478, 3), np.nan, np.float32),
            teacher68=points[None],
            disagreement=np.zeros(1, np.float32),
        )
        fits = fit_photos(head, photos, anchors)
        still = ResidualWarp(head, anchors, photos, fits).photo(0)
    _log.info("fitted: residual %.3f cm, yaw %.1f", fits.residual_cm[0], yaw_deg(still.rotation))
    return replace(still, image=np.asarray(image, np.uint8))


def extend_head(bgr: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "height width 3"]:
    """Skin and hair continued over the plain wall behind them.

    A fitted head is a little wider than the real one here and there; what it shows there when it
    is turned must not be wall.
    """
    lab = cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB).astype(np.float32)
    chroma = np.hypot(lab[..., 1] - 128, lab[..., 2] - 128)
    plain = ((chroma < 12) & (lab[..., 0] > 120)).astype(np.uint8)
    opened = cv2.morphologyEx(plain, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    _, parts = cv2.connectedComponents(np.asarray(opened, np.uint8))
    wall = np.isin(parts, [parts[80, 240], parts[80, 720]])
    rim = cv2.dilate(wall.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    # Skin and hair have some colour, but not as much as the orange suit.
    source = ~rim & (chroma > 14) & (chroma < 50)
    _, nearest = cv2.distanceTransformWithLabels(
        (~source).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((nearest.max() + 1, 3), np.float32)
    colours[nearest[source]] = bgr[source]
    filled = cv2.GaussianBlur(colours[nearest], (0, 0), 4)
    soft = cv2.blur(rim.astype(np.float32), (5, 5))[..., None]
    return np.asarray(np.clip(bgr * (1 - soft) + filled * soft, 0, 255), np.uint8)


class Stage:
    """Draws the photo's head at a moment."""

    def __init__(self, head: MorphableHead, anchors: Anchors, photo: FittedPhoto) -> None:
        self._photo = photo
        self._extended = replace(photo, image=extend_head(photo.image))
        self._turner, self._editor = HeadTurner(head, anchors), ExpressionEditor(head, anchors)

    def draw(
        self, moment: Moment
    ) -> tuple[UInt8[np.ndarray, "side side 3"], Float[np.ndarray, "68 3"]]:
        """BGR picture and landmarks."""
        change = self._editor.shut_eyes(self._photo.vertices_cm, (moment.blink, moment.blink))
        turn = Turn(
            moment.rotation,
            hair_cm=HAIR_CM,
            expression_change=change,
            eyes_shut=moment.blink**2,
            teeth_cm=None,
        )
        inside = self._turner.turn(self._extended, turn, moment.window)
        outside = self._turner.turn(self._photo, turn, moment.window)
        cover = cv2.GaussianBlur(outside.mask.astype(np.float32), (0, 0), 1)[..., None]
        picture = np.round(inside.image * cover + outside.image * (1 - cover))
        return np.asarray(picture, np.uint8), outside.points_image


def write_clip(path: Path, pictures: list[UInt8[np.ndarray, "side side 3"]]) -> None:
    """H.264 with the frame rate of the plan."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "20", "preset": "slow"})
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))


def write_check(path: Path, pictures: list[np.ndarray], labels: list[np.ndarray]) -> None:
    """Frames with their points, twice enlarged, to be looked at."""
    drawn = []
    for index in range(0, len(pictures), 12):
        big = cv2.resize(pictures[index], None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        for x, y, _ in labels[index]:
            place = round(2 * x + 0.5), round(2 * y + 0.5)
            cv2.circle(big, place, 2, (0, 255, 0), -1, cv2.LINE_AA)
        drawn.append(big)
    path.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(drawn):
        cv2.imwrite(str(path / f"{number * 12:03d}.png"), picture)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path, help="ict_face_model.npz")
    parser.add_argument("--out", type=Path, default=Path("src/mien/demo"))
    parser.add_argument("--check", type=Path, help="folder for frames with the points drawn")
    parser.add_argument("--every", type=int, default=1, help="draw each n-th frame only")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    cv2.setNumThreads(1)
    head = load_head(arguments.model)
    anchors = load_anchors(head)
    still = fit_still(head, anchors)
    stage = Stage(head, anchors, still)
    drawn = [stage.draw(moment) for moment in plan(still.rotation)[:: arguments.every]]
    pictures, labels = [one[0] for one in drawn], [one[1] for one in drawn]
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_clip(arguments.out / "clip.mp4", pictures)
    points = np.stack(labels).astype(np.float32)
    np.savez_compressed(arguments.out / "landmarks.npz", points_image=points)
    _log.info("%d frames in %s", len(pictures), arguments.out)
    if arguments.check is not None:
        write_check(arguments.check, pictures, labels)


if __name__ == "__main__":
    main()
