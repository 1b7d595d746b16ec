"""What a regression learns of each shape from the networks' points: a ruler for `mien.expression`.

    python benchmarks/expression_limit.py clips/ --model fast --model nano

For each shape a ridge regression is learned straight from the mouth's, or all, points of all made
clips but one (pose taken out, the clip's median taken for the neutral, which no reader knows) and
read on that one; the best of a row of strengths is kept, so that the figure flatters. A reader that
knows the head may still do better, as a dozen clips teach a regression little. Figures go to
`benchmarks/results/expression_limit.json`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from jaxtyping import Float

from expression import ASKED, KnownClip, known_clips
from mien.expression import SHAPES
from mien.expression.basis import load_basis, without_pose
from mien.geometry import umeyama
from provenance import command, weights_of

RESULT = Path(__file__).parent / "results" / "expression_limit.json"
STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)


def moved(clip: KnownClip) -> Float[np.ndarray, "frames 204"]:
    """How far each frame's points lie off the clip's median, pose taken out, cm."""
    mean_cm = load_basis().mean_cm
    rows = []
    for points in clip.points:
        scale, rotation, shift = umeyama(mean_cm, points)
        rows.append((((points - shift) @ rotation) / scale - mean_cm).ravel())
    apart = np.array(rows) - np.median(rows, axis=0)
    return np.asarray(apart @ without_pose(mean_cm))


def left_out(
    seen: list[Float[np.ndarray, "frames inputs"]],
    known: list[Float[np.ndarray, "frames shapes"]],
    strength: float,
) -> Float[np.ndarray, " shapes"]:
    """Correlation of every shape over all frames, each clip read by what the others taught."""
    read = []
    for clip in range(len(seen)):
        inputs = np.concatenate(seen[:clip] + seen[clip + 1 :])
        wanted = np.concatenate(known[:clip] + known[clip + 1 :])
        normal = inputs.T @ inputs + strength * np.eye(inputs.shape[1])
        read.append(seen[clip] @ np.linalg.solve(normal, inputs.T @ (wanted - wanted.mean(axis=0))))
    found, truth = np.concatenate(read), np.concatenate(known)
    found, truth = found - found.mean(axis=0), truth - truth.mean(axis=0)
    norms = np.linalg.norm(found, axis=0) * np.linalg.norm(truth, axis=0)
    return np.asarray((found * truth).sum(axis=0) / np.maximum(norms, 1e-12))


def followed(clips: list[KnownClip]) -> dict[str, float]:
    """How much of a pucker's narrowing and of its lips' way forward the points show; 1 is all."""
    pucker = SHAPES.index("mouthPucker")
    full = load_basis().expression_cm[pucker]
    shares = []
    for clip in clips:
        strength = clip.known[:, pucker]
        high = strength > max(0.5 * strength.max(), 0.3)
        if high.any():
            shown = moved(clip)[high].mean(axis=0).reshape(-1, 3) / strength[high].mean()
            narrowing = (shown - full)[54, 0] - (shown - full)[48, 0]
            true_narrowing = full[54, 0] - full[48, 0]
            lips = [51, 57, 62, 66]
            forward = shown[lips, 2].mean() / full[lips, 2].mean()
            shares.append((1 + narrowing / true_narrowing, forward))
    across, depth = np.mean(shares, axis=0).round(2).tolist()
    return {"corners": across, "depth_of_lips": depth}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("--model", action="append", required=True)
    asked = parser.parse_args()
    result: dict[str, object] = {"command": command(), "networks": weights_of(*asked.model)}
    for model in asked.model:
        clips = [
            clip
            for clip in known_clips(asked.clips, model, 0, None)
            if np.isfinite(clip.points).all()
        ]
        known = [clip.known for clip in clips]
        points = [moved(clip) for clip in clips]
        parts = {"all": points, "mouth": [one[:, 3 * 48 :] for one in points]}
        best = np.max(
            [left_out(seen, known, strength) for seen in parts.values() for strength in STRENGTHS],
            axis=0,
        )
        shapes = dict(zip(SHAPES, best.round(3).tolist(), strict=True))
        asked_of = {
            name: round(float(np.mean([shapes[one] for one in names])), 3)
            for name, names in ASKED.items()
        }
        result[model] = {
            "clips": len(clips),
            "asked": asked_of,
            "pucker_followed": followed(clips),
            "shapes": shapes,
        }
        print(model, asked_of, followed(clips))
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
