"""How near the guessed clicks come to people's, by the ridge; and the joined training labels.

    python benchmarks/data_clicks.py FACES

FACES is the folder of the face pack. Writes `benchmarks/results/data_clicks.json`; the figures
stand in docs/decisions/0003-training-labels.md and 0015-clicked-points.md. Everything is learned
from train photos; the ridge is chosen by the val photos.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from mien.datasets.ours.pack import FacePack, read_pack
from mien.datasets.ours.pack_labels import guess_clicks, known_points

RESULT = Path(__file__).parent / "results" / "data_clicks.json"
RIDGES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
FEW = (5, 10, 20, 50, 100, 200, 500)
"""How many clicked photos a user may have."""
SETS = (("helen", "val"), ("afw", "val"), ("helen", "test"))


def main(root: Path) -> None:
    pack = read_pack(root)
    believed = pack.trusted_manual & pack.teachers_agree
    learned = believed & (pack.split == "train")
    val = believed & (pack.split == "val")
    figures: dict[str, Any] = {
        "command": "python benchmarks/data_clicks.py FACES",
        "faces_learned_from": int(learned.sum()),
        "faces_whose_teachers_agree": int(pack.teachers_agree.sum()),
        "val_faces": int(val.sum()),
        "mean_nme_by_ridge": {
            str(ridge): mean_nme(pack, guess_clicks(pack, learned, ridge), val) for ridge in RIDGES
        },
        "mean_nme_of_the_teacher": mean_nme(pack, pack.teacher68[:, 17:, :2], val),
        "mean_nme_by_examples": {str(count): with_few(pack, learned, val, count) for count in FEW},
    }
    # The labels themselves, with the manual points of all but train faces kept from them.
    kept = np.where((pack.split == "train")[:, None, None], pack.manual68, np.nan)
    joined = known_points(dataclasses.replace(pack, manual68=kept.astype(np.float32))).inner51
    figures["sets"] = {
        f"{source} {split}": {
            "faces": int(
                (here := believed & (pack.source == source) & (pack.split == split)).sum()
            ),
            "joined_nme_inner51": mean_nme(pack, joined, here),
            "teacher_nme_inner51": mean_nme(pack, pack.teacher68[:, 17:, :2], here),
        }
        for source, split in SETS
    }
    RESULT.write_text(json.dumps(figures, indent=1) + "\n")
    print(RESULT.read_text())


def with_few(
    pack: FacePack, learned: Bool[np.ndarray, " faces"], val: Bool[np.ndarray, " faces"], count: int
) -> float:
    """Mean over three draws of so many examples."""
    rng, errors = np.random.default_rng(0), []
    for _ in range(3):
        some = np.zeros(len(pack), bool)
        some[rng.choice(np.flatnonzero(learned), count, replace=False)] = True
        errors.append(mean_nme(pack, guess_clicks(pack, some, 1.0), val))
    return round(float(np.mean(errors)), 5)


def mean_nme(
    pack: FacePack, inner: Float[np.ndarray, "faces 51 2"], chosen: Bool[np.ndarray, " faces"]
) -> float:
    """Over the size of the box of the clicked points."""
    clicked = pack.manual68[chosen]
    size = np.sqrt(np.prod(np.ptp(clicked, axis=1), axis=1))
    away = np.linalg.norm(inner[chosen] - clicked[:, 17:], axis=2).mean(axis=1)
    return round(float((away / size).mean()), 5)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
