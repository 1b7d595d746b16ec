"""What smoke learns and is measured on: mean heads drawn as lines, turned to every yaw.

Nobody learns anything about faces from them. They are small, free, exact, and laid out as the real
sets are, so that a run over them goes through every reader.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import scipy.io
from jaxtyping import Float, UInt8

from mien.datasets.ours.clips import LabelledClip, write_clip_label
from mien.datasets.ours.shards import SetEntry, write_shard
from mien.errors import OutputError
from mien.geometry import rotation_from_angles
from mien.geometry.jaw import with_dense_jaw
from mien.markup import load_markup
from mien.synthesis.make.clips import write_clip
from mien.types import HeadPose

__all__ = ["DrawnMaterial", "draw_material"]

_SIDE = 96
_FACE_PX = 40.0
_TRAIN, _VAL, _STILLS, _CLIPS, _FRAMES = 24, 6, 9, 2, 10
_MOUTHS, _BROWS = 0.3, 0.06
"""How far the drawn heads differ: mouths opened by up to this share, brows raised by this part of
the face's size."""
_STRETCH = 0.05
"""Of the basis's modes, as shares of the mean head."""
_STEP_PX = 3.0
"""By which a clip's face moves from frame to frame."""


@dataclass(frozen=True)
class DrawnMaterial:
    """Where it lies."""

    turned: Path
    """Shards, with ``turned_val`` beside."""
    stills: Path
    """As AFLW2000-3D is laid out, with a second truth."""
    clips: Path
    basis: Path
    """A landmark basis of the mean head."""


def draw_material(root: Path) -> DrawnMaterial:
    """Draw what is not there yet; the same for everybody.

    Raises:
        OutputError: the folder cannot be made.
    """
    drawn = DrawnMaterial(root / "turned", root / "stills", root / "clips", root / "basis.npz")
    if drawn.basis.exists():
        return drawn
    try:
        for folder in (drawn.turned, root / "turned_val", drawn.stills, drawn.clips):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make {root}: {error.strerror}") from error
    rng = np.random.default_rng(0)
    _draw_shard(drawn.turned, "train", _TRAIN, rng)
    _draw_shard(root / "turned_val", "val", _VAL, rng)
    _draw_stills(drawn.stills, rng)
    for number in range(_CLIPS):
        _draw_clip(drawn.clips / f"clip-{number:04d}.npz", rng)
    _write_basis(drawn.basis)  # last: where it is, everything is
    return drawn


def _face(
    yaw_deg: float, centre: tuple[float, float], rng: np.random.Generator
) -> Float[np.ndarray, "68 3"]:
    """The mean head with a mouth and brows of its own, turned, in px of a picture."""
    markup = load_markup(68)
    shape = markup.mean_shape.copy()
    shape[list(markup.part("mouth_outer").indices), 1] *= 1 + _MOUTHS * rng.random()
    for brow in ("brow_left", "brow_right"):
        shape[list(markup.part(brow).indices), 1] -= _BROWS * rng.random()
    pitch, roll = rng.uniform(-10, 10, 2)
    turned = shape @ rotation_from_angles(HeadPose(yaw_deg, pitch, roll)).T
    points = _FACE_PX * (turned - turned.mean(axis=0))
    return np.asarray(points + np.array([*centre, 0.0]))


def _ground(width: int, height: int, rng: np.random.Generator) -> UInt8[np.ndarray, "h w 3"]:
    coarse = rng.integers(60, 200, (3, 3, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))


def _draw(
    ground: UInt8[np.ndarray, "h w 3"], face: Float[np.ndarray, "68 3"]
) -> UInt8[np.ndarray, "h w 3"]:
    picture = ground.copy()
    for part in load_markup(68).parts:
        line = np.round(face[list(part.indices), :2] * 16).astype(np.int32)
        cv2.polylines(picture, [line], part.closed, (10, 10, 10), 1, cv2.LINE_AA, 4)
    return picture


def _yaws(count: int) -> Float[np.ndarray, " count"]:
    """From one profile to the other, so that each bin of yaw has its share."""
    return np.linspace(-85, 85, count)


def _middle(rng: np.random.Generator) -> tuple[float, float]:
    x, y = rng.uniform(_SIDE / 2 - 3, _SIDE / 2 + 3, 2)
    return float(x), float(y)


def _draw_shard(folder: Path, split: str, count: int, rng: np.random.Generator) -> None:
    entries = []
    for number, yaw in enumerate(_yaws(count)):
        face = _face(yaw, _middle(rng), rng)
        dense = with_dense_jaw(face[None])[0]
        nothing, nothing84 = np.zeros(68, bool), np.zeros(84, bool)
        picture, name = _draw(_ground(_SIDE, _SIDE, rng), face), f"drawn-{split}-{number}"
        hidden = (nothing, dense, nothing84)
        entries.append(
            SetEntry(picture, face, *hidden, yaw, name, split, False, nothing, nothing84)
        )
    write_shard(folder / "shard-00000.npz", entries, split)


def _draw_stills(folder: Path, rng: np.random.Generator) -> None:
    names, second = [], []
    for number, yaw in enumerate(_yaws(_STILLS)):
        face, name = _face(yaw, _middle(rng), rng), f"image{number:05d}"
        cv2.imwrite(str(folder / f"{name}.jpg"), _draw(_ground(_SIDE, _SIDE, rng), face))
        stored = face * [1, 1, -1] + [1, 1, 0]  # pixels from 1, z towards the camera
        pose = np.array([[0.0, -math.radians(yaw), 0.0]])
        fields = {"pt3d_68": stored.T.astype(np.float32), "Pose_Para": pose}
        scipy.io.savemat(folder / f"{name}.mat", fields)
        names.append(name)
        second.append(face[:, :2] + rng.normal(0, 0.5, (68, 2)))
    np.savez(folder / "labels.npz", name=np.array(names), reannotated_68=np.stack(second))


def _draw_clip(label: Path, rng: np.random.Generator) -> None:
    width, height = 160, 120
    ground, times = _ground(width, height, rng), np.arange(_FRAMES) / 25
    identity = int(rng.integers(1000))
    yaws = np.linspace(float(rng.uniform(-80, 80)), float(rng.uniform(-80, 80)), _FRAMES)
    faces = np.stack(
        [
            _face(yaw, (height / 2 + _STEP_PX * step, height / 2), np.random.default_rng(identity))
            for step, yaw in enumerate(yaws)
        ]
    )
    write_clip(label.with_suffix(".mp4"), (_draw(ground, face) for face in faces), times)
    write_clip_label(
        LabelledClip(
            name=label.stem,
            video_path=label.with_suffix(".mp4"),
            time_secs=times,
            points_image=faces[None].astype(np.float32),
            hidden=np.zeros((1, _FRAMES, 68), bool),
            yaw_deg=yaws[None].astype(np.float32),
            variable_rate=False,
        )
    )


def _write_basis(file: Path) -> None:
    """The mean head, and its stretches along each axis as modes."""
    mean = load_markup(68).mean_shape
    modes = np.stack([_STRETCH * mean * axis for axis in np.eye(3)])
    np.savez(file, mean=mean, modes=modes)
