"""MediaPipe Face Mesh (with irises) on photos; `mesh_photos.py` makes its environment.

    MEDIAPIPE_PYTHON mediapipe_photos.py LIST OUT

LIST is a text file of one path a line, OUT the ``.npz`` to write: ``photo`` (n,), the path, and
``mesh`` (n, 478, 3), px of the photo, z away from the camera, pixel centres at integers. Of a photo
with several faces the largest is taken; photos without one are left out.
"""

import sys
from pathlib import Path

import cv2
import mediapipe as mp
import numpy as np


def main() -> None:
    names = Path(sys.argv[1]).read_text(encoding="utf-8").split("\n")
    mesher = mp.solutions.face_mesh.FaceMesh(
        static_image_mode=True, max_num_faces=4, refine_landmarks=True
    )
    photos, meshes = [], []
    for name in filter(None, names):
        image = cv2.imread(name)
        if image is None:
            continue
        height, width = image.shape[:2]
        result = mesher.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        faces = [
            np.array([[p.x * width - 0.5, p.y * height - 0.5, p.z * width] for p in face.landmark])
            for face in result.multi_face_landmarks or ()
        ]
        if faces:
            photos.append(name)
            meshes.append(max(faces, key=lambda mesh: np.ptp(mesh[:, 0])))
    np.savez(sys.argv[2], photo=np.array(photos), mesh=np.array(meshes, np.float32))


if __name__ == "__main__":
    main()
