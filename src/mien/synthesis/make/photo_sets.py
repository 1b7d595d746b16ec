"""From fitted photos to a set: which photo is turned how far, and edited how."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.transform import Rotation

from mien.datasets.ours.shards import SetEntry, write_shard
from mien.errors import DataError
from mien.synthesis.fit.residual_warp import FittedPhoto
from mien.synthesis.make.manifest import SetRun
from mien.synthesis.make.parallel import run_tasks
from mien.synthesis.make.session import SessionFiles, SynthesisSession, open_session
from mien.synthesis.render.expression import ExpressionEditor
from mien.synthesis.render.face_mask import FaceMask, draw_mask
from mien.synthesis.render.glasses import Glasses, draw_glasses
from mien.synthesis.render.turning import Turn

__all__ = ["Recipe", "SetJob", "make_entries", "make_set", "plan_photos"]

_MAX_NOD_DEG = 40.0
_EDIT_FRONTAL_DEG = 30.0
"""Edited pictures that count as frontal are turned no further."""
_SHUT, _HALF_SHUT = 0.8, (0.3, 0.8)
"""Share of edited eyes that are quite shut, and how far the others are."""
_LAMP_DOWN, _LAMP_UP, _LAMP_AHEAD = 0.7, 0.2, -0.7
"""Lamps stand before the face, more to the sides than above and below, and rather above."""
_LAMP_STRENGTH = (0.2, 0.75)
_TEETH_CM, _LOWER_TEETH_CM = 0.9, (0.0, 0.0, 0.35)
"""Most of the upper teeth that an open mouth shows; of the lower ones two mouths in three show
none."""
_HAIR_CM = (0.1, 1.0)
"""How far hair stands off: cropped to full."""
_FRONTAL_DEG = 10
"""Photos up to this yaw show both sides about alike and are turned to either;"""
_ACROSS = 0.08
"""others to the side they do not show only so often."""
_NODDING, _NOD_DEG, _STRONG_NOD_DEG = 0.7, 7, (-22, 22)
"""Most heads and most cameras are near level: share and deviation; the others are anywhere here."""


@dataclass(frozen=True)
class Recipe:
    """What a set is to hold."""

    pictures: int
    split: str = "train"
    min_yaw_deg: float = 30.0
    max_yaw_deg: float = 90.0
    pitch_range_deg: tuple[float, float] | None = None
    """Least and greatest pitch, up or down alike; ``None``: as far as most people nod."""
    eyes_shut: float = 0.0
    """Share of pictures with shut (a fifth of them: half shut) eyes."""
    mouth_open: float = 0.0
    mouth_moved: float = 0.0
    """Share of mouths that purse, press, roll, smile or are drawn aside."""
    brows: float = 0.0
    relit: float = 0.0
    glasses: float = 0.0
    masks: float = 0.0
    edits_frontal: float = 0.4
    """Share of edited pictures that stay within 30 degrees of the camera."""
    source_shares: tuple[tuple[str, float], ...] = (
        ("helen", 0.24),
        ("afw", 0.1),
        ("mebeauty", 0.36),
        ("lfw", 0.2),
        ("ytf", 0.1),
    )

    def record(self) -> dict[str, object]:
        """For a manifest. A share that older recipes did not have stands there only where it is
        asked for: a set that an older mien began is known again."""
        told = dataclasses.asdict(self)
        return told if self.mouth_moved else {k: told[k] for k in told if k != "mouth_moved"}


@dataclass(frozen=True)
class SetJob:
    """A set to make: the same job makes the same pictures, whoever makes which of them."""

    files: SessionFiles
    recipe: Recipe
    seed: int


@dataclass(frozen=True)
class _Part:
    job: SetJob
    numbers: range
    file: Path


def make_set(job: SetJob, run: SetRun, workers: int) -> Iterator[int]:
    """Make the missing shards of a run on several processes; yields the pictures of each.

    Raises:
        DataError: files that do not belong together, or no photo that can be used.
    """
    parts = [_Part(job, run.numbers(shard), run.file(shard)) for shard in run.missing]
    made, start_secs = 0, time.monotonic()
    for count in run_tasks(_make_part, parts, workers):
        made += count
        yield count
    run.finish(made, time.monotonic() - start_secs)


def _make_part(part: _Part) -> int:
    session, recipe = open_session(part.job.files), part.job.recipe
    write_shard(part.file, make_entries(recipe, session, part.job.seed, part.numbers), recipe.split)
    return len(part.numbers)


def make_entries(
    recipe: Recipe, session: SynthesisSession, seed: int, numbers: Iterable[int]
) -> Iterator[SetEntry]:
    """Some pictures of a set, each from the seed and its own number alone.

    Raises:
        DataError: no photo of the split can be trusted.
    """
    rows, photos = plan_photos(recipe, session, np.random.default_rng(seed)), session.photos
    for number in numbers:
        row, rng = int(rows[number]), np.random.default_rng([seed, number])
        photo = session.warp.photo(row)
        turn, edit = _draw_turn(recipe, photo, session.editor, rng)
        turned = session.turner.turn(photo, turn)
        yield SetEntry(
            image=turned.image,
            points_image=turned.points_image,
            hidden=turned.hidden,
            points84_image=turned.points84_image,
            hidden84=turned.hidden84,
            covered=turned.covered,
            covered84=turned.covered84,
            yaw_deg=turned.yaw_deg,
            source_path=str(photos.path[row]),
            split=str(photos.split[row]),
            inner_manual=bool(session.warp.labels.inner_manual[row]),
            edit=edit,
        )


def plan_photos(
    recipe: Recipe, session: SynthesisSession, rng: np.random.Generator
) -> Int[np.ndarray, " pictures"]:
    """Which photo each picture is made from: each of a source once before any again."""
    usable, named = session.usable(recipe.split), dict(recipe.source_shares)
    if not usable.any():
        raise DataError(
            f"no photo of split {recipe.split} can be used: its points are not believed, or its "
            "face is turned too far; look at the sheet of mien data fit"
        )
    sources = np.unique(session.photos.source[usable])
    pools = [np.flatnonzero(usable & (session.photos.source == source)) for source in sources]
    # A source that the recipe does not name is drawn as often as it has photos.
    shares = np.array(
        [
            named.get(str(source), len(pool) / usable.sum())
            for source, pool in zip(sources, pools, strict=True)
        ]
    )
    drawn = rng.choice(len(pools), recipe.pictures, p=shares / shares.sum())
    rows = np.empty(recipe.pictures, np.int64)
    for number, pool in enumerate(pools):
        wanted = np.flatnonzero(drawn == number)
        decks = [rng.permutation(pool) for _ in range(-(-len(wanted) // len(pool)))]
        rows[wanted] = np.concatenate([*decks, pool[:0]])[: len(wanted)]
    return rows


def _draw_turn(
    recipe: Recipe, photo: FittedPhoto, editor: ExpressionEditor, rng: np.random.Generator
) -> tuple[Turn, str]:
    """A random turn and what it does to the expression, in words."""
    change, words = np.zeros_like(photo.expression), list[str]()
    shut = False
    if rng.random() < recipe.eyes_shut:
        shut = bool(rng.random() < _SHUT)
        part = 1.0 if shut else float(rng.uniform(*_HALF_SHUT))
        change += editor.shut_eyes(photo.vertices_cm, (part, part))
        words.append("eyes shut" if shut else "eyes half shut")
    if rng.random() < recipe.mouth_open:
        change += editor.open_mouth(photo.expression, rng)
        words.append("mouth open")
    # No draw without a share: sets of older recipes stay as they were.
    if recipe.mouth_moved and rng.random() < recipe.mouth_moved:
        change += editor.move_mouth(photo.expression + change, rng)
        words.append("mouth moved")
    if rng.random() < recipe.brows:
        change += editor.raise_brows(rng)
        words.append("brows moved")
    lamp = np.zeros(3, np.float32)
    if rng.random() < recipe.relit:
        way = np.array([rng.normal(), rng.normal() * _LAMP_DOWN - _LAMP_UP, _LAMP_AHEAD])
        lamp = (way / np.linalg.norm(way) * rng.uniform(*_LAMP_STRENGTH)).astype(np.float32)
    frontal = bool(words) and rng.random() < recipe.edits_frontal
    low, high = (0.0, _EDIT_FRONTAL_DEG) if frontal else (recipe.min_yaw_deg, recipe.max_yaw_deg)
    teeth = float(rng.uniform(0, _TEETH_CM)), float(rng.choice(_LOWER_TEETH_CM))
    rotation = _draw_rotation(photo.rotation, (low, high), recipe.pitch_range_deg, rng)
    hair_cm = float(rng.uniform(*_HAIR_CM))
    worn = _draw_worn(recipe, rng)
    turn = Turn(
        rotation=rotation,
        hair_cm=hair_cm,
        expression_change=change.astype(np.float32) if words else None,
        eyes_shut=float(shut),
        light=lamp,
        teeth_cm=teeth if {"mouth open", "mouth moved"} & {*words} else None,
        worn=worn,
    )
    if worn is not None:
        words.append(_worn_name(worn))
    return turn, ", ".join(words)


def _draw_worn(recipe: Recipe, rng: np.random.Generator) -> Glasses | FaceMask | None:
    chance = rng.random()
    if chance < recipe.glasses:
        return draw_glasses(rng)
    return draw_mask(rng) if chance < recipe.glasses + recipe.masks else None


def _worn_name(worn: Glasses | FaceMask) -> str:
    if isinstance(worn, FaceMask):
        return "face mask"
    return "dark glasses" if worn.lens_cover > 0.5 else "glasses"


def _draw_rotation(
    rotation: Float[np.ndarray, "3 3"],
    yaw_range: tuple[float, float],
    pitch_range: tuple[float, float] | None,
    rng: np.random.Generator,
) -> Float[np.ndarray, "3 3"]:
    # The photo's pose as people move: nod about the ears' axis, turn on the neck, then tilt.
    tilt, minus_yaw, nod = Rotation.from_matrix(rotation).as_euler("ZYX", degrees=True)
    yaw = -float(minus_yaw)
    # A head that already shows one side well turns on to that side: the other is not in the photo.
    across = 0.5 if abs(yaw) < _FRONTAL_DEG else _ACROSS
    side = np.sign(yaw) * (1 if rng.random() > across else -1)
    size = rng.uniform(*yaw_range)
    if pitch_range is None:
        nodded, camera = (
            rng.normal(0, _NOD_DEG) if rng.random() < _NODDING else rng.uniform(*_STRONG_NOD_DEG)
            for _ in "12"
        )
        new_nod = float(np.clip(nod + nodded, -_MAX_NOD_DEG, _MAX_NOD_DEG))
    else:
        # Thrown back, or seen from below: of a turned head the two differ.
        pitch = float(rng.choice([-1.0, 1.0]) * rng.uniform(*pitch_range))
        new_nod = pitch * float(rng.random())
        camera = pitch - new_nod
    view = Rotation.from_euler("ZX", [tilt, camera], degrees=True)
    turned = view * Rotation.from_euler("YX", [-side * size, new_nod], degrees=True)
    matrix: Float[np.ndarray, "3 3"] = turned.as_matrix()
    return matrix
