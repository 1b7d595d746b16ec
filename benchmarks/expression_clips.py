"""Make clips of photos animated by known blendshapes, to measure `mien.expression`.

    python benchmarks/expression_clips.py FITS.npz --split val --clips 20 --out clips/

Each photo's fitted head turns, blinks, talks and pulls faces; the data engine paints it frame by
frame, and a label beside each clip holds the coefficients (relative to the photo's own face, which
is the person's neutral) and the true points. Photos with the calmest faces are taken. `known.npz`
names are those of the head (`eyeBlink_L`); a blink of 1 shuts this person's eye.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from mien.geometry.pose import yaw_deg
from mien.synthesis.fit.fits import load_fits
from mien.synthesis.fit.residual_warp import FittedPhoto
from mien.synthesis.make.clips import write_clip
from mien.synthesis.make.motion import HeadMotion, blink_curve, mouth_curve, smooth_path
from mien.synthesis.make.session import SessionFiles, SynthesisSession, open_session
from mien.synthesis.render.turning import Turn, Window

RATE = 25
BOTH = ("_L", "_R")
BROWS: tuple[dict[str, float], ...] = (
    {"browInnerUp": 1, "browOuterUp": 1},
    {"browInnerUp": 1, "browOuterUp": 1},
    {"browDown": 1},
    {"browInnerUp": 1},
    {"browOuterUp_L": 1},
    {"browOuterUp_R": 1},
    {"eyeWide": 1},
    {"eyeSquint": 1, "cheekSquint": 0.8},
)
MOUTHS: tuple[dict[str, float], ...] = (
    {"mouthSmile": 1},
    {"mouthSmile": 1, "jawOpen": 0.3, "cheekSquint": 0.5},
    {"mouthSmile_L": 0.8},
    {"mouthSmile_R": 0.8},
    {"mouthPucker": 1},
    {"mouthPucker": 1},
    {"mouthFunnel": 1, "jawOpen": 0.3},
    {"jawOpen": 1},
    {"mouthFrown": 1},
    {"mouthStretch": 1},
    {"mouthDimple": 1},
    {"mouthLeft": 1},
    {"mouthRight": 1},
    {"mouthUpperUp": 1, "noseSneer": 0.6},
    {"mouthLowerDown": 1},
    {"mouthPress": 1},
    {"mouthRollLower": 1, "mouthRollUpper": 1},
    {"mouthShrugLower": 1, "mouthShrugUpper": 0.7},
    {"jawLeft": 1},
    {"jawRight": 1},
    {"jawForward": 1},
    {"jawOpen": 0.7, "mouthClose": 0.5},
    {"noseSneer": 1},
    {"cheekPuff": 1},
)


def play(
    acts: tuple[dict[str, float], ...],
    names: tuple[str, ...],
    times: Float[np.ndarray, " frames"],
    rng: np.random.Generator,
) -> Float[np.ndarray, "frames shapes"]:
    """One act after the other, each rising, held and falling; every act once before any again."""
    curve = np.zeros((len(times), len(names)))
    deck, start = list[int](), float(rng.uniform(0, 1))
    while start < times[-1]:
        deck = deck or rng.permutation(len(acts)).tolist()
        rise, hold, fall = rng.uniform((0.15, 0.1, 0.2), (0.4, 0.6, 0.5))
        knots = start + np.cumsum([0, rise, hold, fall])
        level = np.interp(times, knots, [0, 1, 1, 0]) * rng.uniform(0.5, 1)
        level = level * level * (3 - 2 * level)
        for name, share in acts[deck.pop()].items():
            for each in [name] if name in names else [name + side for side in BOTH]:
                column = names.index(each)
                curve[:, column] = np.maximum(curve[:, column], share * level)
        start = float(knots[-1]) + rng.uniform(0, 0.5)
    return curve


def blinks(
    times: Float[np.ndarray, " frames"], rng: np.random.Generator
) -> Float[np.ndarray, "frames 2"]:
    """How far the eye at the image's left and the other are shut; one blink in six is a wink."""
    both = blink_curve(times, rng)
    shut = np.stack([both, both], axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (both > 0).astype(int), [0]])))
    for first, last in edges.reshape(-1, 2):
        if rng.random() < 1 / 6:
            shut[first:last, rng.integers(2)] = 0
    return shut


def calmest(session: SynthesisSession, fits: Path, split: str, count: int) -> list[int]:
    """Photos of a split that face the camera, sharp enough, with the weakest expressions."""
    found = load_fits(fits, session.photos)
    usable = session.usable(split) & (np.abs(yaw_deg(found.rotation)) < 15)
    rows = np.flatnonzero(usable & (found.scale > 9))
    strength = np.abs(np.maximum(found.expression[rows], 0)).sum(axis=1)
    chosen: list[int] = rows[np.argsort(strength, kind="stable")][:count].tolist()
    return chosen


def make_clip(
    session: SynthesisSession, row: int, file: Path, seconds: float, seed: list[int]
) -> None:
    rng, names = np.random.default_rng(seed), session.head.expression_names
    times = np.arange(round(seconds * RATE)) / RATE
    shut = blinks(times, rng)
    motion = HeadMotion(
        yaw_deg=smooth_path(times, (-40, 40), rng),
        pitch_deg=smooth_path(times, (-15, 15), rng),
        roll_deg=smooth_path(times, (-15, 15), rng),
        blink=shut[:, 0],
        mouth=mouth_curve(times, rng),
    )
    known = play(BROWS, names, times, rng) + play(MOUTHS, names, times, rng)
    jaw, talks = names.index("jawOpen"), np.abs(times / times[-1] - rng.random()) < 0.25
    known[:, jaw] = np.maximum(known[:, jaw], motion.mouth * talks)
    photo = session.warp.photo(row)
    window = Window.around(photo.points_cm @ photo.rotation.T * photo.scale + _shift(photo))
    points = []

    def pictures() -> Iterator[UInt8[np.ndarray, "side side 3"]]:
        for frame in range(len(times)):
            change = known[frame].astype(np.float32)
            open_face = photo.vertices_cm + np.tensordot(change, session.head.expression, 1)
            closing = session.editor.shut_eyes(open_face, (shut[frame, 0], shut[frame, 1]))
            turn = Turn(motion.rotation(frame), 0.5, change + closing)
            turned = session.turner.turn(photo, turn, window)
            points.append(turned.points_image)
            side = len(turned.image) // 2 * 2
            yield np.ascontiguousarray(turned.image[:side, :side])

    write_clip(file.with_suffix(".mp4"), pictures(), times)
    for side, column in (("R", 0), ("L", 1)):
        known[:, names.index(f"eyeBlink_{side}")] = shut[:, column]
    np.savez_compressed(
        file,
        time_secs=times,
        names=np.array(names),
        known=known.astype(np.float32),
        points=np.stack(points).astype(np.float32),
        yaw_deg=motion.yaw_deg,
        source_path=np.array(str(session.photos.path[row])),
    )


def _shift(photo: FittedPhoto) -> Float[np.ndarray, " 3"]:
    return np.append(photo.shift, 0).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fits", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--clips", type=int, default=20)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    session = open_session(SessionFiles(asked.fits))
    rows = calmest(session, asked.fits, asked.split, asked.clips)
    for number, row in tuple(enumerate(rows))[asked.first :]:
        file = asked.out / f"clip-{number:04d}.npz"
        if not file.exists():
            make_clip(session, row, file, asked.seconds, [asked.seed, number])
            print(file.name, flush=True)


if __name__ == "__main__":
    main()
