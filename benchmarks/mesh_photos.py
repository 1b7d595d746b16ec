"""A face pack of photos with MediaPipe's mesh on them, for `mien data mesh`.

    python benchmarks/mesh_photos.py PHOTOS --pattern 'frl_*' --source webmorph \\
        --licence 'CC BY 4.0, signed consent' --out pack

``--source`` is the photos' key in the ledger of sources (docs/sources.md). The mesh stands in
``mediapipe478``; the 68 points beside it are vertices of it, good for cutting faces out, no more.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from mien.datasets.ours.pack_writer import PackWriter
from mien.synthesis.fit.anchor_calibration import inner_of_mesh
from mien.synthesis.fit.mesh_pack import TEACHER
from mien.types import Landmarks
from rivals.environment import mediapipe_environment, run_there

OUTLINE = [127, 234, 93, 132, 58, 172, 136, 149, 152, 378, 365, 397, 288, 361, 323, 454, 356]
"""Vertices of the mesh's outline from ear to ear, as a first jaw."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--pattern", default="*")
    parser.add_argument("--source", required=True)
    parser.add_argument("--licence", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--val", type=float, default=0.06)
    arguments = parser.parse_args()
    files = sorted(path for path in arguments.photos.glob(arguments.pattern) if path.is_file())
    with tempfile.TemporaryDirectory() as folder:
        listed, found = Path(folder) / "photos.txt", Path(folder) / "mesh.npz"
        listed.write_text("\n".join(map(str, files)), encoding="utf-8")
        script = Path(__file__).parent / "rivals" / "mediapipe_photos.py"
        run_there(mediapipe_environment(), script, str(listed), str(found))
        with np.load(found) as arrays:
            photos, meshes = arrays["photo"].tolist(), arrays["mesh"].astype(np.float64)
    writer = PackWriter(arguments.out, arguments.val, TEACHER, arguments.source, arguments.licence)
    for photo, mesh in zip(photos, meshes, strict=True):
        points = np.concatenate([mesh[OUTLINE], inner_of_mesh(mesh[None])[0]])
        image = cv2.cvtColor(cv2.imread(photo), cv2.COLOR_BGR2RGB)
        writer.add(Path(photo).name, image, Landmarks(points, np.ones(68)), mesh)
    writer.close()
    print(f"{len(photos)} faces of {len(files)} photos in {arguments.out}")


if __name__ == "__main__":
    sys.exit(main())
