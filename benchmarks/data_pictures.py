"""Make the pictures of docs/data.md from one public-domain photo.

    python benchmarks/data_pictures.py --model ict_face_model.npz --out docs/images/

The photo is `skimage.data.astronaut()` (NASA, public domain; scikit-image is in the `test` extra).
Its face is found and annotated by the shipped network and fitted, as a user's photos
are: `mien data annotate` and `mien data fit`.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from skimage import data

from mien.augmentation.degrade import degrade
from mien.augmentation.occlude import occlude
from mien.cli import main as mien
from mien.geometry.pose import rotation_from_angles
from mien.synthesis.fit.residual_warp import FittedPhoto
from mien.synthesis.head.raster import rasterise
from mien.synthesis.head.regions import vertex_normals
from mien.synthesis.make.actor import Actor
from mien.synthesis.make.contact_sheets import SheetCell, draw_sheet
from mien.synthesis.make.motion import HeadMotion, frame_times
from mien.synthesis.make.scenes import Way, draw_passer, draw_way, film
from mien.synthesis.make.session import SessionFiles, SynthesisSession, open_session
from mien.synthesis.render.face_mask import draw_mask
from mien.synthesis.render.glasses import draw_glasses
from mien.synthesis.render.turning import Turn
from mien.types import HeadPose

Image = UInt8[np.ndarray, "height width 3"]
ENLARGE = 2
"""Faces are stored at no more than 360 px; as it is, the photo's would be smaller."""
YAWS_DEG = (-90, -60, -30, 0, 30, 60, 90)
FRAMES = (20, 65, 100, 110, 190, 230)
SIZE = (640, 360)
BLANK = np.zeros((0, 3), np.float32), np.zeros(0, bool)


def prepare(folder: Path, model: Path) -> SynthesisSession:
    """The photo annotated and fitted by the commands."""
    (folder / "photos").mkdir()
    photo: Image = data.astronaut()  # type: ignore[no-untyped-call]
    large = cv2.resize(photo, None, fx=ENLARGE, fy=ENLARGE, interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(folder / "photos/astronaut.png"), cv2.cvtColor(large, cv2.COLOR_RGB2BGR))
    pack, fits = folder / "pack", folder / "fits.npz"
    _run("data", "annotate", folder / "photos", "--out", pack, "--val", "0")
    _run("data", "fit", pack, "--model", model, "--out", fits)
    return open_session(SessionFiles(fits))


def fitted(session: SynthesisSession) -> Image:
    """What the network found, the head that was fitted, and the label that follows."""
    photo, found = session.warp.photo(0), session.photos.teacher68[0]
    label = session.warp.labels.points_image[0]
    return np.hstack(
        [
            _tile(photo.image, found, np.zeros(68, bool), 280),
            _tile(_with_head(photo, session.head.triangles), *BLANK, 280),
            _tile(photo.image, label, np.zeros(68, bool), 280),
        ]
    )


def _with_head(photo: FittedPhoto, triangles: np.ndarray) -> Image:
    """The fitted head as clay that lets the photo through."""
    placed = photo.project(photo.vertices_cm @ photo.rotation.T)
    raster = rasterise(placed, triangles, *photo.image.shape[:2])
    light = np.clip(raster.blend(vertex_normals(placed, triangles)) @ [-0.4, -0.5, -0.8], 0, 1)
    clay = photo.image.reshape(-1, 3).copy()
    clay[raster.pixel] = (30 + 225 * light)[:, None] * [0.6, 0.9, 0.6]
    return cv2.addWeighted(photo.image, 0.3, clay.reshape(photo.image.shape), 0.7, 0)


def turned(session: SynthesisSession) -> Image:
    """From profile to profile, bare and with the label."""
    photo = session.warp.photo(0)
    turns = [Turn(rotation_from_angles(HeadPose(yaw, 0, 0))) for yaw in YAWS_DEG]
    made = [session.turner.turn(photo, turn) for turn in turns]
    rows = [
        [_tile(one.image, *BLANK, 180) for one in made],
        [_tile(one.image, one.points_image, one.hidden, 180) for one in made],
    ]
    return np.vstack([np.hstack(row) for row in rows])


