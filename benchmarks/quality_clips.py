"""How far `quality` is to be trusted in films: made clips whose every frame is known.

::

    python benchmarks/quality_clips.py clips test/study.parquet results/quality_clips.json

The table must hold the points (`measures.py` says how both are made); its signs are weighed as the
calibration that ships weighs them. A face is far where its points, moved to the clicked convention
of the clips, are more than 0.05 face sizes off in their mean.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from mien.quality import Calibration
from provenance import weights_of_run
from quality import film_faces

FAR = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("clips", "table", "out"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    record = json.loads(given.table.with_name("run.json").read_text())
    model = record["model"]["name"]
    values, far_off = film_faces(given.clips, given.table)
    errors, quality = far_off.tolist(), Calibration.shipped().quality(values).tolist()
    far, sure = np.array(errors) > FAR, np.array(quality)

    def share(inside: np.ndarray) -> dict[str, Any]:
        return {
            "faces": int(inside.sum()),
            "far_share": round(float(far[inside].mean()), 4) if inside.any() else None,
        }

    told_of = {
        "command": f"python benchmarks/quality_clips.py {given.clips.name} {given.table.name}",
        "networks": weights_of_run(json.loads(given.table.with_name("run.json").read_text())),
        "model": model,
        "all": share(sure >= 0),
        "below_0.5": share(sure < 0.5),
        "0.5_to_0.9": share((sure >= 0.5) & (sure <= 0.9)),
        "above_0.9": share(sure > 0.9),
    }
    given.out.write_text(json.dumps(told_of, indent=1) + "\n")
    print(json.dumps(told_of))


if __name__ == "__main__":
    main()
