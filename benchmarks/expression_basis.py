"""Write `src/mien/expression/basis.npz`: the rows of the ICT head (MIT) at the 68 points.

    python benchmarks/expression_basis.py ict_face_model.npz clips/...

The anchors that ship with mien say where on the head's surface the points lie; points inside the
face lie in the middle between the two conventions, as the shipped models have them (decision 12).
What the networks show of each shape, and how their points err together beside that, is learned
from the given clips of `expression_clips.py`, tracked with `fast` and `nano`; `expression.py`
measures on others.
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from expression import KnownClip, known_clips
from mien.expression.basis import without_pose
from mien.expression.shapes import HEAD_COLUMNS, PAIRS, SHAPES
from mien.geometry import umeyama
from mien.markup import load_markup
from mien.synthesis.fit.anchors import load_anchors
from mien.synthesis.head.morphable import load_head

OUT = Path(__file__).parents[1] / "src" / "mien" / "expression" / "basis.npz"
IDENTITIES, DIRECTIONS = 60, 90
RIDGE = 3.0
"""Frames of full strength that the head's own offset of a shape counts for."""
AT_REST = 0.02
"""Sum of squared strengths at which a frame counts for 1/e in a person's face at rest."""
MODELS = ("fast", "nano")
MOVED_ASIDE = (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"))
FLIP = np.array([1, -1, -1])
SIDES = np.arange(len(SHAPES))
"""Each shape's other side; its own number where it has none."""
for _left, _right in (*PAIRS, *(map(SHAPES.index, names) for names in MOVED_ASIDE)):
    SIDES[_left], SIDES[_right] = _right, _left
Points = Float[np.ndarray, "68 3"]
Shapes = Float[np.ndarray, "shapes 68 3"]


def main(model: Path, clips: list[Path]) -> None:
    head = load_head(model, IDENTITIES)
    anchors = load_anchors(head)

    def rows(values: Float[np.ndarray, "... vertices 3"]) -> Float[np.ndarray, "... 68 3"]:
        points, clicked = anchors.points68.of(values), anchors.manual51.of(values)
        inner = (points[..., 17:, :] + clicked) / 2
        return np.concatenate([points[..., :17, :], inner], axis=-2)

    columns = [
        sum(head.expression[head.expression_index(name)] for name in names)
        for names in HEAD_COLUMNS.values()
    ]
    mean, expression = rows(head.mean), np.stack([rows(column) for column in columns])
    shown, noise = _learned(mean, expression, clips)
    np.savez_compressed(
        OUT,
        shapes=np.array(list(HEAD_COLUMNS)),
        mean_cm=mean.astype(np.float32),
        identity_cm=rows(head.identity).astype(np.float16),
        expression_cm=expression.astype(np.float16),
        shown_cm=shown.astype(np.float16),
        noise_cm=noise.astype(np.float16),
        eyeballs_cm=_eyeballs(model).astype(np.float32),
    )
    print(f"{OUT}: {OUT.stat().st_size} bytes")


@dataclass(frozen=True)
class Shown:
    """A person's points in a clip and what was known, and the same in a mirror."""

    moved_cm: Float[np.ndarray, "frames 204"]
    """Off the person's own face at rest, pose taken out."""
    known: Float[np.ndarray, "frames shapes"]

    def mirrored(self) -> Shown:
        points = self.moved_cm.reshape(-1, 68, 3)[:, list(load_markup(68).mirror)] * [-1, 1, 1]
        return Shown(points.reshape(self.moved_cm.shape), self.known[:, SIDES])


def _shown(clip: KnownClip, mean: Points, expression: Shapes) -> Shown:
    """The points laid over the mean head as it is known to move; what is left at rest is the
    person's own, and of the networks for this person."""
    frames = np.isfinite(clip.points).all(axis=(1, 2))
    known = clip.known[frames].astype(np.float64)
    apart = []
    for points, strengths in zip(clip.points[frames], known, strict=True):
        scale, rotation, shift = umeyama(mean + np.tensordot(strengths, expression, 1), points)
        apart.append(((points - shift) @ rotation / scale).ravel())
    rest = np.exp(-(known**2).sum(axis=1) / AT_REST) + 1e-9
    moved = apart - np.average(apart, axis=0, weights=rest)
    return Shown(moved @ without_pose(mean), known)


def _learned(
    mean: Points, expression: Shapes, folders: list[Path]
) -> tuple[Shapes, Float[np.ndarray, "directions 68 3"]]:
    """What points show of each shape, by ridge regression towards the head's own offsets; and the
    principal errors that are left about each person's mean, left as right."""
    each = itertools.product(folders, MODELS)
    clips = [clip for folder, model in each for clip in known_clips(folder, model, 0, None)]
    seen = [_shown(clip, mean, expression) for clip in clips]
    both = seen + [one.mirrored() for one in seen]
    known = np.concatenate([one.known for one in both])
    moved = np.concatenate([one.moved_cm for one in both])
    own = expression.reshape(len(expression), -1) @ without_pose(mean)
    normal = known.T @ known + RIDGE * np.eye(len(own))
    shown = np.linalg.solve(normal, known.T @ moved + RIDGE * own)
    left = [one.moved_cm - one.known @ shown for one in both]
    errors = np.concatenate([one - one.mean(axis=0) for one in left])
    variance, directions = np.linalg.eigh(errors.T @ errors / len(errors))
    kept = slice(None, -DIRECTIONS - 1, -1)
    print(f"{DIRECTIONS} directions hold {variance[kept].sum() / variance.sum():.1%} of the errors")
    noise = (directions[:, kept] * np.sqrt(variance[kept])).T.reshape(-1, 68, 3)
    return shown.reshape(expression.shape), noise


def _eyeballs(model: Path) -> Float[np.ndarray, "2 3"]:
    """Centres of the mean head's right and left eyeball, in the head's frame as images have it."""
    with np.load(model) as file:
        regions = dict(zip(file["region_names"].tolist(), file["region_ranges"], strict=True))
        centres = []
        for name in sorted((name for name in regions if "eyeball" in name), reverse=True):
            first, last = regions[name]
            ball = file["mean"][first:last] * FLIP
            centres.append((ball.min(axis=0) + ball.max(axis=0)) / 2)
    return np.stack(sorted(centres, key=lambda centre: centre[0]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(each) for each in sys.argv[2:]])