def edited(session: SynthesisSession) -> Image:
    """Expressions, worn things, and what a training run does to a picture."""
    photo, editor = session.warp.photo(0), session.editor
    rotation = rotation_from_angles(HeadPose(20, 0, 0))
    plain = Turn(rotation)
    shut = editor.shut_eyes(photo.vertices_cm, (1.0, 1.0))
    mouth = editor.open_mouth(photo.expression, np.random.default_rng(3))
    turns = [
        dataclasses.replace(plain, expression_change=shut, eyes_shut=1.0),
        dataclasses.replace(plain, expression_change=mouth),
        dataclasses.replace(plain, worn=draw_glasses(np.random.default_rng(1))),
        dataclasses.replace(plain, worn=draw_mask(np.random.default_rng(2))),
    ]
    images = [session.turner.turn(photo, turn).image for turn in turns]
    bare = session.turner.turn(photo, plain).image
    images.append(occlude(bare, photo.image, np.random.default_rng(5)))
    draws = [degrade(bare, np.random.default_rng(seed)) for seed in range(100)]
    images.append(min(draws, key=np.mean))
    return np.hstack([_tile(image, *BLANK, 200) for image in images])


def filmed(session: SynthesisSession) -> Image:
    """Frames of a clip with their labels."""
    rng = np.random.default_rng(11)
    times = frame_times(10.0, False, rng)
    motion, way = HeadMotion.draw(times, rng), draw_way(times, SIZE, 0, 1, rng)
    passer, shown = draw_passer(times, way, rng), list(FRAMES)
    curves = {name: curve[shown] for name, curve in vars(motion).items()}
    frames = film(
        [Actor(session, 0)],
        [HeadMotion(**curves)],
        [Way(way.centre[shown], way.face_px[shown])],
        [dataclasses.replace(passer, centre=passer.centre[shown])],
        SIZE,
    )
    tiles = [_tile(one.image, *_known(one.points_image[0], one.hidden[0]), 400) for one in frames]
    return np.vstack([np.hstack(tiles[:3]), np.hstack(tiles[3:])])


def _known(
    points: Float[np.ndarray, "68 3"], hidden: Bool[np.ndarray, " 68"]
) -> tuple[Float[np.ndarray, "n 3"], Bool[np.ndarray, " n"]]:
    """None of a face that is out of the frame."""
    known = np.isfinite(points).all(axis=1)
    return points[known], hidden[known]


def _tile(
    image: Image, points: Float[np.ndarray, "n 3"], hidden: Bool[np.ndarray, " n"], side: int
) -> Image:
    """One picture so wide, as sheets draw it: seen points green, hidden ones red."""
    height = round(image.shape[0] * side / image.shape[1])
    return draw_sheet([SheetCell(image, points, hidden)], columns=1, side=side)[:height]


def _run(*words: object) -> None:
    """A command of mien in this process."""
    try:
        mien([str(word) for word in words])
    except SystemExit as ended:
        if ended.code:
            raise


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="ict_face_model.npz")
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    parser.add_argument("--ending", choices=("jpg", "png"), default="jpg")
    arguments = parser.parse_args()
    quality = [cv2.IMWRITE_JPEG_QUALITY, 85] if arguments.ending == "jpg" else []
    with tempfile.TemporaryDirectory() as folder:
        session = prepare(Path(folder), arguments.model)
        pictures = {"fit": fitted, "turned": turned, "edits": edited, "clip": filmed}
        arguments.out.mkdir(parents=True, exist_ok=True)
        for name, draw in pictures.items():
            file = arguments.out / f"data-{name}.{arguments.ending}"
            cv2.imwrite(str(file), draw(session), quality)
            print(f"{file}: {file.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
