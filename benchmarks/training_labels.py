"""How near our joined training labels come to careful manual points.

    python benchmarks/training_labels.py FACES benchmarks/training_labels.json

FACES is the folder of the face pack. The figures stand in docs/decisions/0003-training-labels.md.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from mien.datasets import pack_labels


def main(root: Path, out: Path) -> None:
    with np.load(root / "faces.npz") as pack:
        source, split = pack["source"], pack["split"]
        manual = pack_labels._points(pack["manual68"], 32)
        mesh = pack_labels._points(pack["mediapipe478"], 16)[:, :, :2]
        teacher = pack_labels._points(pack["tddfa68"], 32)
        agreed = pack["disagreement"] < pack_labels._TRUSTED_DISAGREEMENT
    careful = np.isin(source, pack_labels._CAREFUL) & np.isfinite(manual[:, 0, 0])
    known = careful & (split == "train")
    size = np.sqrt(np.prod(np.ptp(manual, axis=1), axis=1))
    figures = {}
    for name, part in (("helen", "val"), ("helen", "test"), ("afw", "val")):
        chosen = (source == name) & (split == part) & careful & agreed
        guess = pack_labels._regress_inner(mesh, teacher, manual, chosen | (known & agreed), known)
        guess = guess[chosen[chosen | (known & agreed)]]
        both = {"joined": guess, "tddfa": teacher[chosen, 17:, :2]}
        nme = {
            key: np.linalg.norm(points - manual[chosen, 17:], axis=2).mean(axis=1) / size[chosen]
            for key, points in both.items()
        }
        figures[f"{name} {part}"] = {
            "faces": int(chosen.sum()),
            **{f"{key}_nme_inner51": round(float(value.mean()), 4) for key, value in nme.items()},
        }
    learned = {"faces_learned_from": int((known & agreed).sum()), "faces_agreed": int(agreed.sum())}
    out.write_text(json.dumps({**learned, "sets": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
