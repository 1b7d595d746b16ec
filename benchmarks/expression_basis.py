"""Write `src/mien/expression/basis.npz`: the rows of the ICT head (MIT) at the 68 points.

    python benchmarks/expression_basis.py ict_face_model.npz clips/

The anchors that ship with mien say where on the head's surface the points lie; points inside the
face lie in the middle between the two conventions, as the shipped models have them (decision 12).
How the networks' points err together is read off the first eight clips of `expression_clips.py`,
tracked with `fast` and `nano`; `expression.py` measures on the others.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from jaxtyping import Float

from expression import known_clips
from mien.expression.basis import similarity_moves
from mien.expression.shapes import HEAD_COLUMNS
from mien.geometry import umeyama
from mien.markup import load_markup
from mien.synthesis.fit.anchors import load_anchors
from mien.synthesis.head.morphable import load_head

OUT = Path(__file__).parents[1] / "src" / "mien" / "expression" / "basis.npz"
IDENTITIES, DIRECTIONS = 60, 40
CLIPS = 8
MODELS = ("fast", "nano")
FLIP = np.array([1, -1, -1])


def main(model: Path, clips: Path) -> None:
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
    np.savez_compressed(
        OUT,
        shapes=np.array(list(HEAD_COLUMNS)),
        mean_cm=mean.astype(np.float32),
        identity_cm=rows(head.identity).astype(np.float16),
        expression_cm=expression.astype(np.float16),
        noise_cm=_shared_errors(mean, expression, clips).astype(np.float16),
        eyeballs_cm=_eyeballs(model).astype(np.float32),
    )
    print(f"{OUT}: {OUT.stat().st_size} bytes")


def _shared_errors(
    mean: Float[np.ndarray, "68 3"], expression: Float[np.ndarray, "shapes 68 3"], folder: Path
) -> Float[np.ndarray, "directions 68 3"]:
    """Principal errors of one person's points about their mean, pose taken out, left as right."""
    moves, _ = np.linalg.qr(similarity_moves(mean).reshape(-1, 7))
    missed = []
    for model in MODELS:
        for clip in known_clips(folder, model, 0, CLIPS):
            errors = []
            for points, known in zip(clip.points, clip.known, strict=True):
                if np.isfinite(points).all():
                    face = mean + np.tensordot(known, expression, 1)
                    scale, rotation, shift = umeyama(face, points)
                    errors.append(((points - shift) @ rotation / scale - face).ravel())
            errors -= np.mean(errors, axis=0)
            missed.append(errors - errors @ moves @ moves.T)
    errors = np.concatenate(missed)
    mirrored = errors.reshape(-1, 68, 3)[:, list(load_markup(68).mirror)] * [-1, 1, 1]
    errors = np.concatenate([errors, mirrored.reshape(errors.shape)])
    variance, directions = np.linalg.eigh(errors.T @ errors / len(errors))
    kept = slice(None, -DIRECTIONS - 1, -1)
    print(f"{DIRECTIONS} directions hold {variance[kept].sum() / variance.sum():.1%} of the errors")
    return (directions[:, kept] * np.sqrt(variance[kept])).T.reshape(-1, 68, 3)


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
    main(Path(sys.argv[1]), Path(sys.argv[2]))
