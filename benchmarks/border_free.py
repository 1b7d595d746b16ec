"""May weights for any use know what their confidence is worth at the picture's border?

    python benchmarks/border_free.py PACK DATA --photos 240 benchmarks/results/border_free.json

Their map may not be fitted to what people clicked. ``PACK``, of ``mien data mesh``, holds photos
that permit any use, and labels by MediaPipe's mesh and the ICT head, where `nano-free` learned to
put points. They are cut at a side by 5 to 50 % of the face. Two ways, fitted on train
photos, judged on val photos, and on HELEN's, whose clicked points (``DATA``) lie elsewhere on the
head: a map of each look, as the other models have it, and one of the answer, with looks chosen by
what the networks say themselves. Nothing is written beside the result file.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from border_confidence import calibration_error, fit, gathered, labelled
from mien.files import write_atomically
from mien.runtime import landmarker, load_landmarkers
from mien.runtime.border import BorderMap, recalibrated
from provenance import command, weights_of

MODEL = "nano-free"


def opened(weights: np.ndarray | None, *, looks: bool) -> landmarker.LandmarkerPair:
    """The model with a map of each look or none, and with or without looks from beyond."""
    told = None if weights is None else BorderMap(tuple(weights.tolist()), {})
    landmarker.border_map = lambda sha256: told
    pair = load_landmarkers(MODEL, points=68, threads=1)
    return replace(pair, starts=replace(pair.starts, border=looks))


def judged(answers: tuple[np.ndarray, ...], weights: np.ndarray | None = None) -> dict[str, float]:
    """What confidences claim and what is so, after a map of the answers if there is one."""
    sure, features, within = answers
    if weights is not None:
        sure = recalibrated(sure, features, weights)
    return {
        "calibration_error": round(calibration_error(sure, within), 4),
        "claimed": round(float(sure.mean()), 4),
        "within": round(float(within.mean()), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("json", type=Path)
    parser.add_argument("--photos", type=int, default=240)
    given = parser.parse_args()
    train = labelled(given.pack, "train", by_mesh=True)
    val = {
        "pack val": labelled(given.pack, "val", by_mesh=True),
        "helen val, clicked": labelled(given.data, "val", by_mesh=False),
    }

    def answers(pair: landmarker.LandmarkerPair) -> dict[str, tuple[np.ndarray, ...]]:
        return {name: gathered(pair, one, len(one), as_asked=True) for name, one in val.items()}

    one_look = gathered(opened(None, looks=False), train, given.photos, as_asked=True)
    of_looks = fit([one_look]).round(3)
    as_it_is = opened(None, looks=True)
    of_answers = fit([gathered(as_it_is, train, given.photos, as_asked=True)]).round(3)
    plain, by_look = answers(as_it_is), answers(opened(of_looks, looks=True))
    told = {
        "command": command(),
        "networks": weights_of(MODEL),
        "photos": {"train": given.photos, **{name: len(one) for name, one in val.items()}},
        "weights": {"of each look": of_looks.tolist(), "of the answer": of_answers.tolist()},
        "no map": {name: judged(one) for name, one in plain.items()},
        "of each look": {name: judged(one) for name, one in by_look.items()},
        "of the answer": {name: judged(one, of_answers) for name, one in plain.items()},
    }
    write_atomically(given.json, (json.dumps(told, indent=1) + "\n").encode())
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
